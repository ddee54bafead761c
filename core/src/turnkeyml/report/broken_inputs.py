"""Rows of inputs that broke before any model was found in them, which therefore have no build."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from turnkeyml.outcomes import Status
from turnkeyml.report import columns as c
from turnkeyml.report.rows import Values, add_labels, cause_of, stem_of

# As `turnkeyml.execution.journal` has it, which is not imported because it brings all of running.
_COMMANDS = ".commands"
_JOURNAL = "journal.jsonl"
_ENDED = b'"event": "ended"'
_WITHOUT_MODELS = b'"models": [], "error": {'
_SOURCE = re.compile(rb'"source": (\{.*?\}), "models": ')
_AT = re.compile(rb'"at": "([^"]{10,40})"\}\s*\Z')


def broken_inputs(cache: Path) -> list[Values]:
    """Give a row for each input in which the last command that had it among others found nothing.

    Args:
        cache: The directory; the journals of its commands are read.
    """
    latest: dict[bytes, tuple[bytes, bytes]] = {}
    for line in _lines(cache):
        source, at = _SOURCE.search(line), _AT.search(line)
        if source is None or at is None:
            continue
        known = latest.get(source[1])
        if known is None or known[0] <= at[1]:
            latest[source[1]] = (at[1], line if _WITHOUT_MODELS in line else b"")
    rows = [_row_from(line) for _, line in latest.values() if line]
    return sorted((row for row in rows if row), key=lambda row: str(row[c.SCRIPT]))


def was_broken(cache: Path, source: Mapping[str, Any]) -> bool:
    """Tell whether some command found no model in an input.

    Args:
        cache: The directory.
        source: The input, as `Source.to_json` gives it.
    """
    wanted = json.dumps(source).encode()
    return any(_WITHOUT_MODELS in line and wanted in line for line in _lines(cache))


def lines_worth_keeping(cache: Path) -> dict[Path, list[bytes]]:
    """Give the lines of journals on which the rows of broken inputs depend, by journal.

    They are the last ones of each input that was broken once: what came later says that it is not.
    """
    broken = {s[1] for _, line in _lines_of(cache) if (s := _broken_source(line)) is not None}
    latest: dict[bytes, tuple[bytes, Path, bytes]] = {}
    for path, line in _lines_of(cache) if broken else ():
        source, at = _SOURCE.search(line), _AT.search(line)
        if source is None or at is None or source[1] not in broken:
            continue
        known = latest.get(source[1])
        if known is None or known[0] <= at[1]:
            latest[source[1]] = (at[1], path, line)
    kept: dict[Path, list[bytes]] = {}
    for _, path, line in latest.values():
        kept.setdefault(path, []).append(line)
    return kept


def _broken_source(line: bytes) -> re.Match[bytes] | None:
    return _SOURCE.search(line) if _WITHOUT_MODELS in line else None


def _lines(cache: Path) -> Iterator[bytes]:
    return (line for _, line in _lines_of(cache))


def _lines_of(cache: Path) -> Iterator[tuple[Path, bytes]]:
    try:
        journals = sorted((cache / _COMMANDS).glob(f"*/{_JOURNAL}"))
    except OSError:
        return
    for path in journals:
        if path.is_symlink():
            continue
        try:
            with path.open("rb") as file:
                yield from ((path, line) for line in file if _ENDED in line)
        except OSError:
            # What cannot be read has nothing to tell.
            continue


def _row_from(line: bytes) -> Values:
    try:
        event = json.loads(line)
        report = event["report"]
        source, error = report["source"], str(report["error"]["message"])
        values: Values = {
            c.MODEL_NAME: stem_of(str(source["path"])),
            c.SCRIPT: str(source["path"]),
            c.STATUS: Status.FAILED.value,
            c.FOUND: Status.FAILED.value,
            c.ERROR: error,
            c.CAUSE: cause_of(error),
            c.LOG: None if report["log"] is None else str(report["log"]),
        }
        add_labels(values, _mapping(source["labels"]), _mapping(source["parameters"]))
        return values
    except (ValueError, TypeError, KeyError, RecursionError):
        # A line that was cut off, or that somebody else wrote.
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
