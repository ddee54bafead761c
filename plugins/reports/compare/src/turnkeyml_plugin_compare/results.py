"""What one side of a comparison has to say: a result, or the failure to come to one."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import cached_property

NANOSECONDS = 1e6
"""In a millisecond."""

FIELDS = ("hash", "parameters", "device", "runtime", "rt_args", "chain")
"""What besides the model's name has to be equal, unless it is ignored."""


@dataclass(frozen=True)
class Identity:
    """What was measured; the same on both sides of a comparison.

    Args:
        model: The name of the script or model file, without its suffix.
        hash: The digits by which a model of a script is named.
        parameters: What ``--sweep`` gave to the script, as ``NAME=VALUE``, joined by commas.
        device: As it was chosen.
        runtime: Its name.
        rt_args: Its arguments, joined by ``; ``.
        chain: The tools that led there.
    """

    model: str
    hash: str = ""
    parameters: str = ""
    device: str = ""
    runtime: str = ""
    rt_args: str = ""
    chain: str = ""


@dataclass(frozen=True)
class Result:
    """One row of a report, as far as it can be compared.

    Args:
        identity: What was measured.
        iterations: How many inferences were asked for.
        schedule: What else was asked for, as text. Both only count where an identity has several
            results.
        build: The build's name.
        error: Why there is no result; empty if there is one.
        failed_step: The step that failed.
        device_name: The full name of the device.
        runtime_version: Of the runtime.
        turnkey_version: Of turnkey.
        measured_at: When, as UTC ISO 8601.
        verdict: ``valid``, ``noisy``, ``invalid`` or ``unverified``.
        verdict_reasons: Why it is not valid.
        latency_ms: The mean latency as it was reported.
        runs: The timed samples of each run, in ns and in order.
        unsampled: Why there are no samples.
    """

    identity: Identity
    iterations: str = ""
    schedule: str = ""
    build: str = ""
    error: str = ""
    failed_step: str = ""
    device_name: str = ""
    runtime_version: str = ""
    turnkey_version: str = ""
    measured_at: str = ""
    verdict: str = ""
    verdict_reasons: str = ""
    latency_ms: float | None = None
    runs: tuple[tuple[int, ...], ...] = ()
    unsampled: str = ""

    @property
    def is_good(self) -> bool:
        """Whether something was measured."""
        return self.latency_ms is not None

    @cached_property
    def median_ms(self) -> float | None:
        """The median over the runs of their medians; None without samples."""
        if not self.runs:
            return None
        return statistics.median(map(statistics.median, self.runs)) / NANOSECONDS
