"""Reports as CSV: a table for spreadsheets and pandas."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.cache.atomic import open_replaced
from turnkeyml.report.format import ReportFormat
from turnkeyml.report.tables import NONE

if TYPE_CHECKING:
    from turnkeyml.report.gathering import Report

_FORMULA = re.compile(r"[=+\-@\t|%']")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?\Z", re.ASCII)


class CsvFormat(ReportFormat):
    """A table for spreadsheets: a line for each result, a column for each statistic."""

    suffix = ".csv"

    def write(self, report: Report, path: Path) -> None:
        """Write the table, in UTF-8, with ``-`` where there is nothing."""
        columns = report.columns()
        with open_replaced(path) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(map(cell_from, columns))
            writer.writerows(_lines(report, columns))


def _lines(report: Report, columns: list[str]) -> Iterator[list[Any]]:
    known: dict[str, str] = {}
    for row in report.rows():
        get = row.values.get
        line: list[Any] = []
        for name in columns:
            value = get(name)
            if value is None:
                value = NONE
            elif type(value) is str:
                shown = known.get(value)
                if shown is None:
                    shown = known[value] = cell_from(value)
                value = shown
            elif type(value) is not float and type(value) is not int:
                value = cell_from(value)
            line.append(value)
        if len(known) > 100_000:
            known.clear()
        yield line


def text_from(value: Any) -> str:
    """Give a value as text: lists of text joined by ``; ``, other lists and mappings as JSON."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "; ".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else str(value)


def cell_from(value: Any) -> str:
    """Give what stands in a cell.

    Text that a spreadsheet would take for a formula gets an apostrophe before it, as a user would
    type it; control characters are escaped. Lists of text are joined by ``; ``; other lists, and
    mappings, are JSON.
    """
    if value is None:
        return NONE
    if isinstance(value, (bool, int, float)):
        return str(value)
    text = text_from(value)
    text = _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)
    if text == NONE or (_FORMULA.match(text) and not _NUMBER.match(text)):
        return f"'{text}"
    return text
