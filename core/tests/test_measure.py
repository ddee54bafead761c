"""Measuring: warm-up, exact counts, statistics and verdicts, against a clock that tests move."""

from __future__ import annotations

import ast
import gc
import statistics
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, cycle, repeat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnkeyml import measure as module
from turnkeyml.measure import (
    MIN_SAMPLES,
    WARM_UP_MAX_CALLS,
    WARM_UP_MIN_CALLS,
    Samples,
    clock_step_ns,
    judge,
    measure,
    percentile,
    summarize,
)

US = 1_000
MS = 1_000_000
S = 1_000_000_000


class Call:
    """An inference that takes as long as it is told, on a clock of its own."""

    def __init__(self, durations_ns: Iterable[int], cost_of_reading_ns: int = 0) -> None:
        self._durations: Iterator[int] = iter(durations_ns)
        self._cost = cost_of_reading_ns
        self.now = 0
        self.calls = 0
        self.collecting: list[bool] = []

    def __call__(self) -> None:
        self.now += next(self._durations)
        self.calls += 1
        self.collecting.append(gc.isenabled())

    def clock(self) -> int:
        self.now += self._cost
        return self.now


def steady(count: int, duration: int = MS) -> Samples:
    return Samples(duration, (duration,) * 10, (duration,) * count, True)


@pytest.mark.parametrize("iterations", [1, 2, 10, 137])
def test_exactly_as_many_calls_are_timed_as_were_asked_for(iterations: int) -> None:
    call = Call(repeat(MS))
    samples = measure(call, iterations, clock=call.clock)
    assert len(samples.timed_ns) == iterations
    assert call.calls == 1 + len(samples.warm_up_ns) + iterations


def test_first_warm_up_and_timed_calls_are_kept_apart_and_in_order() -> None:
    call = Call(chain([70 * MS], repeat(5 * MS, 10), [6 * MS, 7 * MS, 8 * MS]))
    samples = measure(call, 3, clock=call.clock)
    assert samples.first_ns == 70 * MS
    assert samples.warm_up_ns == (5 * MS,) * 10
    assert samples.timed_ns == (6 * MS, 7 * MS, 8 * MS)


def test_warm_up_ends_when_the_calls_stop_getting_faster() -> None:
    call = Call(chain([MS], range(600 * US, 100 * US, -10 * US), repeat(100 * US)))
    samples = measure(call, 5, clock=call.clock)
    assert samples.steady
    assert 30 < len(samples.warm_up_ns) < 70
    assert max(samples.timed_ns) < 150 * US


def test_warm_up_ends_after_some_calls_even_if_they_keep_getting_faster() -> None:
    call = Call([int(S * 0.99**n / 1000) for n in range(1000)])
    samples = measure(call, 1, clock=call.clock)
    assert not samples.steady
    assert len(samples.warm_up_ns) == WARM_UP_MAX_CALLS


def test_warm_up_of_slow_calls_ends_after_a_second_and_at_least_two_calls() -> None:
    call = Call(repeat(30 * S))
    samples = measure(call, 2, clock=call.clock)
    assert len(samples.warm_up_ns) == WARM_UP_MIN_CALLS == 2
    call = Call(repeat(S // 4))
    assert len(measure(call, 2, clock=call.clock).warm_up_ns) == 4


@settings(max_examples=15)
@given(st.lists(st.integers(min_value=0, max_value=10**11), min_size=1, max_size=50))
def test_warm_up_is_bounded_whatever_the_calls_take(durations: list[int]) -> None:
    call = Call(cycle(durations))
    samples = measure(call, 3, clock=call.clock)
    assert WARM_UP_MIN_CALLS <= len(samples.warm_up_ns) <= WARM_UP_MAX_CALLS
    assert len(samples.timed_ns) == 3


def test_only_the_calls_are_timed() -> None:
    call = Call(repeat(MS), cost_of_reading_ns=10)
    samples = measure(call, 5, clock=call.clock)
    assert set(samples.timed_ns) == {MS + 10}


@pytest.mark.parametrize("before", [True, False])
def test_garbage_collection_rests_while_calls_are_timed_and_is_restored(before: bool) -> None:
    enabled = gc.isenabled()
    try:
        (gc.enable if before else gc.disable)()
        call = Call(repeat(MS))
        measure(call, 4, clock=call.clock)
        assert call.collecting[-4:] == [False] * 4
        assert gc.isenabled() is before
    finally:
        (gc.enable if enabled else gc.disable)()


def test_garbage_collection_is_restored_after_a_failure() -> None:
    assert gc.isenabled()
    call = Call(repeat(MS, 13))
    with pytest.raises(StopIteration):
        measure(call, 100, clock=call.clock)
    assert gc.isenabled()


def test_the_summary_derives_its_numbers_from_the_samples() -> None:
    timed = (2 * MS, 1 * MS, 4 * MS, 1 * MS)
    found = summarize(Samples(9 * MS, (3 * MS, 2 * MS), timed, True), clock_step_ns=1)
    assert found["iterations"] == 4
    assert found["mean_latency_ms"] == 2.0
    assert found["throughput_ips"] == 500.0
    assert found["median_latency_ms"] == 1.5
    assert (found["min_latency_ms"], found["max_latency_ms"]) == (1.0, 4.0)
    assert found["std_latency_ms"] == pytest.approx(statistics.stdev([2, 1, 4, 1]))
    assert found["first_inference_ms"] == 9.0
    assert found["warm_up_iterations"] == 2


def test_one_sample_has_no_spread() -> None:
    found = summarize(steady(1), clock_step_ns=1)
    assert found["std_latency_ms"] is None
    assert found["verdict"] == "noisy"


@pytest.mark.parametrize(
    ("count", "claimed"),
    [
        (1, {"p50"}),
        (63, {"p50"}),
        (64, {"p50", "p90"}),
        (127, {"p50", "p90"}),
        (128, {"p50", "p90", "p95"}),
        (639, {"p50", "p90", "p95"}),
        (640, {"p50", "p90", "p95", "p99"}),
        (6399, {"p50", "p90", "p95", "p99"}),
        (6400, {"p50", "p90", "p95", "p99", "p99_9"}),
    ],
)
def test_a_percentile_is_claimed_only_from_enough_samples(count: int, claimed: set[str]) -> None:
    found = summarize(steady(count), clock_step_ns=1)
    assert {k.removesuffix("_latency_ms") for k in found if k.startswith("p")} == claimed


@given(st.lists(st.integers(0, 10**12), min_size=1), st.floats(0, 1))
def test_a_percentile_lies_between_the_extremes_and_rises(values: list[int], share: float) -> None:
    ordered = sorted(values)
    found = percentile(ordered, share)
    assert ordered[0] <= found <= ordered[-1]
    assert percentile(ordered, 0) == ordered[0]
    assert percentile(ordered, 1) == ordered[-1]


def test_a_percentile_is_interpolated() -> None:
    assert percentile([10, 20], 0.5) == 15
    assert percentile([0, 10, 20, 30, 40], 0.9) == 36


def test_steady_samples_are_valid_and_need_no_reason() -> None:
    assert judge(steady(MIN_SAMPLES), clock_step_ns=50) == ("valid", ())


def test_too_few_samples_are_noisy() -> None:
    verdict, (reason,) = judge(steady(MIN_SAMPLES - 1), clock_step_ns=50)
    assert verdict == "noisy"
    assert reason == f"only {MIN_SAMPLES - 1} iterations, at least {MIN_SAMPLES} are needed"


def test_calls_shorter_than_the_clock_can_tell_are_invalid() -> None:
    verdict, (reason,) = judge(steady(100, 900), clock_step_ns=50)
    assert verdict == "invalid"
    assert "900 ns" in reason
    assert "50 ns" in reason
    assert judge(steady(100, 1100), clock_step_ns=50)[0] == "valid"


def test_widely_spread_samples_are_noisy() -> None:
    samples = Samples(MS, (), (MS, 2 * MS) * 50, True)
    verdict, reasons = judge(samples, clock_step_ns=1)
    assert verdict == "noisy"
    assert any("spreads over" in reason for reason in reasons)


@pytest.mark.parametrize(("later", "way"), [(108, "slower"), (93, "faster")])
def test_samples_that_drift_are_noisy(later: int, way: str) -> None:
    samples = Samples(MS, (), (100 * US,) * 50 + (later * US,) * 50, True)
    verdict, reasons = judge(samples, clock_step_ns=1)
    assert verdict == "noisy"
    assert any(f"{way} than the first" in reason for reason in reasons)


def test_a_few_outliers_do_not_spoil_the_verdict() -> None:
    samples = Samples(MS, (), (MS,) * 98 + (40 * MS,) * 2, True)
    assert judge(samples, clock_step_ns=1)[0] == "valid"


def test_the_verdict_and_its_reasons_are_in_the_summary() -> None:
    found = summarize(steady(3), clock_step_ns=1)
    assert found["verdict"] == "noisy"
    assert found["verdict_reasons"] == ["only 3 iterations, at least 10 are needed"]


def test_the_smallest_step_of_a_clock_is_found() -> None:
    readings = iter([0, 0, 30, 30, 70, 70, 70, 80, 80, 130])
    assert clock_step_ns(lambda: next(readings), tries=3) == 10


def test_the_real_clock_has_a_step() -> None:
    assert 0 < clock_step_ns(tries=5) < S


def test_the_module_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(str(node.module).partition(".")[0])
    assert names <= set(sys.stdlib_module_names)
