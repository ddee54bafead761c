"""The rank test of Mann and Whitney, and the shift of Hodges and Lehmann with its interval."""

from __future__ import annotations

import bisect
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate


@dataclass(frozen=True)
class Shift:
    """How far one sample lies above another.

    Args:
        estimate: The median of all differences between a value of each.
        low: Where the interval begins.
        high: Where it ends.
    """

    estimate: float
    low: float
    high: float


def p_greater(before: Sequence[float], after: Sequence[float]) -> float:
    """Give the probability that chance alone lets ``after`` lie so far above ``before``.

    It is exact without ties. Ties count as defeats, which makes it too large rather than too small.

    Args:
        before: Independent values, at least one.
        after: Likewise.
    """
    ordered = sorted(before)
    wins = sum(bisect.bisect_left(ordered, value) for value in after)
    return _share_at_least(wins, len(before), len(after))


def smallest_p(before: int, after: int) -> float:
    """Give the least that `p_greater` can be with so many values."""
    return 1 / math.comb(before + after, after)


def shift_between(before: Sequence[float], after: Sequence[float], confidence: float) -> Shift:
    """Say how far ``after`` lies above ``before``.

    Args:
        before: Independent values, at least one.
        after: Likewise.
        confidence: Of the interval. Where there are too few values for it, the interval has all
            differences in it.
    """
    differences = sorted(b - a for a in before for b in after)
    count = len(differences)
    # Leaving out as many differences at each end as the test would call chance.
    out, tail = 0, (1 - confidence) / 2
    sums = _sums(*sorted((len(before), len(after))))
    while 2 * (out + 1) < count and sums[out] <= tail * sums[-1]:
        out += 1
    out = max(out - 1, 0)
    return Shift(statistics.median(differences), differences[out], differences[count - 1 - out])


def _share_at_least(wins: int, before: int, after: int) -> float:
    # The distribution is symmetric: so many wins are as likely as so many defeats.
    sums = _sums(*sorted((before, after)))
    return sums[before * after - wins] / sums[-1]


@lru_cache(maxsize=256)
def _sums(few: int, many: int) -> tuple[int, ...]:
    """Count the orders of two samples in which one wins at most 0, 1, 2, ... times.

    The counts are the coefficients of the Gaussian binomial, the product of
    ``(1 - q**(many + i)) / (1 - q**i)`` over i from 1 to ``few``.
    """
    counts = [0] * (few * many + 1)
    counts[0] = 1
    for i in range(1, few + 1):
        for k in range(len(counts) - 1, many + i - 1, -1):
            counts[k] -= counts[k - many - i]
        for k in range(i, len(counts)):
            counts[k] += counts[k - i]
    return tuple(accumulate(counts))
