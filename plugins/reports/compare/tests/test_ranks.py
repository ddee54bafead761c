"""The rank test and the shift, against SciPy and against counting all cases."""

from __future__ import annotations

import math
import random
import statistics
from itertools import combinations

import pytest
from scipy import stats

from turnkeyml_plugin_compare.ranks import p_greater, shift_between, smallest_p


@pytest.mark.parametrize("sizes", [(1, 1), (1, 7), (3, 3), (5, 4), (12, 9), (40, 40)])
def test_the_p_value_is_that_of_scipy(sizes: tuple[int, int]) -> None:
    rng = random.Random(sum(sizes))
    for up in (0.0, 0.5, 3.0):
        before = [rng.gauss(0, 1) for _ in range(sizes[0])]
        after = [rng.gauss(up, 1) for _ in range(sizes[1])]
        theirs = stats.mannwhitneyu(after, before, alternative="greater", method="exact")
        assert p_greater(before, after) == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.parametrize("level", [0.02, 0.05, 0.1, 0.5])
def test_ties_never_give_more_false_alarms(level: float) -> None:
    pool = [0, 1, 1, 1, 2, 2, 3, 3]
    alarms = []
    for chosen in combinations(range(len(pool)), 4):
        after = [pool[n] for n in chosen]
        before = [pool[n] for n in range(len(pool)) if n not in chosen]
        alarms.append(p_greater(before, after) <= level)
    assert sum(alarms) / len(alarms) <= level


def test_values_that_are_all_alike_show_nothing() -> None:
    assert p_greater([1.0] * 9, [1.0] * 9) == 1.0


def test_nothing_is_smaller_than_the_smallest_p_value() -> None:
    assert p_greater([1, 2, 3], [4, 5, 6]) == pytest.approx(smallest_p(3, 3)) == 1 / 20


def test_the_shift_is_the_median_of_all_differences() -> None:
    before, after = [1.0, 2.0, 4.0], [3.0, 9.0, 7.0, 5.0]
    expected = statistics.median(b - a for a in before for b in after)
    assert shift_between(before, after, 0.95).estimate == expected


def test_the_interval_has_the_shift_in_it_as_often_as_it_says() -> None:
    rng = random.Random(2)
    inside = 0
    for _ in range(400):
        before = [rng.gauss(0, 1) for _ in range(12)]
        after = [rng.gauss(0.7, 1) for _ in range(12)]
        found = shift_between(before, after, 0.95)
        inside += found.low <= 0.7 <= found.high
    assert 0.93 <= inside / 400 <= 0.98


def test_the_interval_is_what_the_test_does_not_refuse() -> None:
    rng = random.Random(3)
    before = [rng.gauss(0, 1) for _ in range(9)]
    after = [rng.gauss(1, 1) for _ in range(8)]
    found = shift_between(before, after, 0.95)
    tiny = 1e-9
    outside = p_greater([value + found.low - tiny for value in before], after)
    inside = p_greater([value + found.low + tiny for value in before], after)
    assert outside <= 0.025 < inside


def test_too_few_values_give_an_interval_with_all_differences() -> None:
    found = shift_between([0.0, 1.0], [5.0, 7.0], 0.95)
    assert (found.low, found.high) == (4.0, 7.0)


def test_swapping_the_sides_mirrors_the_shift() -> None:
    before, after = [1.0, 5.0, 2.5, 3.1], [4.0, 6.0, 2.0, 9.0, 8.0]
    there, back = shift_between(before, after, 0.9), shift_between(after, before, 0.9)
    assert (there.low, there.high) == (-back.high, -back.low)
    assert math.isclose(there.estimate, -back.estimate)
