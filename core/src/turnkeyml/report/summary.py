"""What a report says in a few lines."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from turnkeyml.outcomes import Status
from turnkeyml.report import columns as c
from turnkeyml.report.gathering import Row

SHOWN_RESULTS = 20
SHOWN_CAUSES = 10


@dataclass(frozen=True)
class ResultLine:
    """One row, as the terminal shows it.

    Args:
        model: Its name.
        runtime: The runtime, if there is one.
        latency_ms: The mean latency.
        throughput_ips: Inferences per second.
        note: The verdict of a result, or the status of what has none.
    """

    model: str
    runtime: str
    latency_ms: float | None
    throughput_ips: float | None
    note: str


@dataclass(frozen=True)
class Summary:
    """Counts over all rows.

    Args:
        rows: How many rows there are.
        builds: How many builds they are of.
        results: How many of them have a measured latency.
        stages: For each stage that some build reached, how many builds passed it, and how many
            tried. A build passes a stage if it did so in one of its rows.
        causes: Causes of failures and how many rows have them, most frequent first.
        first: The first rows.
    """

    rows: int
    builds: int
    results: int
    stages: dict[str, tuple[int, int]]
    causes: list[tuple[str, int]]
    first: list[ResultLine]

    def to_json(self) -> dict[str, Any]:
        """Give the counts as JSON values."""
        counts = dataclasses.asdict(self)
        del counts["first"]
        return {
            **counts,
            "stages": {k: {"passed": p, "tried": t} for k, (p, t) in self.stages.items()},
            "causes": [{"cause": cause, "rows": count} for cause, count in self.causes],
        }


def summarize(rows: Iterable[Row]) -> Summary:
    """Count rows."""
    count = results = 0
    names = [stage.name for stage in c.STAGES]
    passed: dict[str, set[tuple[str, str]]] = {name: set() for name in names}
    tried: dict[str, set[tuple[str, str]]] = {name: set() for name in names}
    builds: set[tuple[str, str]] = set()
    causes: Counter[str] = Counter()
    first: list[ResultLine] = []
    for row in rows:
        count += 1
        # An input without a model counts as one.
        build = (str(row.cache), row.text(c.BUILD_NAME) or row.text(c.SCRIPT))
        if row.text(c.BUILD_NAME):
            builds.add(build)
        results += row.number(c.MEAN_LATENCY) is not None
        for name in names:
            status = row.values.get(name)
            if status is not None:
                tried[name].add(build)
            if status == Status.SUCCESSFUL.value:
                passed[name].add(build)
        if row.values.get(c.CAUSE) is not None:
            step = row.text(c.FAILED_STEP)
            causes[f"{step}: {row.text(c.CAUSE)}" if step else row.text(c.CAUSE)] += 1
        if len(first) < SHOWN_RESULTS:
            first.append(_line_of(row))
    stages = {name: (len(passed[name]), len(tried[name])) for name in names if tried[name]}
    return Summary(count, len(builds), results, stages, causes.most_common(SHOWN_CAUSES), first)


def _line_of(row: Row) -> ResultLine:
    return ResultLine(
        row.text(c.MODEL_NAME) or row.text(c.BUILD_NAME),
        row.text(c.RUNTIME),
        row.number(c.MEAN_LATENCY),
        row.number(c.THROUGHPUT),
        row.text(c.VERDICT) or row.text(c.STATUS),
    )
