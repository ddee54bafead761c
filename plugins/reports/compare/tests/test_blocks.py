"""Blocks of samples that depend on each other."""

from __future__ import annotations

import math
import random

import pytest

from turnkeyml_plugin_compare.blocks import MOST_BLOCKS, block_medians, correlation_length


def _chained(near: float, count: int) -> list[float]:
    rng, away, found = random.Random(4), 0.0, []
    for _ in range(count):
        away = near * away + rng.gauss(0, math.sqrt(1 - near * near))
        found.append(away)
    return found


@pytest.mark.parametrize(("near", "expected"), [(0.0, 1.0), (0.5, 3.0), (0.8, 9.0)])
def test_the_correlation_length_is_that_of_the_process(near: float, expected: float) -> None:
    # (1 + near) / (1 - near) for samples of which each is `near` times the last, and chance.
    assert correlation_length(_chained(near, 2000)) == pytest.approx(expected, rel=0.4)


def test_rare_slow_samples_do_not_hide_how_the_others_depend_on_each_other() -> None:
    values = _chained(0.8, 2000)
    values[::97] = [1e6] * len(values[::97])
    assert correlation_length(values) > 4


def test_many_samples_are_thinned_and_not_taken_for_independent() -> None:
    assert correlation_length(_chained(0.95, 20_000)) == pytest.approx(39, rel=0.5)


def test_samples_that_are_all_alike_do_not_depend_on_each_other() -> None:
    assert correlation_length([5.0] * 50) == 1.0
    assert block_medians([5.0] * 50) == [math.log(5.0)] * 25


def test_independent_samples_give_as_many_blocks_as_there_may_be() -> None:
    rng = random.Random(5)
    samples = [rng.uniform(1, 2) for _ in range(4000)]
    assert MOST_BLOCKS * 0.9 <= len(block_medians(samples)) <= MOST_BLOCKS
    assert len(block_medians(samples, most=8)) == 8


def test_a_wandering_run_leaves_few_blocks() -> None:
    assert len(block_medians([math.exp(away) for away in _chained(0.97, 100)])) < 5


def test_a_steady_drift_leaves_the_blocks() -> None:
    rng = random.Random(6)
    assert len(block_medians([1 + n / 1000 + rng.gauss(0, 0.01) for n in range(100)])) >= 12


def test_what_is_left_over_is_at_the_beginning() -> None:
    assert block_medians([9.0] + [1.0] * 6, most=3)[0] == 0.0
