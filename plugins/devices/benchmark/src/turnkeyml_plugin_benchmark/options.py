"""The options of `benchmark`."""

from __future__ import annotations

from dataclasses import dataclass

from turnkeyml.options import PAIRS, option

DEFAULT_ITERATIONS = 100


@dataclass(frozen=True)
class BenchmarkOptions:
    """The options of `benchmark`."""

    device: str | None = option(
        None,
        metavar="TYPE",
        help="What runs the model: family, family::part or family::part::config. "
        "[default: the processor of this machine]",
        shorthand="--device",
    )
    runtime: str | None = option(
        None,
        metavar="SW",
        help="The software that runs it, or several joined by commas. "
        "[default: the first that the device names]",
        shorthand="--runtime",
    )
    iterations: int = option(
        DEFAULT_ITERATIONS,
        metavar="N",
        minimum=1,
        help="How many inferences are timed, after the warm-up.",
        shorthand="--iterations",
    )
    rt_args: tuple[str, ...] = option(
        (),
        metavar=PAIRS,
        help="Arguments of the runtime: key::value, key::[value1,value2], or a key alone. "
        "RUNTIME.key::value is for that one of several.",
        shorthand="--rt-args",
    )
    warm_up: int | None = option(
        None,
        metavar="N",
        minimum=0,
        help="Inferences between the first and the timed ones. [default: until they are steady]",
        shorthand="--warm-up",
    )
    min_duration: float = option(
        0.0,
        metavar="SECONDS",
        minimum=0,
        help="Time more inferences than --iterations, until they took so long.",
        shorthand="--min-duration",
    )
    until_ci: str | None = option(
        None,
        metavar="PERCENT",
        help="Time more inferences than --iterations, until the median is known to so many percent "
        "either way, such as 1%.",
        shorthand="--until-ci",
    )
    repeat: int = option(
        1,
        metavar="N",
        minimum=1,
        help="Measure so many times, each from loading the model on.",
        shorthand="--repeat",
    )
    threads: int | None = option(
        None,
        metavar="N",
        minimum=1,
        help="Threads that compute on the processor. [default: the runtime decides]",
        shorthand="--threads",
    )
    share_device: bool = option(
        False,
        help="Do not wait, under --jobs, until the device is free: many models end sooner, and "
        "their latencies say less.",
        shorthand="--share-device",
    )
    rt_version: str | None = option(
        None,
        metavar="VERSION",
        help="Run the runtime in this version, in an environment of its own that is made once and "
        "kept. Several joined by commas are compared; current is the one that is installed.",
        shorthand="--rt-version",
    )
    rt_env: str | None = option(
        None,
        metavar="PATH",
        help="Run the runtime in this Python environment, which has what it needs.",
        shorthand="--rt-env",
    )
