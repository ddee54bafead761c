"""Help pages on narrow terminals, too."""

from __future__ import annotations

import shutil
from typing import Any

import click

_NARROW = 60
_LEAST = 20


class PageFormatter(click.HelpFormatter):
    """Writes a page as wide as the terminal is; click's own is never narrower than 50 columns."""

    def __init__(self, *, width: int | None = None, **more: Any) -> None:
        columns = shutil.get_terminal_size().columns
        if width is None and columns < _NARROW:
            width = max(columns - 2, _LEAST)
        super().__init__(width=width, **more)

    def write_dl(self, rows: Any, col_max: int = 30, col_spacing: int = 2) -> None:
        """Write terms and what they mean; below each other where there is no room for two columns.

        Args:
            rows: Pairs of a term and its meaning.
            col_max: How wide the first column may be.
            col_spacing: Blanks between the columns.
        """
        super().write_dl(rows, 4 if self.width < _NARROW - 2 else col_max, col_spacing)
