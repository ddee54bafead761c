"""Commands some of whose options take several values: ``-d a b``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from turnkeyml.cli.arguments import expand_single
from turnkeyml.cli.group import HELP_NAMES
from turnkeyml.options import OptionSpec


class ManyValues(click.Command):
    """A command that reads its words as turnkey's chains do.

    Args:
        name: As in `click.Command`, like all that is not named here.
        specs: Its options.
    """

    def __init__(self, name: str, specs: Sequence[OptionSpec], **more: Any) -> None:
        super().__init__(name, context_settings=HELP_NAMES, **more)
        self._specs = specs

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option's name before each of its values, as click wants it."""
        return super().parse_args(ctx, expand_single(args, self._specs))
