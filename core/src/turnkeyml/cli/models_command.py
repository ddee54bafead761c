"""The command `models`: where the models are that turnkey comes with, and which they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from turnkeyml.cli.group import HELP_NAMES
from turnkeyml.cli.many_values import ManyValues
from turnkeyml.console import plural, printable
from turnkeyml.options import PAIRS, click_options, option, option_specs
from turnkeyml.plugins.registry import Registry
from turnkeyml.tool import ManagementTool


@dataclass(frozen=True)
class ListOptions:
    """The options of ``models list``."""

    labels: tuple[str, ...] = option(
        (), metavar=PAIRS, help="Only scripts with these labels in their first line."
    )


class ModelsTool(ManagementTool):
    """Find the models that turnkey comes with.

    \b
        turnkey models location
        turnkey models list selftest
        turnkey models list --labels task::text-classification
    """

    name = "models"

    @classmethod
    def command(cls, registry: Registry) -> click.Command:
        """Make the command."""
        return click.Group(
            cls.name,
            commands=[_location(), _list()],
            help=cls.__doc__,
            context_settings=HELP_NAMES,
            no_args_is_help=True,
        )


def _location() -> click.Command:
    def show(quiet: bool) -> None:
        from turnkeyml.corpora import models_dir

        path = str(models_dir())
        click.echo(path if quiet else f"The models are in {path}")

    quiet = click.Option(["--quiet", "-q"], is_flag=True, help="Print the path and nothing else.")
    text = "Print the folder whose folders are the corpora."
    return click.Command(
        "location", params=[quiet], callback=show, help=text, context_settings=HELP_NAMES
    )


def _list() -> click.Command:
    def show(corpora: Sequence[str], labels: Sequence[str]) -> None:
        from turnkeyml.corpora import corpora_in, models_dir
        from turnkeyml.errors import UsageError
        from turnkeyml.inputs import find_sources
        from turnkeyml.labels import parse_labels

        root = models_dir()
        known = corpora_in(root)
        for corpus in corpora:
            if corpus not in known:
                raise UsageError(
                    f"There is no corpus {corpus!r}.", hint=f"There are: {', '.join(known)}."
                )
        words = [str(root / corpus / "*.py") for corpus in corpora or known]
        sources = find_sources(words, labels=parse_labels(labels))
        for source in sources:
            click.echo(printable(str(source.path)))
        click.echo(plural(len(sources), "script"), err=True)

    return ManyValues(
        "list",
        option_specs(ListOptions),
        params=[
            click.Argument(["corpora"], nargs=-1, metavar="[CORPUS]..."),
            *click_options(ListOptions),
        ],
        callback=show,
        help="List the scripts, with the labels that are asked for.",
    )
