"""Judge pairs of results: faster, slower, same, or cannot tell."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from turnkeyml_plugin_compare.blocks import MOST_BLOCKS, block_medians
from turnkeyml_plugin_compare.ranks import Shift, p_greater, shift_between, smallest_p

ALARM_RATE = 0.01
"""The chance that any result of a comparison is called slower or faster and is neither."""
CONFIDENCE = 0.95
FEWEST_BLOCKS = 5
"""On each side: five against five can differ with a chance of 1 in 126."""

_SPARE = 0.1
"""Runs are ranked themselves if not all of them have to lie apart for an answer."""

_UNSEEN = 0.01
"""By how much more a run has to differ from another if there is one on each side.

Nothing shows then how far runs of the same lie apart: measured were 0.6 % to 1.6 %, as the standard
deviation of the medians of valid runs.
"""

_FEWEST_PER_RUN = 2


class Verdict(Enum):
    """What became of one result."""

    FAILED = "failed"
    SLOWER = "slower"
    MISSING = "missing"
    CANNOT_TELL = "cannot tell"
    FASTER = "faster"
    FIXED = "fixed"
    NEW = "new"
    SAME = "same"
    STILL_FAILED = "still failed"


@dataclass(frozen=True)
class Values:
    """What the samples of a result come down to; logarithms of latencies.

    Args:
        blocks: Medians of blocks, independent within a run.
        runs: Medians of runs, independent of each other.
        parts: What has to lie apart as a whole: the runs, or the halves of a single one.
    """

    blocks: tuple[float, ...]
    runs: tuple[float, ...]
    parts: tuple[float, ...]


@dataclass(frozen=True)
class Judgement:
    """What two samplings say.

    Args:
        verdict: Slower, faster, same or cannot tell.
        shift: By how much the second is slower, as a share: 0.1 is 10 % slower. Its interval has a
            confidence of `CONFIDENCE`; it is that of this result alone.
        p: The chance to see this if the difference is within the threshold, all results of the
            comparison accounted for.
        unit: What was ranked: ``runs`` or ``blocks`` of samples.
        counts: How many of them there are on each side.
    """

    verdict: Verdict
    shift: Shift
    p: float
    unit: str
    counts: tuple[int, int]


def values_of(runs: Sequence[Sequence[float]]) -> Values:
    """Reduce samples to values that can be ranked.

    Args:
        runs: Latencies of each run in order; at least one run, none of them empty.
    """
    medians = [statistics.median(run) for run in runs]
    if len(runs) > MOST_BLOCKS:
        units = tuple(block_medians(medians))
        return Values(units, units, units)
    most = max(_FEWEST_PER_RUN, MOST_BLOCKS // len(runs))
    blocks = [value for run in runs for value in block_medians(run, most)]
    logs = tuple(map(math.log, medians))
    return Values(tuple(blocks), logs, logs if len(runs) > 1 else _halves(runs[0]))


def _halves(run: Sequence[float]) -> tuple[float, ...]:
    middle = len(run) // 2
    return tuple(math.log(statistics.median(half)) for half in (run[:middle], run[middle:]) if half)


def are_enough(before: Values, after: Values) -> bool:
    """Tell whether there are so many values that something can be said of them."""
    return min(len(before.blocks), len(after.blocks)) >= FEWEST_BLOCKS


def judge(pairs: Sequence[tuple[Values, Values]], margin: float) -> list[Judgement]:
    """Judge all pairs of a comparison.

    Args:
        pairs: Before and after; `are_enough` of each.
        margin: A share; what differs by less is the same. 0.05: up to 5 % slower, or the same
            factor faster.
    """
    far = math.log1p(margin)
    seen = [_Seen(before, after, far, len(pairs)) for before, after in pairs]
    corrected = holm([one.p for one in seen])
    return [one.judged(p, far) for one, p in zip(seen, corrected, strict=True)]


def holm(values: Sequence[float]) -> list[float]:
    """Correct the p-values of several tests, so that all of them together are at one level.

    Holm's way keeps the chance of *any* false alarm, whatever the tests have to do with each other.
    """
    corrected = [1.0] * len(values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = largest
    return corrected


class _Seen:
    """What a pair shows by itself, before the others are accounted for."""

    def __init__(self, before: Values, after: Values, far: float, tests: int) -> None:
        first, second = before.runs, after.runs
        enough_runs = 2 * smallest_p(len(first), len(second)) * tests <= ALARM_RATE * _SPARE
        self._unit = "runs" if enough_runs else "blocks"
        if not enough_runs:
            first, second = before.blocks, after.blocks
        self._counts = (len(first), len(second))
        slower = p_greater([value + far for value in first], second)
        faster = p_greater([value + far for value in second], first)
        self._is_slower = slower < faster
        self.p = min(1.0, 2 * min(slower, faster))
        self._shift = shift_between(first, second, CONFIDENCE)
        if not enough_runs:
            self._heed_parts(before, after, far)

    def _heed_parts(self, before: Values, after: Values, far: float) -> None:
        """Let the parts say the same: blocks do not show how far runs lie apart, or drift."""
        first, second = before.parts, after.parts
        lower, upper = (first, second) if self._is_slower else (second, first)
        single = len(before.runs) == len(after.runs) == 1
        far += _UNSEEN if single else 0.0
        # Where there are too few for it, all of one side have to lie above all of the other.
        allowed = max(ALARM_RATE, smallest_p(len(first), len(second)))
        if p_greater([value + far for value in lower], upper) > allowed:
            self.p = 1.0
        if not single:
            shift, runs = self._shift, shift_between(first, second, CONFIDENCE)
            self._shift = Shift(
                shift.estimate, min(shift.low, runs.low), max(shift.high, runs.high)
            )

    def judged(self, p: float, far: float) -> Judgement:
        if p <= ALARM_RATE:
            verdict = Verdict.SLOWER if self._is_slower else Verdict.FASTER
        elif -far <= self._shift.low and self._shift.high <= far:
            verdict = Verdict.SAME
        else:
            verdict = Verdict.CANNOT_TELL
        shift = self._shift
        shares = Shift(*(math.expm1(x) for x in (shift.estimate, shift.low, shift.high)))
        return Judgement(verdict, shares, p, self._unit, self._counts)
