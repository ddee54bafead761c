"""The command `report`: all results of caches in one file."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from turnkeyml.cli.many_values import ManyValues
from turnkeyml.console import plural, printable
from turnkeyml.options import click_options, option, option_specs, options_from_values
from turnkeyml.plugins.registry import Registry
from turnkeyml.tool import ManagementTool

if TYPE_CHECKING:
    from turnkeyml.report.making import MadeReport
    from turnkeyml.report.summary import ResultLine, Summary

_HEADS = ("model", "runtime", "ms", "IPS", "")
_NARROW = 60


@dataclass(frozen=True)
class ReportOptions:
    """The options of `report`."""

    cache_dir: tuple[Path, ...] = option(
        (),
        flags=("-d", "--input-caches", "-i"),
        metavar="DIR",
        help="The caches. [default: TURNKEY_CACHE_DIR, else ~/.cache/turnkey]",
    )
    report_dir: Path | None = option(
        None,
        flags=("-r", "--output-dir", "-o"),
        metavar="DIR",
        help="Where the report goes. [default: the working directory]",
    )
    format: tuple[str, ...] = option(
        ("csv",), metavar="NAME", help="csv, jsonl, or what plugins add, such as html."
    )
    json: bool = option(False, help="Print the summary as JSON.")


class ReportTool(ManagementTool):
    """Write all results of one or several caches into one file.

    \b
        turnkey report
        turnkey report -d x86_results nvidia_results -r reports
        turnkey report --format csv html

    The file is named by the date, such as 2026-11-21.csv. It has a line for each result, and for
    each model and runtime that came to none, and a column for each statistic. What the columns
    mean is in docs/report.md.
    """

    name = "report"

    @classmethod
    def command(cls, registry: Registry) -> click.Command:
        """Make the command."""
        return report_command(registry)


def report_command(registry: Registry) -> click.Command:
    """Make the command; it is also that of ``turnkey cache report``."""

    def run(**values: Any) -> None:
        from turnkeyml.report.making import make_report

        options = options_from_values(ReportOptions, values)
        made = make_report(options.cache_dir, options.report_dir, options.format, registry)
        _tell(made, as_json=options.json)

    return ManyValues(
        "report",
        option_specs(ReportOptions),
        params=list(click_options(ReportOptions)),
        callback=run,
        help=ReportTool.__doc__,
    )


def _tell(made: MadeReport, *, as_json: bool) -> None:
    from turnkeyml.report.summary import summarize

    summary = summarize(made.report.rows())
    for path in made.empty:
        click.echo(printable(f"Warning: there are no builds in the cache {path}."), err=True)
    for problem in made.report.problems:
        click.echo(printable(f"Warning: {problem}"), err=True)
    if as_json:
        click.echo(json.dumps({**summary.to_json(), "files": [str(path) for path in made.files]}))
        return
    # There is none where it was closed.
    if sys.stdout is not None and sys.stdout.isatty():
        _print_rich(summary)
    else:
        _print_plain(summary)
    for path in made.files:
        click.echo(printable(f"Saved: {path}"))


def _print_plain(summary: Summary) -> None:
    rows = [_HEADS, *map(_cells, summary.first)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEADS))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())
    _print_counts(summary)


def _print_rich(summary: Summary) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    console = Console(file=sys.stdout)
    shown = [n for n, head in enumerate(_HEADS) if console.width >= _NARROW or head != "IPS"]
    for n in shown:
        number = n in (2, 3)
        justify: Literal["left", "right"] = "right" if number else "left"
        table.add_column(_HEADS[n], justify=justify, no_wrap=number, overflow="fold")
    for line in summary.first:
        cells = _cells(line)
        # As text: what looks like markup in a name stays what it is.
        table.add_row(*(Text(cells[n]) for n in shown))
    console.print(table)
    _print_counts(summary)


def _cells(line: ResultLine) -> tuple[str, ...]:
    return (
        printable(line.model).replace("\n", "\\n"),
        printable(line.runtime).replace("\n", "\\n") or "-",
        "-" if line.latency_ms is None else _in_ms(line.latency_ms),
        "-" if line.throughput_ips is None else f"{line.throughput_ips:.1f}",
        printable(line.note).replace("\n", "\\n"),
    )


def _in_ms(latency: float) -> str:
    """All in one unit, so that a column can be compared at a glance."""
    return f"{latency:.3f}" if latency >= 0.01 else f"{latency:#.3g}"


def _print_counts(summary: Summary) -> None:
    more = summary.rows - len(summary.first)
    if more:
        click.echo(f"... and {plural(more, 'more row')}")
    click.echo("")
    click.echo(f"{plural(summary.builds, 'build')}, {plural(summary.results, 'result')}")
    for name, (passed, tried) in summary.stages.items():
        failed = f", {tried - passed} not" if tried > passed else ""
        click.echo(f"  {name:10} {passed}{failed}")
    if summary.causes:
        click.echo("Why not, most frequent first:")
        for cause, count in summary.causes:
            click.echo(f"  {count:5}  {printable(cause)}")
