"""Several measurements of one thing, each from loading the model on, taken together."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from turnkeyml.runtime import MeasuredPerformance

MAX_SPREAD = 0.05
"""Of the runs' means, as a share of their mean, before the number is doubted."""

_ORDER = ("invalid", "noisy", "unverified", "valid")


def combine(runs: Sequence[MeasuredPerformance]) -> MeasuredPerformance:
    """Take runs together: the mean of their means, the worst verdict, and how far they lie apart.

    One run is given as it is.

    Args:
        runs: At least one.
    """
    if len(runs) == 1:
        return runs[0]
    means = [run.mean_latency for run in runs]
    mean = statistics.fmean(means)
    spread = (max(means) - min(means)) / mean
    reasons = list(dict.fromkeys(reason for run in runs for reason in run.verdict_reasons))
    verdict = min((run.verdict for run in runs), key=_ORDER.index)
    if spread > MAX_SPREAD:
        reasons.append(f"the means of {len(runs)} runs lie {spread:.0%} apart")
        verdict = min(verdict, "noisy", key=_ORDER.index)
    return replace(
        runs[0],
        mean_latency=mean,
        throughput=statistics.fmean(run.throughput for run in runs),
        verdict=verdict,
        verdict_reasons=tuple(reasons),
        statistics=_together(runs, means, spread),
    )


def _together(
    runs: Sequence[MeasuredPerformance], means: Sequence[float], spread: float
) -> dict[str, Any]:
    medians = [run.statistics.get("median_latency_ms") for run in runs]
    known = [float(median) for median in medians if isinstance(median, (int, float))]
    return {
        "repeat_mean_latency_ms": list(means),
        "repeat_spread": spread,
        **({"median_latency_ms": statistics.median(known)} if len(known) == len(runs) else {}),
        "repeats": [dict(run.statistics) for run in runs],
    }
