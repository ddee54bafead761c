"""Read a report that was written."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from turnkeyml.errors import CacheError, UsageError
from turnkeyml.report.columns import MODEL_NAME

NONE = "-"
"""Stands in a cell of a CSV file where there is nothing."""

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?\Z", re.ASCII)
_FLAGS = {"True": True, "False": False}
_LONGEST_NUMBER = 1000
_LONGEST_CELL = 1 << 27


def get_dict(
    report: str | Path, columns: Sequence[str] | None = None, *, key: str = MODEL_NAME
) -> dict[str, dict[str, Any]]:
    """Read a report into a mapping from models to the values of columns.

    Args:
        report: A CSV or JSON lines file that ``turnkey report`` wrote.
        columns: Those that are wanted; by default all.
        key: The column that names a row.

    Returns:
        Numbers and flags as such, None where there is nothing, all else as text.

    Raises:
        UsageError: There is no such file or column, or two rows have the same key.
        CacheError: The file is no report.
    """
    path = Path(report).expanduser()
    found: dict[str, dict[str, Any]] = {}
    for row in read_rows(path):
        if key not in row:
            raise UsageError(f"The report {path} has no column {key!r}.")
        missing = [name for name in columns or () if name not in row]
        if missing and path.suffix != ".jsonl":
            raise UsageError(f"The report {path} has no column {missing[0]!r}.")
        name = str(row[key])
        if name in found:
            raise UsageError(
                f"Several rows of {path} have the {key} {name!r}.",
                hint="Name a column that tells them apart with key=..., or use "
                "turnkeyml.report.tables.read_rows.",
            )
        found[name] = dict(row) if columns is None else {n: row.get(n) for n in columns}
    return found


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Give the rows of a report by column.

    Args:
        path: A CSV or JSON lines file that ``turnkey report`` wrote.

    Raises:
        UsageError: There is no such file.
        CacheError: It is no report.
    """
    try:
        if path.suffix == ".jsonl":
            yield from _json_rows(path)
        else:
            yield from _csv_rows(path)
    except FileNotFoundError as error:
        raise UsageError(f"There is no report {str(path)!r}.") from error
    except (OSError, ValueError, csv.Error) as error:
        raise CacheError(f"{path} is no report that turnkey wrote: {error}.") from error


def _json_rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("a line is no JSON object")
            yield row


def _csv_rows(path: Path) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, strict=True)
        names = next(lines, None)
        if names is None:
            raise ValueError("it is empty")
        for line in lines:
            if len(line) != len(names):
                raise ValueError(f"line {lines.line_num} has {len(line)} cells, not {len(names)}")
            yield dict(zip(names, map(_value_from, line), strict=True))


def _value_from(cell: str) -> Any:
    if cell == NONE:
        return None
    if cell in _FLAGS:
        return _FLAGS[cell]
    if len(cell) < _LONGEST_NUMBER and _NUMBER.match(cell):
        number: int | float = float(cell) if "." in cell or "e" in cell else int(cell)
        # What would be written otherwise, such as the version 1.10, is no number.
        return number if str(number) == cell else cell
    # The apostrophe keeps spreadsheets from taking text for a formula.
    return cell[1:] if cell[:1] == "'" and cell[1:2] in set("=+-@\t|%'") else cell
