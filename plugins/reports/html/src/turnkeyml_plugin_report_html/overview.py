"""Counts over all rows: what passed which stage, why not, how exact, how trustworthy."""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from turnkeyml.outcomes import Status
from turnkeyml.report import columns as c
from turnkeyml.report.rows import cause_of

if TYPE_CHECKING:
    from turnkeyml.report import Row

MOST_CAUSES = 200
BINS_A_DECADE = 2
_LONGEST_EXAMPLE = 1_000
_ENDED_BADLY = (Status.FAILED.value, Status.INTERRUPTED.value, "unreadable")
_PARITY = re.compile(r"(?P<step>[^.]+)\.parity\.status")
_MOST_STEPS = 40


@dataclass(frozen=True)
class Stage:
    """How many builds came through a stage; a build passes if it does so in one of its rows.

    Args:
        name: The column.
        passed: How many did.
        tried: How many came to it.
    """

    name: str
    passed: int
    tried: int


@dataclass(frozen=True)
class Cause:
    """Failures of one kind.

    Args:
        step: The step that failed; empty if none did.
        cause: What their errors have in common; empty if no reason was recorded.
        rows: How many there are.
        builds: Of how many builds.
        example: The number of the first row.
        example_name: Of which model it is.
        example_error: What was said there, in full.
    """

    step: str
    cause: str
    rows: int
    builds: int
    example: int
    example_name: str
    example_error: str


@dataclass(frozen=True)
class ParityOfStep:
    """What is known of all that a step made.

    Args:
        step: As columns name it.
        statuses: How many builds by status.
        exact: How many had no difference at all.
        bins: How many had their largest relative difference in each half of a power of ten: pairs
            of n and a count, from ``10 ** (n / 2)`` on.
        tolerance: The median of what is tolerated.
        worst: The largest difference.
    """

    step: str
    statuses: dict[str, int]
    exact: int
    bins: tuple[tuple[int, int], ...]
    tolerance: float | None
    worst: float | None


@dataclass(frozen=True)
class Reason:
    """Why results are not valid.

    Args:
        verdict: Theirs.
        reason: What their reasons have in common.
        rows: How many have it.
    """

    verdict: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Overview:
    """Counts over all rows.

    Args:
        rows: How many there are.
        builds: Of how many builds.
        attempts: These, and inputs in which no model was found.
        results: How many have a measured latency.
        failed: How many ended badly.
        stages: Those that some build reached.
        causes: Most frequent first.
        other_causes: How many more there are.
        verdicts: Rows by verdict.
        reasons: Why not valid, most frequent first.
        parity: By step, in the order in which steps were met.
    """

    rows: int
    builds: int
    attempts: int
    results: int
    failed: int
    stages: tuple[Stage, ...]
    causes: tuple[Cause, ...]
    other_causes: int
    verdicts: dict[str, int]
    reasons: tuple[Reason, ...]
    parity: tuple[ParityOfStep, ...]


@dataclass
class _Group:
    example: int
    name: str
    error: str
    rows: int = 0
    builds: set[str] = field(default_factory=set)


@dataclass
class _Checks:
    statuses: Counter[str] = field(default_factory=Counter)
    seen: set[tuple[str, str, float | None]] = field(default_factory=set)
    differences: list[float] = field(default_factory=list)
    tolerances: list[float] = field(default_factory=list)


class OverviewMaker:
    """Counts row after row."""

    def __init__(self) -> None:
        self._rows = self._results = self._failed = 0
        self._builds: set[str] = set()
        self._attempts: set[str] = set()
        names = [stage.name for stage in c.STAGES]
        self._passed: dict[str, set[str]] = {name: set() for name in names}
        self._tried: dict[str, set[str]] = {name: set() for name in names}
        self._causes: dict[tuple[str, str], _Group] = {}
        self._verdicts: Counter[str] = Counter()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._checks: dict[str, _Checks] = {}

    def add(self, row: Row) -> None:
        """Count a row."""
        build = f"{row.cache}\0{row.text(c.BUILD_NAME) or row.text(c.SCRIPT)}"
        self._attempts.add(build)
        if row.text(c.BUILD_NAME):
            self._builds.add(build)
        for name, tried in self._tried.items():
            status = row.values.get(name)
            if status is not None:
                tried.add(build)
            if status == Status.SUCCESSFUL.value:
                self._passed[name].add(build)
        if row.number(c.MEAN_LATENCY) is not None:
            self._results += 1
            self._judge(row)
        if row.text(c.STATUS) in _ENDED_BADLY or row.values.get(c.CAUSE) is not None:
            self._failed += 1
            self._blame(row, build)
        self._check(row.values, build)
        self._rows += 1

    def _judge(self, row: Row) -> None:
        verdict = row.text(c.VERDICT)
        self._verdicts[verdict] += 1
        reasons = row.values.get(c.VERDICT_REASONS)
        for reason in reasons if isinstance(reasons, list) else []:
            self._reasons[verdict, cause_of(str(reason))] += 1

    def _blame(self, row: Row, build: str) -> None:
        key = (row.text(c.FAILED_STEP), row.text(c.CAUSE))
        group = self._causes.get(key)
        if group is None:
            name = row.text(c.MODEL_NAME) or row.text(c.BUILD_NAME)
            error = row.text(c.ERROR)[:_LONGEST_EXAMPLE]
            group = self._causes[key] = _Group(self._rows, name, error)
        group.rows += 1
        group.builds.add(build)

    def _check(self, values: Mapping[str, Any], build: str) -> None:
        for name, status in values.items():
            # Quicker than the expression: rows have hundreds of columns.
            if not name.endswith(".parity.status") or status is None:
                continue
            found = _PARITY.fullmatch(name)
            if found is None or (found["step"] not in self._checks and self._is_full):
                continue
            step = found["step"]
            checks = self._checks.setdefault(step, _Checks())
            difference = _number(values.get(f"{step}.parity.max_rel"))
            # A build has the same check in the row of each runtime.
            if (build, str(status), difference) in checks.seen:
                continue
            checks.seen.add((build, str(status), difference))
            checks.statuses[str(status)[:100]] += 1
            if difference is not None:
                checks.differences.append(difference)
            tolerance = _number(values.get(f"{step}.parity.tolerance"))
            if tolerance is not None:
                checks.tolerances.append(tolerance)

    @property
    def _is_full(self) -> bool:
        return len(self._checks) >= _MOST_STEPS

    def overview(self) -> Overview:
        """Give the counts."""
        ranked = sorted(self._causes.items(), key=lambda item: -item[1].rows)
        return Overview(
            rows=self._rows,
            builds=len(self._builds),
            attempts=len(self._attempts),
            results=self._results,
            failed=self._failed,
            stages=tuple(
                Stage(name, len(self._passed[name]), len(tried))
                for name, tried in self._tried.items()
                if tried
            ),
            causes=tuple(
                Cause(step, cause, g.rows, len(g.builds), g.example, g.name, g.error)
                for (step, cause), g in ranked[:MOST_CAUSES]
            ),
            other_causes=max(len(ranked) - MOST_CAUSES, 0),
            verdicts=dict(self._verdicts.most_common()),
            reasons=tuple(
                Reason(verdict, reason, rows)
                for (verdict, reason), rows in self._reasons.most_common(MOST_CAUSES)
            ),
            parity=tuple(_parity_of(step, checks) for step, checks in self._checks.items()),
        )


def _parity_of(step: str, checks: _Checks) -> ParityOfStep:
    bins: Counter[int] = Counter(
        math.floor(math.log10(difference) * BINS_A_DECADE)
        for difference in checks.differences
        if difference > 0
    )
    return ParityOfStep(
        step=step,
        statuses=dict(checks.statuses.most_common()),
        exact=sum(difference == 0 for difference in checks.differences),
        bins=tuple(sorted(bins.items())),
        tolerance=statistics.median(checks.tolerances) if checks.tolerances else None,
        worst=max(checks.differences, default=None),
    )


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) and value >= 0 else None
