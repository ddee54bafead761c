"""What a benchmark found, and the check that it can be true."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from turnkeyml.errors import BuildError

LATENCY_UNITS = "milliseconds (ms)"
THROUGHPUT_UNITS = "inferences per second (IPS)"
VERDICT_UNVERIFIED = "unverified"
UNVERIFIED_REASON = "the runtime measures by itself and hands over no samples"


@dataclass(frozen=True)
class MeasuredPerformance:
    """What a benchmark found.

    Args:
        mean_latency: In ms, transfers between host and device included.
        throughput: In inferences per second (a batch is one inference).
        device: The device's full name.
        device_type: The device as chosen, such as ``x86``.
        runtime: The runtime's name.
        runtime_version: Of the software that ran the model, if it says so.
        build_name: The build that was measured.
        verdict: ``valid``, ``noisy``, ``invalid`` or ``unverified``.
        verdict_reasons: Why it is not ``valid``, in words.
        statistics: All other numbers, by name with their unit.
        facts: What the runtime says about itself.
        samples: Raw samples in ns, if there are any: ``first_ns``, ``warm_up_ns``, ``timed_ns``.
    """

    mean_latency: float
    throughput: float
    device: str
    device_type: str
    runtime: str
    runtime_version: str = ""
    build_name: str = ""
    verdict: str = VERDICT_UNVERIFIED
    verdict_reasons: tuple[str, ...] = (UNVERIFIED_REASON,)
    statistics: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    samples: Mapping[str, Any] = field(default_factory=dict)
    latency_units: str = LATENCY_UNITS
    throughput_units: str = THROUGHPUT_UNITS

    def __str__(self) -> str:
        from turnkeyml.console import printable

        software = f"{self.runtime} {self.runtime_version}".strip()
        text = (
            f"{self.mean_latency:.4g} {self.latency_units}, "
            f"{self.throughput:.4g} {self.throughput_units}"
        )
        where = f"{software} on {self.device}" if self.device else software
        parts = [text, where, self.verdict]
        name = f"{self.build_name}: " if self.build_name else ""
        return printable(name + ", ".join(part for part in parts if part))

    def __repr__(self) -> str:
        # Without samples and statistics, which are long.
        return f"<{self}>"

    def _repr_html_(self) -> str:
        from turnkeyml.display import facts_table

        return facts_table(
            [
                ("build", self.build_name),
                (f"mean latency, {self.latency_units}", f"{self.mean_latency:.6g}"),
                (f"throughput, {self.throughput_units}", f"{self.throughput:.6g}"),
                ("device", self.device or self.device_type),
                ("runtime", f"{self.runtime} {self.runtime_version}".strip()),
                ("verdict", self.verdict),
                ("why", "; ".join(self.verdict_reasons)),
            ]
        )


def check_performance(found: object, runtime: str) -> MeasuredPerformance:
    """Check what a runtime's ``benchmark`` gave.

    Raises:
        BuildError: It is something else, or its numbers are impossible.
    """
    if not isinstance(found, MeasuredPerformance):
        raise BuildError(
            f"benchmark() of the runtime {runtime!r} gave {type(found).__name__}, "
            "not MeasuredPerformance."
        )
    if not (_is_possible(found.mean_latency) and _is_possible(found.throughput)):
        raise BuildError(
            f"The runtime {runtime!r} reports a mean latency of {found.mean_latency} ms and a "
            f"throughput of {found.throughput} IPS, which cannot be."
        )
    return found


def _is_possible(number: object) -> bool:
    return isinstance(number, Real) and math.isfinite(number) and float(number) > 0
