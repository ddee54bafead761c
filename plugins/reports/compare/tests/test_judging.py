"""The rules of judging that no statistics book has."""

from __future__ import annotations

import random

import pytest
from compare_support import noisy_run

from turnkeyml_plugin_compare.judging import Verdict, are_enough, holm, judge, values_of


def _runs(seed: int, latency_ns: float, count: int) -> list[list[int]]:
    rng = random.Random(seed)
    return [noisy_run(rng, latency_ns, noise=0.2) for _ in range(count)]


def test_holm_keeps_the_order_and_multiplies_by_what_is_left() -> None:
    assert holm([0.04, 0.001, 0.03]) == pytest.approx([0.06, 0.003, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_one_run_that_is_no_slower_keeps_all_others_from_being_called_slower() -> None:
    before = values_of(_runs(1, 1e6, 3))
    all_slower = values_of(_runs(2, 1.2e6, 3))
    one_not = values_of([*_runs(2, 1.2e6, 2), *_runs(3, 1e6, 1)])
    assert judge([(before, all_slower)], 0.05)[0].verdict is Verdict.SLOWER
    found = judge([(before, one_not)], 0.05)[0]
    assert found.verdict is Verdict.CANNOT_TELL
    assert found.shift.low < 0.05 < found.shift.high


def test_many_runs_are_what_is_ranked() -> None:
    found = judge([(values_of(_runs(1, 1e6, 8)), values_of(_runs(2, 1.1e6, 8)))], 0.05)[0]
    assert (found.unit, found.counts, found.verdict) == ("runs", (8, 8), Verdict.SLOWER)
    assert found.shift.low < 0.1 < found.shift.high


def test_very_many_runs_are_taken_together_in_blocks() -> None:
    found = values_of(_runs(1, 1e6, 90))
    assert len(found.runs) <= 40


def test_a_difference_within_the_threshold_is_the_same_and_beyond_another_is_slower() -> None:
    pair = (values_of(_runs(1, 1e6, 1)), values_of(_runs(2, 1.04e6, 1)))
    assert judge([pair], 0.10)[0].verdict is Verdict.SAME
    assert judge([pair], 0.01)[0].verdict is Verdict.SLOWER


def test_the_threshold_is_the_same_factor_both_ways() -> None:
    first, second = values_of(_runs(1, 1e6, 5)), values_of(_runs(2, 1.06e6, 5))
    there = judge([(first, second)], 0.05)[0]
    back = judge([(second, first)], 0.05)[0]
    assert there.p == pytest.approx(back.p)
    assert (1 + there.shift.estimate) * (1 + back.shift.estimate) == pytest.approx(1)


def test_few_samples_are_not_enough() -> None:
    many = values_of(_runs(1, 1e6, 1))
    assert are_enough(many, many)
    assert not are_enough(values_of([[10, 11, 12, 13]]), many)
    assert not are_enough(values_of([[10]]), many)


def test_the_more_results_the_more_is_asked_of_each() -> None:
    samples = [1000, 1010, 990, 1005, 995, 1003, 1012, 998, 1001, 1007, 993, 1004]
    pair = (values_of([samples]), values_of([[round(1.2 * ns) for ns in samples]]))
    assert judge([pair], 0.05)[0].verdict is Verdict.SLOWER
    assert judge([pair] * 1 + [(pair[0], pair[0])] * 400, 0.05)[0].verdict is Verdict.CANNOT_TELL
