"""Measuring: warm-up, exact counts, statistics and verdicts, against a clock that tests move."""

from __future__ import annotations

import ast
import bisect
import gc
import math
import random
import statistics
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, cycle, repeat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnkeyml import measure as module
from turnkeyml.measure import (
    CALLS_AFTER_LOOKING,
    MIN_SAMPLES,
    WARM_UP_MAX_CALLS,
    WARM_UP_MIN_CALLS,
    Samples,
    Schedule,
    autocorrelation,
    count_outliers,
    judge,
    measure,
    median_interval,
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
    samples = measure(call, Schedule(iterations), clock=call.clock)
    assert len(samples.timed_ns) == iterations
    assert call.calls == 1 + len(samples.warm_up_ns) + iterations


def test_first_warm_up_and_timed_calls_are_kept_apart_and_in_order() -> None:
    call = Call(chain([70 * MS], repeat(5 * MS, 13), [6 * MS, 7 * MS, 8 * MS]))
    samples = measure(call, Schedule(3), clock=call.clock)
    assert samples.first_ns == 70 * MS
    assert samples.warm_up_ns == (5 * MS,) * 13
    assert samples.timed_ns == (6 * MS, 7 * MS, 8 * MS)


def test_warm_up_ends_when_the_calls_stop_getting_faster() -> None:
    call = Call(chain([MS], range(600 * US, 100 * US, -10 * US), repeat(100 * US)))
    samples = measure(call, Schedule(5), clock=call.clock)
    assert samples.steady
    assert 30 < len(samples.warm_up_ns) < 70
    assert max(samples.timed_ns) < 150 * US


def test_warm_up_ends_after_some_calls_even_if_they_keep_getting_faster() -> None:
    call = Call([int(S * 0.99**n / 1000) for n in range(1000)])
    samples = measure(call, Schedule(1), clock=call.clock)
    assert not samples.steady
    assert len(samples.warm_up_ns) == WARM_UP_MAX_CALLS + CALLS_AFTER_LOOKING


def test_warm_up_of_slow_calls_ends_after_a_second_and_at_least_two_calls() -> None:
    call = Call(repeat(30 * S))
    samples = measure(call, Schedule(2), clock=call.clock)
    assert len(samples.warm_up_ns) == WARM_UP_MIN_CALLS == 2
    call = Call(repeat(S // 4))
    assert len(measure(call, Schedule(2), clock=call.clock).warm_up_ns) == 4


@pytest.mark.parametrize("seconds", [0.4, 0.6, 30])
def test_slow_calls_are_steady_as_far_as_a_short_warm_up_can_tell(seconds: float) -> None:
    call = Call(repeat(int(seconds * S)))
    assert measure(call, Schedule(2), clock=call.clock).steady
    faster = Call(int(seconds * S * 0.8**n) for n in range(100))
    assert measure(faster, Schedule(2), clock=faster.clock).steady is False


@settings(max_examples=15)
@given(st.lists(st.integers(min_value=0, max_value=10**11), min_size=1, max_size=50))
def test_warm_up_is_bounded_whatever_the_calls_take(durations: list[int]) -> None:
    call = Call(cycle(durations))
    samples = measure(call, Schedule(3), clock=call.clock)
    most = WARM_UP_MAX_CALLS + CALLS_AFTER_LOOKING
    assert WARM_UP_MIN_CALLS <= len(samples.warm_up_ns) <= most
    assert len(samples.timed_ns) == 3


def test_only_the_calls_are_timed() -> None:
    call = Call(repeat(MS), cost_of_reading_ns=10)
    samples = measure(call, Schedule(5), clock=call.clock)
    assert set(samples.timed_ns) == {MS + 10}


@pytest.mark.parametrize("before", [True, False])
def test_garbage_collection_rests_while_calls_are_timed_and_is_restored(before: bool) -> None:
    enabled = gc.isenabled()
    try:
        (gc.enable if before else gc.disable)()
        call = Call(repeat(MS))
        measure(call, Schedule(4), clock=call.clock)
        assert call.collecting[-4:] == [False] * 4
        assert gc.isenabled() is before
    finally:
        (gc.enable if enabled else gc.disable)()


def test_garbage_collection_is_restored_after_a_failure() -> None:
    assert gc.isenabled()
    call = Call(repeat(MS, 13))
    with pytest.raises(StopIteration):
        measure(call, Schedule(100), clock=call.clock)
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
    samples = Samples(MS, (), (MS,) * 98 + (5 * MS,) * 2, True)
    assert judge(samples, clock_step_ns=1)[0] == "valid"


def test_outliers_that_make_the_mean_what_it_is_spoil_the_verdict() -> None:
    samples = Samples(MS, (), (MS,) * 99 + (31 * MS,), True)
    assert judge(samples, clock_step_ns=1) == (
        "noisy",
        ("a few slow samples put the mean 30% above the median",),
    )


def test_the_verdict_and_its_reasons_are_in_the_summary() -> None:
    found = summarize(steady(3), clock_step_ns=1)
    assert found["verdict"] == "noisy"
    assert found["verdict_reasons"] == ["only 3 iterations, at least 10 are needed"]


@pytest.mark.parametrize("arguments", [(), (1,), (1, 2), (1, 2, 3)])
def test_a_call_with_its_arguments_is_timed_like_any_other(arguments: tuple[int, ...]) -> None:
    call = Call(repeat(MS))
    seen: list[tuple[int, ...]] = []

    def function(*given: int) -> None:
        seen.append(given)
        call()

    assert module.time_calls(partial(function, *arguments), 3, call.clock) == [MS] * 3
    assert seen == [arguments] * 3


def test_arguments_by_name_are_handed_over_too() -> None:
    call = Call(repeat(MS))
    seen: list[dict[str, int]] = []

    def function(a: int, b: int, **rest: int) -> None:
        seen.append(rest)
        call()

    assert module.time_calls(partial(function, 1, 2, c=3), 1, call.clock) == [MS]
    assert seen == [{"c": 3}]


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


def test_timing_goes_on_until_it_took_long_enough() -> None:
    call = Call(repeat(1 * MS))
    samples = measure(call, Schedule(5, min_duration_s=0.1), clock=call.clock)
    assert 100 <= len(samples.timed_ns) <= 110


def test_timing_goes_on_until_the_median_is_known_well_enough() -> None:
    values = random.Random(7)
    call = Call(int(values.gauss(1 * MS, 0.1 * MS)) for _ in cycle([0]))
    samples = measure(call, Schedule(20, until_ci=0.01), clock=call.clock)
    low, high = median_interval(sorted(samples.timed_ns))
    assert (high - low) / 2 <= 0.01 * statistics.median(samples.timed_ns)
    assert 100 < len(samples.timed_ns) < 3000


def test_an_interval_that_never_narrows_ends_after_the_longest_time() -> None:
    call = Call(cycle([1 * S, 10 * S]))
    samples = measure(call, Schedule(10, until_ci=0.001), clock=call.clock)
    assert sum(samples.timed_ns) < 2 * module.MAX_SECONDS * S


@pytest.mark.parametrize("asked", [0, 1, 7])
def test_a_fixed_warm_up_is_kept_to(asked: int) -> None:
    call = Call(repeat(1 * MS))
    samples = measure(call, Schedule(3, warm_up=asked), clock=call.clock)
    assert (len(samples.warm_up_ns), samples.steady) == (asked, None)


class Watched:
    """Stands for the machine: when it was looked at, on the clock of a call."""

    def __init__(self, call: Call, **disturbance: float) -> None:
        self.call = call
        self.disturbance = disturbance
        self.began = self.ended = -1

    def __call__(self):
        self.began = self.call.now

        def end() -> dict[str, float]:
            self.ended = self.call.now
            return self.disturbance

        return end


@pytest.mark.parametrize("duration", [3 * US, 250 * US, 30 * MS])
def test_the_machine_is_watched_for_long_enough_whatever_a_call_takes(duration: int) -> None:
    call = Call(repeat(duration))
    watched = Watched(call, waited_share=0.5)
    samples = measure(call, Schedule(100), clock=call.clock, watch=watched)
    assert watched.ended - watched.began >= module.WATCH_NS
    # What need not be is not called more often.
    most = max(module.WATCH_NS, (100 + CALLS_AFTER_LOOKING) * duration) + 5 * duration
    assert watched.ended - watched.began < most
    assert samples.disturbance == {"waited_share": 0.5}
    assert call.calls == 1 + len(samples.warm_up_ns) + samples.settling_calls + 100


class Machine:
    """A core on a simulated clock, which other programs may want too, a slice of time each in turn.

    Args:
        duration: What a call takes when it runs, in ns; it varies by one percent.
        rivals: How many programs want the same core.
        spikes: How likely a call meets an interruption of 30 us.
        seed: Of all that is random.
    """

    SLICE = 3 * MS

    def __init__(self, duration: int, rivals: int, spikes: float, seed: int) -> None:
        self._random = random.Random(seed)
        self._duration, self._rivals, self._spikes = duration, rivals, spikes
        self.now = self.ran = self.waited = 0
        self._left = self._random.randrange(1, self.SLICE)

    def call(self) -> None:
        work = int(self._duration * self._random.gauss(1, 0.01))
        if self._random.random() < self._spikes:
            work += 30 * US
        while work > 0:
            part = min(work, self._left)
            work -= part
            self._left -= part
            self.now += part
            self.ran += part
            if not self._left:
                self._left = self.SLICE
                self.now += self._rivals * self.SLICE
                self.waited += self._rivals * self.SLICE

    def watch(self):
        ran, waited = self.ran, self.waited

        def end() -> dict[str, float]:
            grown = self.waited - waited
            return {"waited_share": grown / (self.ran - ran + grown)}

        return end

    def verdict(self) -> str:
        samples = measure(self.call, Schedule(100), clock=lambda: self.now, watch=self.watch)
        return judge(samples, clock_step_ns=50)[0]


@pytest.mark.parametrize("duration", [13 * US, 250 * US, 5 * MS, 150 * MS])
def test_alone_nearly_every_run_is_valid(duration: int) -> None:
    found = [Machine(duration, 0, 0.003, seed).verdict() for seed in range(20)]
    assert found.count("valid") >= 19


@pytest.mark.parametrize("rivals", [1, 2])
@pytest.mark.parametrize("duration", [13 * US, 250 * US, 5 * MS, 150 * MS])
def test_with_others_on_its_core_every_run_is_noisy(duration: int, rivals: int) -> None:
    found = [Machine(duration, rivals, 0.003, seed).verdict() for seed in range(20)]
    assert found.count("noisy") == 20


def test_a_fixed_warm_up_is_kept_to_also_where_the_machine_is_watched() -> None:
    call = Call(repeat(US))
    samples = measure(
        call, Schedule(5, warm_up=4), clock=call.clock, watch=Watched(call), place=lambda: True
    )
    assert (call.calls, samples.settling_calls) == (1 + 4 + 5, 0)


def test_the_caller_is_placed_until_it_need_not_be_moved_and_before_the_watching() -> None:
    call = Call(repeat(US))
    watched = Watched(call)
    seen: list[tuple[int, int]] = []

    def place() -> bool:
        seen.append((call.now, watched.began))
        return len(seen) < 2

    measure(call, Schedule(5), clock=call.clock, watch=watched, place=place)
    assert len(seen) == 2
    assert [began for _, began in seen] == [-1, -1]
    assert seen[0][0] >= module.SETTLE_NS
    assert seen[1][0] - seen[0][0] >= module.SETTLE_NS


def test_a_caller_that_has_to_be_moved_for_ever_is_left_alone_in_the_end() -> None:
    call = Call(repeat(US))
    tries: list[int] = []
    measure(call, Schedule(5), clock=call.clock, place=lambda: not tries.append(1))
    assert len(tries) == module.MAX_MOVES


def test_a_clock_that_stands_still_ends_the_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_SETTLING_CALLS", 50)
    call = Call(repeat(0))
    samples = measure(call, Schedule(5), clock=call.clock, watch=Watched(call))
    assert samples.settling_calls == 50


def test_the_interval_of_the_median_is_that_of_drawn_resamples() -> None:
    draws = random.Random(3)
    for count in (10, 41, 100, 700):
        values = sorted(draws.lognormvariate(0, 1) for _ in range(count))
        medians = sorted(sorted(draws.choices(values, k=count))[count // 2] for _ in range(4000))
        low, high = median_interval(values)
        for found, drawn in ((low, percentile(medians, 0.025)), (high, percentile(medians, 0.975))):
            # Ranks, not values: the distribution is discrete.
            assert abs(bisect.bisect(values, found) - bisect.bisect(values, drawn)) <= max(
                2, count // 100
            )


def test_the_interval_of_the_median_holds_the_median_of_most_samples_drawn() -> None:
    draws = random.Random(11)
    held = 0
    for _ in range(400):
        values = sorted(draws.expovariate(1) for _ in range(50))
        low, high = median_interval(values)
        held += low <= math.log(2) <= high
    assert 0.91 <= held / 400 <= 0.99


def test_values_that_follow_each_other_are_correlated() -> None:
    draws = random.Random(5)
    independent = [draws.random() for _ in range(2000)]
    walk, position = [], 0.0
    for step in independent:
        position += step - 0.5
        walk.append(position)
    assert abs(autocorrelation(independent)) < 0.1
    assert autocorrelation(walk) > 0.9
    assert autocorrelation([1.0] * 50) is None
    assert autocorrelation([1.0, 2.0]) is None


def test_outliers_are_counted_by_their_distance_and_kept() -> None:
    middle = [100 + i % 10 for i in range(100)]
    values = sorted([*middle, 1, 90, 118, 5000, 6000])
    assert count_outliers(values) == {
        "low_severe": 1,
        "low_mild": 1,
        "high_mild": 1,
        "high_severe": 2,
    }
    samples = Samples(1, (1,), tuple(values), steady=True)
    assert summarize(samples, clock_step_ns=1)["max_latency_ms"] == 6000 / 1e6


@pytest.mark.parametrize(
    ("disturbance", "words"),
    [
        ({"waited_share": 0.2}, "waited for a core for 20% of their time"),
        ({"stolen_share": 0.1}, "the host took 10%"),
        ({"throttled_share": 0.5}, "quota stopped the process for 50%"),
        ({"thermal_events": 3}, "slowed down because of heat"),
    ],
)
def test_what_the_machine_did_is_a_reason_to_doubt(
    disturbance: dict[str, float], words: str
) -> None:
    samples = Samples(MS, (MS,), (MS,) * 50, True, disturbance)
    verdict, reasons = judge(samples, clock_step_ns=1)
    assert verdict == "noisy"
    assert any(words in reason for reason in reasons)


def test_a_quiet_machine_is_no_reason_to_doubt() -> None:
    quiet = {"waited_share": 0.001, "stolen_share": None, "throttled_share": 0, "thermal_events": 0}
    assert judge(Samples(MS, (MS,), (MS,) * 50, True, quiet), clock_step_ns=1) == ("valid", ())


def test_a_warm_up_that_had_to_end_is_a_reason_to_doubt() -> None:
    samples = Samples(MS, (MS,), (MS,) * 50, steady=False)
    assert judge(samples, clock_step_ns=1)[0] == "noisy"
