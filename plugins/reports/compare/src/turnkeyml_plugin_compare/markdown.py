"""A comparison in Markdown, for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from turnkeyml.console import printable
from turnkeyml_plugin_compare.comparing import Answer, Comparison
from turnkeyml_plugin_compare.judging import Verdict
from turnkeyml_plugin_compare.wording import (
    HEADS,
    cells_of,
    changes_of,
    counts_of,
    names_of,
    reasons_of,
)

_UNREMARKABLE = (Verdict.SAME, Verdict.STILL_FAILED)
_MOST_ROWS = 200
_MOST_REASONS = 50
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$@:])")


def markdown_from(comparison: Comparison, broken: Sequence[str]) -> str:
    """Write a comparison.

    Names and errors may be anybody's: nothing in them is taken for markup, a link or a mention.

    Args:
        comparison: The answers.
        broken: The rules that were broken, in words.
    """
    named = list(zip(comparison.answers, names_of(comparison.answers), strict=True))
    first = [pair for pair in named if pair[0].verdict not in _UNREMARKABLE]
    rest = [pair for pair in named if pair[0].verdict in _UNREMARKABLE]
    lines = [f"### turnkey compare: {counts_of(comparison)}", ""]
    lines += [f"**Failed:** {escaped(text)}" for text in broken] + [""] * bool(broken)
    lines += _table(first)
    reasons = reasons_of(comparison.answers)
    lines += [
        f"- {verdict}: {escaped(reason)} ({count})"
        for verdict, reason, count in reasons[:_MOST_REASONS]
    ]
    lines += [""] * bool(reasons)
    if rest:
        lines += ["<details>", f"<summary>{len(rest)} more</summary>", ""]
        lines += [*_table(rest), "</details>", ""]
    lines += [f"- {escaped(text)}" for text in changes_of(comparison)]
    lines += [""] * bool(comparison.changes)
    lines.append(
        f"Threshold {100 * comparison.margin:.3g}%. Latencies are medians; a positive change is "
        "slower."
    )
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Let a text stand for itself in Markdown, wherever it came from."""
    flat = " ".join(printable(text).split())
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = _SPECIAL.sub(r"\\\1", flat)
    # What follows keeps a mention or a bare address from being found in spite of that.
    return flat.replace("@", "@\u200b").replace("www.", "www\u200b.").replace("://", ":\u200b//")


def _table(named: Iterable[tuple[Answer, str]]) -> list[str]:
    rows = list(named)
    if not rows:
        return []
    lines = [f"| {' | '.join(HEADS)} |", "| --- | --- | ---: | ---: | ---: | --- | --- |"]
    for answer, name in rows[:_MOST_ROWS]:
        cells = list(map(escaped, cells_of(answer, name)))
        if answer.verdict not in _UNREMARKABLE:
            cells[-1] = f"**{cells[-1]}**"
        lines.append(f"| {' | '.join(cells)} |")
    if len(rows) > _MOST_ROWS:
        lines += ["", f"... and {len(rows) - _MOST_ROWS} more."]
    return [*lines, ""]
