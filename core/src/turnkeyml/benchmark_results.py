"""What `turnkeyml.benchmark_files` gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from turnkeyml.console import plural, printable
from turnkeyml.display import html_table
from turnkeyml.performance import LATENCY_UNITS, THROUGHPUT_UNITS, MeasuredPerformance

if TYPE_CHECKING:
    from turnkeyml.execution.reports import JobReport, ModelReport

_FIELDS = {
    "mean_latency_ms", "throughput_ips", "device_name", "device", "runtime", "runtime_version",
    "verdict", "verdict_reasons", "facts",
}  # fmt: skip


@dataclass(frozen=True)
class BenchmarkFailure:
    """Something that went wrong.

    Args:
        input: The file.
        build_name: The build, if the model was found.
        step: The tool that failed; empty if the input itself did.
        error: Why, in a sentence.
        log: Where more is written.
    """

    input: Path
    build_name: str
    step: str
    error: str
    log: Path | None

    def __str__(self) -> str:
        where = self.build_name or self.input.name
        step = f"{self.step}: " if self.step else ""
        return printable(f"{where}: {step}{self.error}")


class BenchmarkResults(Sequence[MeasuredPerformance]):
    """What `benchmark_files` measured, in order; a notebook shows it as a table.

    Args:
        reports: What became of each input.
    """

    def __init__(self, reports: Sequence[JobReport]) -> None:
        self.models: tuple[ModelReport, ...] = tuple(m for r in reports for m in r.models)
        """Every model that was found, measured or not."""
        self._results = tuple(
            performance_from(result, model.name)
            for model in self.models
            for result in model.results
        )
        self.failures = tuple(failure for report in reports for failure in _failures_of(report))
        """What went wrong."""

    @overload
    def __getitem__(self, index: int) -> MeasuredPerformance: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[MeasuredPerformance, ...]: ...

    def __getitem__(
        self, index: int | slice
    ) -> MeasuredPerformance | tuple[MeasuredPerformance, ...]:
        return self._results[index]

    def __len__(self) -> int:
        return len(self._results)

    def __repr__(self) -> str:
        return f"<{plural(len(self), 'result')}, {plural(len(self.failures), 'failure')}>"

    def __str__(self) -> str:
        """Give a line for each result and each failure."""
        return "\n".join(map(str, (*self, *self.failures))) or "no results"

    def _repr_html_(self) -> str:
        heads = ("build", "runtime", "device", LATENCY_UNITS, THROUGHPUT_UNITS, "verdict")
        rows = [
            (
                one.build_name,
                f"{one.runtime} {one.runtime_version}".strip(),
                one.device,
                f"{one.mean_latency:.6g}",
                f"{one.throughput:.6g}",
                one.verdict,
            )
            for one in self
        ]
        rows += [
            (f.build_name or f.input.name, "", "", "", "", f"{f.step}: {f.error}".lstrip(": "))
            for f in self.failures
        ]
        return html_table(heads, rows)


def _failures_of(report: JobReport) -> list[BenchmarkFailure]:
    path = report.source.path
    found = [
        BenchmarkFailure(path, model.name, failure.step, failure.error, failure.log)
        for model in report.models
        for failure in model.failures
    ]
    if report.error is not None:
        found.append(BenchmarkFailure(path, "", "", str(report.error), report.log))
    return found


def performance_from(result: Mapping[str, Any], build_name: str) -> MeasuredPerformance:
    """Make an object of a result as the statistics of a build keep it.

    Args:
        result: An entry of ``results``.
        build_name: The build that it is of.
    """
    return MeasuredPerformance(
        float(result["mean_latency_ms"]),
        float(result["throughput_ips"]),
        str(result.get("device_name") or ""),
        str(result.get("device") or ""),
        str(result.get("runtime") or ""),
        runtime_version=str(result.get("runtime_version") or ""),
        build_name=build_name,
        verdict=str(result.get("verdict") or ""),
        verdict_reasons=tuple(map(str, result.get("verdict_reasons") or ())),
        statistics={key: value for key, value in result.items() if key not in _FIELDS},
        facts=dict(result.get("facts") or {}),
    )
