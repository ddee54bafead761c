"""A baseline: the results of one side in one file, samples included, to be kept and moved."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from turnkeyml.cache.atomic import open_replaced
from turnkeyml.errors import CacheError, NewerSchemaError, UsageError
from turnkeyml.report.samples import runs_from
from turnkeyml_plugin_compare.results import Identity, Result

_KIND = "turnkey-baseline"
_SCHEMA = 1
_LARGEST = 1 << 30


def save_baseline(results: Sequence[Result], path: Path) -> None:
    """Write a baseline; the same results make the same file.

    Args:
        results: Of one side.
        path: A ``.json`` file.

    Raises:
        UsageError: The name ends otherwise, or the file cannot be written.
    """
    if path.suffix != ".json":
        raise UsageError(
            f"A baseline's name ends with .json, not as {path.name!r} does.",
            hint="Reports are .csv and .jsonl.",
        )
    # A line for each result, so that the file can be kept in a repository.
    lines = ",\n".join(json.dumps(_json_from(result), allow_nan=False) for result in results)
    try:
        with open_replaced(path) as file:
            file.write(f'{{"kind": "{_KIND}", "schema": {_SCHEMA}, "results": [\n{lines}\n]}}\n')
    except OSError as error:
        raise UsageError(
            f"The baseline {path} cannot be written: {error.strerror or error}."
        ) from error


def load_baseline(path: Path) -> list[Result]:
    """Read what `save_baseline` wrote.

    Raises:
        UsageError: There is no such file.
        CacheError: It is something else, or damaged.
        NewerSchemaError: A newer turnkey wrote it.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise CacheError(f"The baseline {path} is too large.")
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict) or content.get("kind") != _KIND:
            raise ValueError("it has another form")
        schema = content.get("schema")
        if isinstance(schema, int) and schema > _SCHEMA:
            raise NewerSchemaError(
                f"A newer turnkey wrote the baseline {path}.",
                hint="Update turnkeyml-plugin-compare.",
            )
        results = content.get("results")
        if not isinstance(results, list):
            raise ValueError("there are no results")
        return [_result_from(value) for value in results]
    except FileNotFoundError as error:
        raise UsageError(f"There is no baseline {str(path)!r}.") from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise CacheError(
            f"{path} is no baseline that turnkey wrote: {error}.",
            hint="Make one with turnkey compare CACHE --save FILE.",
        ) from error


def _json_from(result: Result) -> dict[str, Any]:
    values = {
        field.name: getattr(result, field.name)
        for field in dataclasses.fields(result)
        if getattr(result, field.name) not in ("", None, ())
    }
    return {**values, "identity": dataclasses.asdict(result.identity)}


def _result_from(value: Any) -> Result:
    if not isinstance(value, dict):
        raise ValueError("a result is no object")
    values = dict(value)
    identity = Identity(**_texts(values.pop("identity", None)))
    latency = values.pop("latency_ms", None)
    if latency is not None and (type(latency) not in (int, float) or not 0 < latency < 1e15):
        raise ValueError("a latency is no number of milliseconds")
    runs = runs_from(values.pop("runs")) if "runs" in values else ()
    return Result(identity, latency_ms=latency, runs=runs, **_texts(values))


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError("what should be text is not")
    return value
