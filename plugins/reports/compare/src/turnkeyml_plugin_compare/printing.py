"""A comparison on the terminal, and as JSON."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

import click

from turnkeyml.console import plural, printable
from turnkeyml_plugin_compare.comparing import Answer, Comparison
from turnkeyml_plugin_compare.judging import CONFIDENCE, Verdict
from turnkeyml_plugin_compare.results import Result
from turnkeyml_plugin_compare.wording import (
    HEADS,
    advice_on,
    cells_of,
    changes_of,
    counts_of,
    names_of,
    reasons_of,
)

_SHOWN = 40
_SHOWN_REASONS = 10
_LONGEST = 160
_COLOURS = {
    Verdict.FAILED: "red",
    Verdict.SLOWER: "red",
    Verdict.MISSING: "yellow",
    Verdict.CANNOT_TELL: "yellow",
    Verdict.FASTER: "green",
    Verdict.FIXED: "green",
}
_NUMBERS = (2, 3, 4)


def print_comparison(comparison: Comparison) -> None:
    """Print the table, why what cannot be told, and the counts."""
    names = names_of(comparison.answers)
    rows = [
        (answer, tuple(_flat(cell) for cell in cells_of(answer, name)))
        for answer, name in zip(comparison.answers[:_SHOWN], names, strict=False)
    ]
    if sys.stdout.isatty():
        _print_rich(rows)
    else:
        _print_plain([cells for _, cells in rows])
    more = len(comparison.answers) - len(rows)
    if more:
        click.echo(f"... and {plural(more, 'more result')}")
    click.echo("")
    reasons = reasons_of(comparison.answers)
    for verdict, reason, count in reasons[:_SHOWN_REASONS]:
        click.echo(f"{count} {verdict}: {_shortened(_flat(reason))}")
    if len(reasons) > _SHOWN_REASONS:
        click.echo(f"... and {plural(len(reasons) - _SHOWN_REASONS, 'more reason')} (--json)")
    for text in (*changes_of(comparison), advice_on(comparison)):
        if text:
            click.echo(_flat(text))
    click.echo(f"{counts_of(comparison)} (threshold {100 * comparison.margin:.3g}%)")


def json_from(comparison: Comparison, broken: Sequence[str]) -> dict[str, Any]:
    """Give a comparison as JSON values.

    Args:
        comparison: The answers.
        broken: The rules that were broken, in words.
    """
    return {
        "threshold_percent": 100 * comparison.margin,
        "confidence": CONFIDENCE,
        "counts": {v.value: comparison.count(v) for v in Verdict if comparison.count(v)},
        "broken_rules": list(broken),
        "changes": [
            {"what": what, "before": before, "after": after, "results": count}
            for what, before, after, count in comparison.changes
        ],
        "results": [_json_of(answer) for answer in comparison.answers],
    }


def _json_of(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = {
        **dataclasses.asdict(answer.pair.identity),
        "verdict": answer.verdict.value,
        "reason": answer.reason or None,
        "detail": answer.detail or None,
        "before": _side(answer.pair.before),
        "after": _side(answer.pair.after),
    }
    judgement = answer.judgement
    if judgement is not None:
        shift = judgement.shift
        found |= {
            "change_percent": 100 * shift.estimate,
            "interval_percent": [100 * shift.low, 100 * shift.high],
            "p_corrected": judgement.p,
            "ranked": judgement.unit,
            "ranked_counts": list(judgement.counts),
        }
    return found


def _side(result: Result | None) -> dict[str, Any] | None:
    if result is None:
        return None
    return {
        "mean_latency_ms": result.latency_ms,
        "median_latency_ms": result.median_ms,
        "verdict": result.verdict or None,
        "runtime_version": result.runtime_version or None,
        "device_name": result.device_name or None,
        "turnkey_version": result.turnkey_version or None,
        "measured_at": result.measured_at or None,
        "error": result.error or None,
        "build_name": result.build or None,
    }


def _flat(text: str) -> str:
    return printable(text).replace("\n", "\\n")


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _print_plain(rows: Sequence[tuple[str, ...]]) -> None:
    table = [HEADS, *rows]
    widths = [max(len(row[n]) for row in table) for n in range(len(HEADS))]
    for row in table:
        cells = [
            cell.rjust(width) if n in _NUMBERS else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def _print_rich(rows: Sequence[tuple[Answer, tuple[str, ...]]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for n, head in enumerate(HEADS):
        number = n in _NUMBERS
        table.add_column(
            head, justify="right" if number else "left", no_wrap=n > 1, overflow="fold"
        )
    for answer, cells in rows:
        # As text: what looks like markup in a name stays what it is.
        styled = [Text(cell) for cell in cells]
        styled[-1].stylize(_COLOURS.get(answer.verdict, ""))
        table.add_row(*styled)
    Console(file=sys.stdout).print(table)
