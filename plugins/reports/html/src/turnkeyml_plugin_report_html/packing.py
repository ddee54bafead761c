"""Pack JSON so that it is small in a page and harmless in its source."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any

from turnkeyml_plugin_report_html.cells import Cell

ROWS_IN_A_CHUNK = 100
"""A browser unpacks as many rows at once to show the details of one."""
_LEVEL = 6
_FEW = 0.6
"""Up to this share of different values in a column, each is written once."""


def packed(value: Any) -> str:
    """Give a JSON value as gzip in base64, the same text each time."""
    # Only ASCII: half a surrogate pair in a name is no UTF-8.
    content = json.dumps(value, separators=(",", ":"), allow_nan=False, check_circular=False)
    return base64.b64encode(gzip.compress(content.encode(), _LEVEL, mtime=0)).decode()


def column_from(cells: Sequence[Cell]) -> dict[str, Any]:
    """Give the cells of a column in the shortest of three forms.

    Returns:
        ``all``: the one value of all rows; or ``words`` and ``codes``, in which 0 is nothing and n
        the n-th word; or ``cells``.
    """
    if len(set(cells)) > max(len(cells) * _FEW, 2):
        return {"cells": list(cells)}
    # By type too: 1 and 1.0 are equal.
    codes: dict[tuple[type, Cell], int] = {}
    numbers = [
        0 if cell is None else codes.setdefault((type(cell), cell), len(codes) + 1)
        for cell in cells
    ]
    words = [word for _, word in codes]
    if len(words) == 1 and 0 not in numbers:
        return {"all": words[0]}
    return {"words": words, "codes": numbers}


class ChunkPacker:
    """Packs a value for each row, many rows together, until there is no more room.

    Args:
        limit: In bytes of the page.
    """

    def __init__(self, limit: int) -> None:
        self.chunks: list[str] = []
        self.row_count = 0
        """Rows that were packed; the details of later ones were left out."""
        self._limit = limit
        self._waiting: list[Any] = []

    @property
    def is_full(self) -> bool:
        """Whether there is no more room."""
        return self._limit <= 0

    def add(self, value: Any) -> None:
        """Add the value of the next row, unless there is no more room."""
        if self.is_full:
            return
        self._waiting.append(value)
        if len(self._waiting) == ROWS_IN_A_CHUNK:
            self._pack()

    def close(self) -> ChunkPacker:
        """Pack what is left."""
        if self._waiting and not self.is_full:
            self._pack()
        return self

    def _pack(self) -> None:
        chunk = packed(self._waiting)
        self._limit -= len(chunk)
        if self._limit >= 0:
            self.chunks.append(chunk)
            self.row_count += len(self._waiting)
        self._waiting = []
