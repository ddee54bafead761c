"""The tool `compare`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from turnkeyml.cli.many_values import ManyValues
from turnkeyml.console import printable
from turnkeyml.errors import ExitCode, UsageError
from turnkeyml.options import click_options, option, option_specs, options_from_values
from turnkeyml.plugins.registry import Registry
from turnkeyml.tool import ManagementTool

if TYPE_CHECKING:
    from turnkeyml_plugin_compare.comparing import Answer, Comparer
    from turnkeyml_plugin_compare.rules import Rule

_SHOWN_BROKEN = 10


@dataclass(frozen=True)
class CompareOptions:
    """The options of `compare`."""

    threshold: str = option(
        "5%", metavar="PERCENT", help="What differs by less counts as the same."
    )
    fail_on: tuple[str, ...] = option(
        (),
        metavar="RULE",
        help="End with exit code 1 if there is such a result: slower, slower:10% (with a threshold "
        "of its own), failed, missing, cannot-tell.",
    )
    ignore: tuple[str, ...] = option(
        (),
        metavar="FIELD",
        choices=("hash", "parameters", "device", "runtime", "rt_args", "chain"),
        help="Compare results that differ in this: hash, parameters, device, runtime, rt_args, "
        "chain.",
    )
    save: Path | None = option(
        None, metavar="FILE", help="Keep the results of A, samples included, in a .json file."
    )
    markdown: Path | None = option(
        None, metavar="FILE", help="Write the answers as Markdown, for a pull request."
    )
    json: bool = option(False, help="Print the answers as JSON.")


class Compare(ManagementTool):
    """Say of two runs which models became faster, slower, or fail now.

    \b
        turnkey compare before_cache after_cache
        turnkey compare main_cache --save baseline.json
        turnkey compare baseline.json cache --fail-on slower:5% failed

    A and B are caches, reports (.csv, .jsonl) whose caches are still there, or a file that --save
    wrote. A result is slower or faster if a rank test over its samples says that it differs by more
    than the threshold; the same if its interval is within the threshold; else it cannot be told,
    as where a result is noisy. How many results there are is accounted for. Runs of the same that
    lie far apart show only if there are several: benchmark with --repeat 5 where it matters.
    """

    name = "compare"

    @classmethod
    def command(cls, registry: Registry) -> click.Command:
        """Make the command."""

        def run(a: Path, b: Path | None, **values: Any) -> None:
            options = options_from_values(CompareOptions, values)
            if not run_compare(a, b, options, registry):
                raise click.exceptions.Exit(ExitCode.FAILED)

        kind = click.Path(path_type=Path)
        return ManyValues(
            cls.name,
            option_specs(CompareOptions),
            params=[
                click.Argument(["a"], type=kind),
                click.Argument(["b"], type=kind, required=False),
                *click_options(CompareOptions),
            ],
            callback=run,
            help=cls.__doc__,
        )


def run_compare(a: Path, b: Path | None, options: CompareOptions, registry: Registry) -> bool:
    """Do what the command does; give whether no rule was broken.

    Args:
        a: The first side.
        b: The second; None where the first is only saved.
        options: What was asked for.
        registry: What is installed.

    Raises:
        UsageError: A side, a rule or a file cannot be had.
        CacheError: A side cannot be read.
    """
    from turnkeyml_plugin_compare.baseline import save_baseline
    from turnkeyml_plugin_compare.comparing import Comparer
    from turnkeyml_plugin_compare.markdown import markdown_from
    from turnkeyml_plugin_compare.printing import json_from, print_comparison
    from turnkeyml_plugin_compare.rules import margin_from, rules_from
    from turnkeyml_plugin_compare.sources import read_source

    margin = margin_from(options.threshold, "--threshold")
    rules = rules_from(options.fail_on)
    if b is None and options.save is None:
        raise UsageError(
            "There is nothing to compare with.",
            hint="Name two caches, reports or baselines, or keep this one with --save FILE.",
        )
    before = read_source(a, registry)
    after = None if b is None else read_source(b, registry)
    if options.save is not None:
        save_baseline(before, options.save.expanduser())
        click.echo(printable(f"Saved: {options.save}"), err=True)
    if after is None:
        return True
    comparer = Comparer(before, after, options.ignore)
    comparison = comparer.answer(margin)
    broken = _broken(rules, comparer, margin)
    if options.markdown is not None:
        _write(options.markdown.expanduser(), markdown_from(comparison, broken))
    if options.json:
        click.echo(json.dumps(json_from(comparison, broken)))
    else:
        print_comparison(comparison)
    for text in broken:
        click.echo(printable(f"Failed: {text}"), err=True)
    return not broken


def _broken(rules: list[Rule], comparer: Comparer, margin: float) -> list[str]:
    found = [(rule, rule.broken_by(comparer, margin)) for rule in rules]
    return [f"--fail-on {rule.text}: {_named(answers)}" for rule, answers in found if answers]


def _named(answers: list[Answer]) -> str:
    from turnkeyml_plugin_compare.wording import names_of

    names = names_of(answers)
    more = [f"and {len(names) - _SHOWN_BROKEN} more"] if len(names) > _SHOWN_BROKEN else []
    return ", ".join([*names[:_SHOWN_BROKEN], *more])


def _write(path: Path, text: str) -> None:
    from turnkeyml.cache.atomic import open_replaced

    try:
        with open_replaced(path) as file:
            file.write(text)
    except OSError as error:
        raise UsageError(
            f"The file {path} cannot be written: {error.strerror or error}.",
            hint="Name another one with --markdown.",
        ) from error
