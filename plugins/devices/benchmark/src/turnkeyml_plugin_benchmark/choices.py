"""What the words of `benchmark`'s options mean for one runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from turnkeyml.errors import PlanError
from turnkeyml.keyword_args import join_lists
from turnkeyml.rt_args import parse_rt_args, takes_argument
from turnkeyml.runtime import BaseRT
from turnkeyml.worker.environments import Environment, environment_with, look_into, python_in

CURRENT = "current"
"""Stands among versions for the environment that runs turnkey."""
_THREADS = "threads"


def names_in(text: str | None) -> tuple[str, ...]:
    """Read names joined by commas, each once."""
    names = [name.strip() for name in (text or "").split(",")]
    return tuple(dict.fromkeys(name for name in names if name))


def arguments_for(runtime: str, runtimes: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """Choose the runtime arguments that are for one of several runtimes.

    Args:
        runtime: The one.
        runtimes: All that are named.
        words: As given; ``RUNTIME.key::value`` is for that runtime, any other for all.

    Raises:
        PlanError: A list among them has no end.
    """
    chosen = []
    for word in join_lists(words, "--rt-args"):
        owner = next((name for name in runtimes if word.startswith(f"{name}.")), None)
        if owner is None:
            chosen.append(word)
        elif owner == runtime:
            chosen.append(word.removeprefix(f"{owner}."))
    return tuple(chosen)


def percent_from(text: str | None) -> float | None:
    """Read a number of percent, such as ``1%`` or ``0.5``, as a share.

    Raises:
        PlanError: It is something else, or not above 0.
    """
    if text is None:
        return None
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise PlanError(f"--until-ci takes a number of percent such as 1%, not {text!r}.")
    return share


def with_threads(
    runtime: str, runtime_class: type[BaseRT], threads: int | None, words: Sequence[str]
) -> tuple[str, ...]:
    """Put a number of threads among the words of ``--rt-args``, where it is the same as there.

    Raises:
        PlanError: The runtime takes no number of threads, or has one already.
    """
    if threads is None:
        return tuple(words)
    if not takes_argument(runtime_class, _THREADS):
        raise PlanError(
            f"The runtime {runtime!r} takes no number of threads.",
            hint="Give it to those of several that do, such as --rt-args ort.threads::4",
        )
    if _THREADS in parse_rt_args(words):
        raise PlanError("--threads and the runtime argument 'threads' say the same; give one.")
    return (*words, f"{_THREADS}::{threads}")


def check_own_environment(runtime: str, runtime_class: type[BaseRT]) -> None:
    """Check that a runtime can be measured in an environment of its own.

    Raises:
        PlanError: It cannot.
    """
    if runtime_class.worker is None:
        raise PlanError(
            f"The runtime {runtime!r} is measured in the process that runs turnkey, "
            "so it cannot have an environment of its own.",
            hint="Install turnkey into that environment, and run it there.",
        )
    if not runtime_class.worker_packages:
        raise PlanError(
            f"The runtime {runtime!r} does not say which packages its worker needs "
            "(worker_packages), so it cannot have an environment of its own."
        )


def open_environment(
    runtime_class: type[BaseRT], path: str | None, version: str | None, cache: Path
) -> Environment | None:
    """Give the environment in which the worker is to run; None: that of turnkey.

    Args:
        runtime_class: The runtime.
        path: Of an environment that exists.
        version: Of the runtime's first package, for an environment that is made and kept.
        cache: The cache directory, which keeps it.

    Raises:
        BuildError: It has not what the worker needs, or cannot be made.
    """
    packages = runtime_class.worker_packages
    if version is not None:
        return environment_with(packages, version, cache)
    return look_into(python_in(Path(path)), packages) if path is not None else None
