"""Values that are independent of each other, from the samples of a run, which are not."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence

MOST_BLOCKS = 40
"""Of a run or of all runs of a result; more would tell nothing that these do not."""

_TIMES_CORRELATION = 2.0
_NOTHING = 1e-6
_ENOUGH = 2000
"""So many values say how far samples depend on each other."""


def block_medians(samples: Sequence[float], most: int = MOST_BLOCKS) -> list[float]:
    """Give the logarithms of the medians of blocks that are long enough to be independent.

    Each latency is like the ones before it: what slows one slows the next, and the machine drifts.
    A rank test that takes them for independent finds differences where there are none.

    Args:
        samples: Latencies in the order of measuring, above 0, in any unit.
        most: How many blocks there may be.
    """
    logs = [math.log(value) for value in samples]
    length = math.ceil(_TIMES_CORRELATION * correlation_length(logs))
    length = max(length, math.ceil(len(logs) / most))
    count = len(logs) // length
    # What is left over is at the beginning, where warming up may still show.
    start = len(logs) - count * length
    return [
        statistics.median(logs[at : at + length])
        for at in range(start, start + count * length, length)
    ]


def correlation_length(values: Sequence[float]) -> float:
    """Give of how many values one is independent of the next such many: 1 if all are.

    It is the integrated autocorrelation time of the ranks, so that rare slow samples do not hide
    what the others do, with the truncation of Geyer (the initial positive sequence). A steady drift
    is left out: it says how far the parts of a run lie apart, which `judging` looks at by itself.

    Args:
        values: In the order of measuring.
    """
    step = math.ceil(len(values) / _ENOUGH)
    thinned = [
        statistics.median(values[at : at + step]) for at in range(0, len(values), max(step, 1))
    ]
    away = _without_trend(_centred_ranks(thinned))
    power = sum(x * x for x in away)
    if power < _NOTHING:
        return 1.0
    total = 0.0
    for pair in _pairs(away, power):
        if pair <= 0:
            break
        total += pair
    return max(1.0, 2 * total - 1) * step


def _pairs(away: Sequence[float], power: float) -> Iterator[float]:
    """Give the sums of two autocorrelations each, from the lags 0 and 1 on."""
    for lag in range(0, len(away) - 1, 2):
        yield sum(
            sum(a * b for a, b in zip(away, away[later:], strict=False)) / power
            for later in (lag, lag + 1)
        )


def _without_trend(values: Sequence[float]) -> list[float]:
    """Take a straight line off values whose mean is 0."""
    middle = (len(values) - 1) / 2
    power = sum((n - middle) ** 2 for n in range(len(values)))
    slope = sum((n - middle) * value for n, value in enumerate(values)) / power if power else 0.0
    return [value - slope * (n - middle) for n, value in enumerate(values)]


def _centred_ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for rank, value in enumerate(ordered):
        first.setdefault(value, rank)
        last[value] = rank
    middle = (len(values) - 1) / 2
    return [(first[value] + last[value]) / 2 - middle for value in values]
