"""Measure a call: warm-up, timed iterations, statistics, verdict.

Standard library only, and nothing of turnkey: worker processes load this file by its path, in
environments where turnkey is not installed.
"""

from __future__ import annotations

import gc
import itertools
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

WARM_UP_MIN_CALLS = 2
WARM_UP_MAX_CALLS = 200
WARM_UP_MAX_NS = 1_000_000_000
_WINDOW = 5
_STEADY, _STEADY_OF_FEW = 0.97, 0.90

SETTLE_NS = 30_000_000
"""How long a process's threads get to find their cores, before one is moved."""
MAX_MOVES = 3
WATCH_NS = 200_000_000
"""For how long the machine is watched at least: what it counts moves in steps of several ms."""
_MAX_SETTLING_CALLS = 1_000_000

CALLS_AFTER_LOOKING = 3
SLOW_CALL_NS = 20_000_000
"""From here on what is in the processor's caches does not matter."""

MIN_SAMPLES = 10
MAX_RELATIVE_IQR = 0.10
MAX_DRIFT = 0.05
MAX_MEAN_EXCESS = 0.10
MIN_TICKS = 20
MAX_WAITED_SHARE = 0.03
MAX_STOLEN_SHARE = 0.02
MAX_THROTTLED_SHARE = 0.01
MAX_SECONDS = 300.0
"""Where ``until_ci`` gives up."""

CONFIDENCE = 0.95
_EXACT_UP_TO = 500
_FENCES = {"mild": 1.5, "severe": 3.0}
"""Tukey's: this many interquartile ranges outside the middle half is an outlier."""

PERCENTILES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99, "p99_9": 0.999}
_SAMPLES_PER_TAIL = 6.4
"""A percentile is claimed from this many samples in its tail: p90 from 64, p99 from 640."""


@dataclass(frozen=True)
class Schedule:
    """How often a call is timed.

    Args:
        iterations: Timed calls; exactly these unless one of the next two asks for more.
        min_duration_s: Go on until the timed calls took so long.
        until_ci: Go on until the confidence interval of the median is at most this share of the
            median to either side, such as 0.01; at most `MAX_SECONDS`.
        warm_up: Calls between the first and the timed ones; None: until they are steady.
    """

    iterations: int
    min_duration_s: float = 0.0
    until_ci: float | None = None
    warm_up: int | None = None


@dataclass(frozen=True)
class Samples:
    """What was timed, in nanoseconds and in order.

    Args:
        first_ns: The first call after loading.
        warm_up_ns: The calls before the timed ones, the first left out.
        timed_ns: The timed iterations.
        steady: Whether the warm-up saw the calls stop getting faster; None if it was not asked to.
        disturbance: What the machine did meanwhile, as `turnkeyml.conditions` names it.
        settling_calls: Calls after the warm-up that nobody timed, so that the machine is watched
            for long enough.
    """

    first_ns: int
    warm_up_ns: tuple[int, ...]
    timed_ns: tuple[int, ...]
    steady: bool | None
    disturbance: Mapping[str, float | None] = field(default_factory=dict)
    settling_calls: int = 0


def measure(
    call: Callable[[], Any],
    schedule: Schedule,
    *,
    clock: Callable[[], int] = time.perf_counter_ns,
    watch: Callable[[], Callable[[], Mapping[str, float | None]]] | None = None,
    place: Callable[[], bool] | None = None,
) -> Samples:
    """Time a call.

    Args:
        call: One inference; its result is dropped.
        schedule: How often.
        clock: Gives nanoseconds.
        watch: Called before the timed calls; what it gives is called after them, and says what the
            machine did meanwhile.
        place: Puts the calling thread onto a core of its own; tells whether it had to be moved.
    """
    start = clock()
    call()
    first = clock() - start
    steady: bool | None = None
    warm_up: list[int]
    # The last ones follow after looking at the machine, which pushes the model out of the caches.
    if schedule.warm_up is None:
        warm_up, steady = _warm_up(call, clock)
        last = CALLS_AFTER_LOOKING if warm_up[-1] < SLOW_CALL_NS else 0
        settle_ns, watch_ns = SETTLE_NS, WATCH_NS - schedule.iterations * warm_up[-1]
    else:
        last = min(CALLS_AFTER_LOOKING, schedule.warm_up)
        warm_up = time_calls(call, schedule.warm_up - last, clock)
        settle_ns = watch_ns = 0
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    settling = 0
    try:
        if place is not None:
            settling += _find_core(call, place, settle_ns, clock)
        watched = watch() if watch is not None else None
        if watched is not None:
            settling += _settle(call, watch_ns, clock)
        warm_up += time_calls(call, last, clock)
        timed = time_calls(call, schedule.iterations, clock)
        _go_on(timed, call, schedule, clock)
        disturbance = watched() if watched is not None else {}
    finally:
        if collecting:
            gc.enable()
    return Samples(first, tuple(warm_up), tuple(timed), steady, disturbance, settling)


def _find_core(
    call: Callable[[], Any], place: Callable[[], bool], settle_ns: int, clock: Callable[[], int]
) -> int:
    """Place the caller until it stays where it is; give the number of calls in between."""
    count = _settle(call, settle_ns, clock)
    for _ in range(MAX_MOVES):
        if not place():
            break
        count += _settle(call, settle_ns, clock)
    return count


def _settle(call: Callable[[], Any], duration_ns: int, clock: Callable[[], int]) -> int:
    """Call for so long; give the number of calls."""
    end, count = clock() + duration_ns, 0
    while count < _MAX_SETTLING_CALLS and clock() < end:
        call()
        count += 1
    return count


def _go_on(
    timed: list[int], call: Callable[[], Any], schedule: Schedule, clock: Callable[[], int]
) -> None:
    """Time more calls, in blocks, until the schedule's conditions hold."""
    while True:
        spent = sum(timed) / 1e9
        if schedule.until_ci is not None and spent < MAX_SECONDS:
            enough = spent >= schedule.min_duration_s and _is_narrow(timed, schedule.until_ci)
        else:
            enough = spent >= schedule.min_duration_s
        if enough:
            return
        # A tenth more at a time: what is computed in between would otherwise take the time.
        timed += time_calls(call, max(10, len(timed) // 10), clock)


def _is_narrow(timed: Sequence[int], share: float) -> bool:
    if len(timed) < MIN_SAMPLES:
        return False
    ordered = sorted(timed)
    low, high = median_interval(ordered)
    return (high - low) / 2 <= share * statistics.median(ordered)


def time_calls(call: Callable[[], Any], count: int, clock: Callable[[], int]) -> list[int]:
    """Time each of ``count`` calls, and nothing but the calls."""
    samples = [0] * count
    if isinstance(call, partial) and len(call.args) == 2 and not call.keywords:
        # As somebody would write it: what a call goes through besides is 0.1 to 0.3 us of it.
        function, (first, second) = call.func, call.args
        for index in range(count):
            start = clock()
            function(first, second)
            samples[index] = clock() - start
        return samples
    for index in range(count):
        start = clock()
        call()
        samples[index] = clock() - start
    return samples


def _warm_up(call: Callable[[], Any], clock: Callable[[], int]) -> tuple[list[int], bool]:
    samples: list[int] = []
    spent = 0
    while len(samples) < WARM_UP_MAX_CALLS:
        took = time_calls(call, 1, clock)[0]
        samples.append(took)
        spent += took
        if len(samples) >= 2 * _WINDOW and _is_steady(samples, _WINDOW):
            return samples, True
        if spent >= WARM_UP_MAX_NS and len(samples) >= WARM_UP_MIN_CALLS:
            # Slow calls: what there is has to do.
            return samples, _is_steady(samples, min(_WINDOW, len(samples) // 2))
    return samples, False


def _is_steady(samples: Sequence[int], window: int) -> bool:
    """Tell whether the last calls are as slow as those before them; of few, nearly as slow."""
    now, before = samples[-window:], samples[-2 * window : -window]
    enough = _STEADY if window > 2 else _STEADY_OF_FEW
    return statistics.median(now) >= enough * statistics.median(before)


def summarize(samples: Samples, *, clock_step_ns: int) -> dict[str, Any]:
    """Derive the numbers that are shown and kept.

    Args:
        samples: As measured; at least one timed.
        clock_step_ns: The smallest step of the clock that was used.

    Returns:
        Latencies in ms, throughput in inferences per second, and the verdict with its reasons.
    """
    ordered = sorted(samples.timed_ns)
    count = len(ordered)
    mean = statistics.fmean(ordered)
    result: dict[str, Any] = {
        "iterations": count,
        "mean_latency_ms": mean / 1e6,
        "throughput_ips": 1e9 / mean,
        "median_latency_ms": statistics.median(ordered) / 1e6,
        "min_latency_ms": ordered[0] / 1e6,
        "max_latency_ms": ordered[-1] / 1e6,
        "std_latency_ms": statistics.stdev(ordered) / 1e6 if count > 1 else None,
        "first_inference_ms": samples.first_ns / 1e6,
        "warm_up_iterations": len(samples.warm_up_ns) + samples.settling_calls,
        "warm_up_steady": samples.steady,
        "autocorrelation": autocorrelation(samples.timed_ns),
        "outliers": count_outliers(ordered),
        "disturbance": dict(samples.disturbance),
    }
    if count >= MIN_SAMPLES:
        low, high = median_interval(ordered)
        result["median_ci95_ms"] = [low / 1e6, high / 1e6]
    for name, share in PERCENTILES.items():
        if share == 0.5 or count * (1 - share) >= _SAMPLES_PER_TAIL - 1e-9:
            result[f"{name}_latency_ms"] = percentile(ordered, share) / 1e6
    verdict, reasons = judge(samples, clock_step_ns=clock_step_ns)
    return {**result, "verdict": verdict, "verdict_reasons": list(reasons)}


def percentile(ordered: Sequence[float], share: float) -> float:
    """Give a percentile of sorted values, by linear interpolation."""
    position = share * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def median_interval(
    ordered: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Give the bootstrap confidence interval of the median.

    The distribution of the median of resamples is known exactly (a resample's median is at most the
    k-th value if at least half of its draws are), so none need be drawn. The values are sorted.
    """
    count = len(ordered)
    tail = (1 - confidence) / 2

    def quantile(share: float) -> float:
        low, high = 1, count
        while low < high:
            middle = (low + high) // 2
            if _median_at_most(middle, count) >= share:
                high = middle
            else:
                low = middle + 1
        return ordered[low - 1]

    return quantile(tail), quantile(1 - tail)


def _median_at_most(rank: int, count: int) -> float:
    """Give the probability that a resample's median is at most the value of this rank."""
    needed, share = count // 2 + 1, rank / count
    if share >= 1:
        return 1.0
    if count > _EXACT_UP_TO:
        spread = math.sqrt(count * share * (1 - share))
        return 1 - statistics.NormalDist().cdf((needed - 0.5 - count * share) / spread)
    return sum(
        math.comb(count, k) * share**k * (1 - share) ** (count - k)
        for k in range(needed, count + 1)
    )


def autocorrelation(values: Sequence[float]) -> float | None:
    """Give the correlation of each value with the one before; None where there is no spread."""
    if len(values) < MIN_SAMPLES:
        return None
    mean = statistics.fmean(values)
    away = [value - mean for value in values]
    power = sum(x * x for x in away)
    return sum(a * b for a, b in itertools.pairwise(away)) / power if power else None


def count_outliers(ordered: Sequence[float]) -> dict[str, int]:
    """Count values by Tukey's fences: ``low_severe``, ``low_mild``, ``high_mild``, ``high_severe``.

    Args:
        ordered: Sorted values. All of them stay in every other number.
    """
    first, third = percentile(ordered, 0.25), percentile(ordered, 0.75)
    reach = {name: factor * (third - first) for name, factor in _FENCES.items()}
    low = {name: sum(v < first - far for v in ordered) for name, far in reach.items()}
    high = {name: sum(v > third + far for v in ordered) for name, far in reach.items()}
    return {
        "low_severe": low["severe"],
        "low_mild": low["mild"] - low["severe"],
        "high_mild": high["mild"] - high["severe"],
        "high_severe": high["severe"],
    }


def judge(samples: Samples, *, clock_step_ns: int) -> tuple[str, tuple[str, ...]]:
    """Say whether the numbers can be trusted.

    Returns:
        ``valid``, ``noisy`` or ``invalid``, and why it is not valid, in words.
    """
    timed = samples.timed_ns
    ordered = sorted(timed)
    middle = statistics.median(ordered)
    if middle < MIN_TICKS * clock_step_ns:
        return "invalid", (
            f"one inference takes {middle:.0f} ns, too little for a clock that steps by "
            f"{clock_step_ns} ns",
        )
    if len(timed) < MIN_SAMPLES:
        return "noisy", (f"only {len(timed)} iterations, at least {MIN_SAMPLES} are needed",)
    reasons = []
    spread = (percentile(ordered, 0.75) - percentile(ordered, 0.25)) / middle
    if spread > MAX_RELATIVE_IQR:
        reasons.append(f"the middle half of the samples spreads over {spread:.0%} of the median")
    half = len(timed) // 2
    before, after = statistics.median(timed[:half]), statistics.median(timed[half:])
    drift = (after - before) / middle
    if abs(drift) > MAX_DRIFT:
        way = "slower" if drift > 0 else "faster"
        reasons.append(f"the second half of the samples is {abs(drift):.0%} {way} than the first")
    excess = statistics.fmean(ordered) / middle - 1
    if excess > MAX_MEAN_EXCESS:
        reasons.append(f"a few slow samples put the mean {excess:.0%} above the median")
    if samples.steady is False:
        reasons.append("the calls were still getting faster when the warm-up had to end")
    reasons += _disturbances(samples.disturbance)
    return ("noisy" if reasons else "valid"), tuple(reasons)


def _disturbances(found: Mapping[str, float | None]) -> list[str]:
    reasons = []
    if (found.get("waited_share") or 0) > MAX_WAITED_SHARE:
        reasons.append(
            f"its threads waited for a core for {found['waited_share']:.0%} of their time, "
            "because other programs, or more threads of its own than cores, ran there"
        )
    if (found.get("stolen_share") or 0) > MAX_STOLEN_SHARE:
        reasons.append(f"the host took {found['stolen_share']:.0%} of the processor's time")
    if (found.get("throttled_share") or 0) > MAX_THROTTLED_SHARE:
        reasons.append(
            f"the container's quota stopped the process for {found['throttled_share']:.0%} of the "
            "time"
        )
    if found.get("thermal_events"):
        reasons.append("the processor slowed down because of heat")
    return reasons
