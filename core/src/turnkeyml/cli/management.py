"""The core's own tool `version`."""

from __future__ import annotations

from importlib import metadata

import click

from turnkeyml.cli.group import HELP_NAMES
from turnkeyml.plugins.registry import Registry
from turnkeyml.tool import ManagementTool


class Version(ManagementTool):
    """Print the version of turnkey."""

    name = "version"

    @classmethod
    def command(cls, registry: Registry) -> click.Command:
        """Make the command."""

        def show() -> None:
            click.echo(metadata.version("turnkeyml-core"))

        return click.Command(cls.name, callback=show, help=cls.__doc__, context_settings=HELP_NAMES)
