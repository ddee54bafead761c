"""Measure a call: warm-up, timed iterations, statistics, verdict.

Standard library only, and nothing of turnkey: worker processes load this file by its path, in
environments where turnkey is not installed.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WARM_UP_MIN_CALLS = 2
WARM_UP_MAX_CALLS = 200
WARM_UP_MAX_NS = 1_000_000_000
_WINDOW = 5
_STEADY = 0.97

MIN_SAMPLES = 10
MAX_RELATIVE_IQR = 0.10
MAX_DRIFT = 0.05
MIN_TICKS = 20

PERCENTILES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99, "p99_9": 0.999}
_SAMPLES_PER_TAIL = 6.4
"""A percentile is claimed from this many samples in its tail: p90 from 64, p99 from 640."""


@dataclass(frozen=True)
class Samples:
    """What was timed, in nanoseconds and in order.

    Args:
        first_ns: The first call after loading.
        warm_up_ns: The calls before the timed ones, the first left out.
        timed_ns: The timed iterations.
        steady: Whether the warm-up saw the calls stop getting faster.
    """

    first_ns: int
    warm_up_ns: tuple[int, ...]
    timed_ns: tuple[int, ...]
    steady: bool


def measure(
    call: Callable[[], Any], iterations: int, *, clock: Callable[[], int] = time.perf_counter_ns
) -> Samples:
    """Time a call.

    Args:
        call: One inference; its result is dropped.
        iterations: How many calls are timed, after the warm-up.
        clock: Gives nanoseconds.
    """
    start = clock()
    call()
    first = clock() - start
    warm_up, steady = _warm_up(call, clock)
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        timed = time_calls(call, iterations, clock)
    finally:
        if collecting:
            gc.enable()
    return Samples(first, warm_up, tuple(timed), steady)


def time_calls(call: Callable[[], Any], count: int, clock: Callable[[], int]) -> list[int]:
    """Time each of ``count`` calls, and nothing but the calls."""
    samples = [0] * count
    for index in range(count):
        start = clock()
        call()
        samples[index] = clock() - start
    return samples


def _warm_up(call: Callable[[], Any], clock: Callable[[], int]) -> tuple[tuple[int, ...], bool]:
    samples: list[int] = []
    spent = 0
    while len(samples) < WARM_UP_MAX_CALLS:
        took = time_calls(call, 1, clock)[0]
        samples.append(took)
        spent += took
        if len(samples) >= 2 * _WINDOW:
            now = statistics.median(samples[-_WINDOW:])
            before = statistics.median(samples[-2 * _WINDOW : -_WINDOW])
            if now >= _STEADY * before:
                return tuple(samples), True
        if spent >= WARM_UP_MAX_NS and len(samples) >= WARM_UP_MIN_CALLS:
            return tuple(samples), False
    return tuple(samples), False


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
        "warm_up_iterations": len(samples.warm_up_ns),
    }
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
    reasons = []
    if len(timed) < MIN_SAMPLES:
        reasons.append(f"only {len(timed)} iterations, at least {MIN_SAMPLES} are needed")
        return "noisy", tuple(reasons)
    spread = (percentile(ordered, 0.75) - percentile(ordered, 0.25)) / middle
    if spread > MAX_RELATIVE_IQR:
        reasons.append(f"the middle half of the samples spreads over {spread:.0%} of the median")
    half = len(timed) // 2
    before, after = statistics.median(timed[:half]), statistics.median(timed[half:])
    drift = (after - before) / middle
    if abs(drift) > MAX_DRIFT:
        way = "slower" if drift > 0 else "faster"
        reasons.append(f"the second half of the samples is {abs(drift):.0%} {way} than the first")
    return ("noisy" if reasons else "valid"), tuple(reasons)


def clock_step_ns(clock: Callable[[], int] = time.perf_counter_ns, tries: int = 100) -> int:
    """Find the smallest step that a clock makes, in nanoseconds."""
    smallest = 0
    for _ in range(tries):
        start = now = clock()
        while now == start:
            now = clock()
        smallest = now - start if smallest == 0 else min(smallest, now - start)
    return smallest
