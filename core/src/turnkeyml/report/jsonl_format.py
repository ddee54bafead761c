"""Reports as JSON lines: an object for each result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.cache.atomic import open_replaced
from turnkeyml.cache.stats import plain
from turnkeyml.report.format import ReportFormat

if TYPE_CHECKING:
    from turnkeyml.report.gathering import Report


class JsonLinesFormat(ReportFormat):
    """A line of JSON for each result, with what it has and in the types that it has."""

    suffix = ".jsonl"

    def write(self, report: Report, path: Path) -> None:
        """Write the lines; columns that have nothing are left out."""
        with open_replaced(path) as file:
            for row in report.rows():
                values = {name: value for name, value in row.values.items() if value is not None}
                # Only ASCII: no line can end before its end, whoever reads it.
                file.write(_line_from(values) + "\n")


def _line_from(values: dict[str, Any]) -> str:
    try:
        return json.dumps(values, allow_nan=False)
    except ValueError:
        # JSON has no word for what is no number.
        return json.dumps(plain(values), allow_nan=False)
