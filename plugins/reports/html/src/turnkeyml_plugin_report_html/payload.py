"""What the script of the page reads: the columns that it opens with, and others for later."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from turnkeyml.report import columns as c
from turnkeyml_plugin_report_html.cells import title_of
from turnkeyml_plugin_report_html.collecting import Collected
from turnkeyml_plugin_report_html.identity import Numbering
from turnkeyml_plugin_report_html.packing import ROWS_IN_A_CHUNK, column_from, packed

COLUMNS_LIMIT = 6_000_000
"""Bytes that columns beyond those that the page opens with may take in the file."""
_AT_ONCE = frozenset(c.WELL_KNOWN).difference(
    (c.BUILD_DIR, c.COMMAND, c.INPUT_SHAPES, c.LOG, c.SAMPLES_FILE)
)
_AT_ONCE_TOO = re.compile(r"(labels|parameter)\..*|[^.]+\.parity\.(status|max_rel)", re.DOTALL)
_MOST_AT_ONCE = 100
_MEANINGS = {column.name: column.meaning for column in c.COLUMNS}


@dataclass(frozen=True)
class Heading:
    """What the page says of itself.

    Args:
        caches: The directories.
        made_at: When, as UTC ISO 8601.
        turnkey_version: Of the core that made it.
    """

    caches: tuple[str, ...]
    made_at: str
    turnkey_version: str


@dataclass(frozen=True)
class Payload:
    """The data of the page, as texts of which none can end a script element.

    Args:
        main: What is needed to open it, packed.
        columns: Columns that are unpacked when they are wanted.
        details: Samples and logs.
    """

    main: str
    columns: tuple[str, ...]
    details: tuple[str, ...]

    def to_json(self) -> str:
        """Give all as JSON."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"))


def payload_from(
    collected: Collected, heading: Heading, columns_limit: int = COLUMNS_LIMIT
) -> Payload:
    """Pack what was collected.

    Args:
        collected: The rows.
        heading: What the page says of itself.
        columns_limit: In bytes; columns for which there is no room are named and left out.
    """
    columns: list[dict[str, Any]] = []
    later: list[str] = []
    left_out: list[str] = []
    at_once = set(_at_once(collected))
    for name in collected.table.names():
        cells = collected.table.cells(name)
        form = column_from(cells)
        entry = _entry_of(name, cells)
        if name in at_once or "all" in form:
            columns.append({**entry, **form})
            continue
        text = packed(form)
        if len(text) > columns_limit:
            left_out.append(name)
            continue
        columns_limit -= len(text)
        columns.append({**entry, "later": len(later)})
        later.append(text)
    main = {
        "heading": dataclasses.asdict(heading),
        "overview": dataclasses.asdict(collected.overview),
        "row_count": collected.table.row_count,
        "columns": columns,
        "left_out": left_out,
        "models": _numbered(collected.models),
        "configurations": _numbered(collected.configurations),
        "detailed_rows": collected.details.row_count,
        "rows_in_a_chunk": ROWS_IN_A_CHUNK,
    }
    return Payload(packed(main), tuple(later), tuple(collected.details.chunks))


def _at_once(collected: Collected) -> Iterator[str]:
    names = collected.table.names()
    yield from (name for name in names if name in _AT_ONCE)
    more = [name for name in names if _AT_ONCE_TOO.fullmatch(name)]
    yield from more[:_MOST_AT_ONCE]


def _entry_of(name: str, cells: list[Any]) -> dict[str, Any]:
    title, unit = title_of(name)
    filled = [cell for cell in cells if cell is not None]
    is_number = not any(isinstance(cell, str) for cell in filled)
    return {
        "name": name,
        "title": title,
        "unit": unit if is_number else "",
        "meaning": _MEANINGS.get(name, ""),
        "is_number": is_number,
        "filled": len(filled),
    }


def _numbered(numbering: Numbering) -> dict[str, Any]:
    return {"names": numbering.names, "numbers": numbering.numbers}
