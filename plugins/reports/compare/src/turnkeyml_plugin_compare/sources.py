"""Read one side of a comparison: a cache, a report, or a baseline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from turnkeyml.cache.layout import cache_from
from turnkeyml.errors import UsageError
from turnkeyml.plugins.registry import Registry
from turnkeyml.report import columns as c
from turnkeyml.report import gather
from turnkeyml.report.samples import read_samples
from turnkeyml.report.tables import read_rows
from turnkeyml_plugin_compare.baseline import load_baseline
from turnkeyml_plugin_compare.results import Identity, Result

_REPORTS = (".csv", ".jsonl")
_FAILED = ("failed", "interrupted", "unreadable")
_SCHEDULE = ("warm_up", "min_duration", "until_ci", "repeat", "rt_version", "rt_env")
_SWEEP = "parameter."
_LONGEST = 300


def read_source(path: Path, registry: Registry) -> list[Result]:
    """Read the results and failures of one side.

    Args:
        path: A cache directory, a report (``.csv``, ``.jsonl``) or a baseline (``.json``).
        registry: What is installed.

    Raises:
        UsageError: There is no such thing, or nothing in it.
        CacheError: It cannot be read, or is something else.
    """
    place = path.expanduser()
    if place.is_dir():
        report = gather([cache_from(place)], registry)
        found = _results_of(row.values for row in report.rows())
    elif place.suffix in _REPORTS:
        found = _results_of(read_rows(place))
    elif place.suffix == ".json":
        found = load_baseline(place)
    else:
        raise UsageError(
            f"There is no cache, report or baseline {str(path)!r}.",
            hint="Name a cache directory, a report (.csv or .jsonl), or a file that "
            "turnkey compare --save wrote (.json).",
        )
    if not found:
        raise UsageError(
            f"There are no results in {str(path)!r}.", hint="Benchmark something first."
        )
    return found


def _results_of(rows: Iterable[Mapping[str, Any]]) -> list[Result]:
    return [result for row in rows if (result := _result_of(row)) is not None]


def _result_of(row: Mapping[str, Any]) -> Result | None:
    """Make a result of a row; None of one that says nothing, such as of a build that still runs."""
    latency = _number(row.get(c.MEAN_LATENCY))
    status = _text(row.get(c.STATUS))
    if latency is None:
        return _failure_of(row, status) if status in _FAILED else None
    runs, unsampled = read_samples(
        _text(row.get(c.BUILD_DIR)), _text(row.get(c.SAMPLES_FILE)), latency
    )
    return Result(
        _identity_of(row),
        iterations=_text(row.get(c.ITERATIONS)),
        schedule=" ".join(f"{name}={row[name]}" for name in _SCHEDULE if row.get(name) is not None),
        build=_text(row.get(c.BUILD_NAME)),
        device_name=_text(row.get(c.DEVICE_NAME)),
        runtime_version=_text(row.get(c.RUNTIME_VERSION)),
        turnkey_version=_text(row.get(c.TURNKEY_VERSION)),
        measured_at=_text(row.get(c.MEASURED_AT)),
        verdict=_text(row.get(c.VERDICT)),
        verdict_reasons=_text(row.get(c.VERDICT_REASONS)),
        latency_ms=latency,
        runs=runs,
        unsampled=unsampled,
    )


def _failure_of(row: Mapping[str, Any], status: str) -> Result:
    return Result(
        _identity_of(row),
        iterations=_text(row.get(c.ITERATIONS)),
        build=_text(row.get(c.BUILD_NAME)),
        error=_text(row.get(c.ERROR))[:_LONGEST] or f"It was {status}.",
        failed_step=_text(row.get(c.FAILED_STEP)),
        turnkey_version=_text(row.get(c.TURNKEY_VERSION)),
    )


def _identity_of(row: Mapping[str, Any]) -> Identity:
    sweep = sorted(
        f"{name.removeprefix(_SWEEP)}={value}"
        for name, value in row.items()
        if name.startswith(_SWEEP) and value is not None
    )
    return Identity(
        _text(row.get(c.MODEL_NAME)) or _text(row.get(c.BUILD_NAME)),
        _text(row.get(c.HASH)),
        ",".join(sweep),
        _text(row.get(c.DEVICE)),
        _text(row.get(c.RUNTIME)),
        _text(row.get(c.RT_ARGS)),
        _text(row.get(c.CHAIN)),
    )


def _text(value: Any) -> str:
    """Give a value as a report in CSV has it, so that all kinds of sources meet."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
    return float(value) if is_number else None
