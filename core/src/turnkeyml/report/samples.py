"""Read the raw samples of a result from its build directory; the file may be anybody's."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path
from typing import Any

Runs = tuple[tuple[int, ...], ...]
"""The timed samples of each run, in nanoseconds and in order."""

LARGEST_BYTES = 1 << 28
_SCHEMA = 2
_SLOWEST_NS = 10**15


def read_samples(
    build_dir: str, samples_file: str, latency_ms: float, *, largest_bytes: int = LARGEST_BYTES
) -> tuple[Runs, str]:
    """Give the timed samples of each run, or say why there are none.

    Args:
        build_dir: The build directory, absolute; empty if it is not known.
        samples_file: Relative to it; empty if the runtime handed over no samples.
        latency_ms: The mean that was reported, by which samples of a later measurement are known.
        largest_bytes: A larger file is not read.
    """
    if not samples_file:
        return (), "there are no samples"
    if not build_dir or not _is_inside(samples_file):
        return (), "its samples are not in its build directory"
    place = Path(build_dir, samples_file)
    try:
        if not place.resolve().is_relative_to(Path(build_dir).resolve()):
            return (), "its samples are not in its build directory"
        if not place.is_file() or place.is_symlink():
            return (), "the cache that has its samples is not there"
        if place.stat().st_size > largest_bytes:
            return (), "there are too many samples"
        runs = runs_from(_timed_in(json.loads(place.read_bytes())))
    except (OSError, ValueError, RuntimeError):
        return (), "its samples cannot be read"
    mean = statistics.fmean(map(statistics.fmean, runs)) / 1e6
    if not math.isclose(mean, latency_ms, rel_tol=1e-6):
        return (), "it was measured again since the report was written"
    return runs, ""


def runs_from(value: Any) -> Runs:
    """Check the samples of each run.

    Args:
        value: Lists of nanoseconds, from a file.

    Raises:
        ValueError: They are something else.
    """
    if not isinstance(value, list) or not value:
        raise ValueError("there are no runs")
    for run in value:
        if not isinstance(run, list) or not run:
            raise ValueError("a run has no samples")
        if not all(type(sample) is int and 0 < sample < _SLOWEST_NS for sample in run):
            raise ValueError("a sample is no number of nanoseconds")
    return tuple(map(tuple, value))


def _is_inside(samples_file: str) -> bool:
    path = Path(samples_file)
    return not path.is_absolute() and ".." not in path.parts


def _timed_in(content: Any) -> Any:
    if not isinstance(content, dict) or content.get("schema") != _SCHEMA:
        raise ValueError("it has another form")
    runs = content.get("runs")
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise ValueError("there are no runs")
    return [run.get("timed_ns") for run in runs]
