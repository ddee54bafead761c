"""How results show themselves: as tables in a notebook, in which nothing of a model can run."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from turnkeyml.console import printable

_LONGEST = 300


def html_table(heads: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> str:
    """Make a table of HTML; whatever is in the cells is shown as text.

    Args:
        heads: Of the columns; empty for none.
        rows: The cells.
        note: A line below the table.
    """
    head = _row("th", heads) if heads else ""
    body = "".join(_row("td", row) for row in rows)
    below = f"<p>{_cell(note)}</p>" if note else ""
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>{below}"


def facts_table(facts: Iterable[tuple[str, object]]) -> str:
    """Make a table of HTML with a fact a line; what says nothing is left out."""
    return html_table((), [(name, value) for name, value in facts if value not in (None, "", ())])


def _row(tag: str, cells: Sequence[object]) -> str:
    return f"<tr>{''.join(f'<{tag}>{_cell(cell)}</{tag}>' for cell in cells)}</tr>"


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = printable(f"{value:.6g}" if isinstance(value, float) else str(value))
    return html.escape(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
