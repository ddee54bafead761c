"""The core's own tools that stand alone: `version` and `plugins`."""

from __future__ import annotations

from importlib import metadata

import click

from turnkeyml.cli.group import HELP_NAMES
from turnkeyml.plugins.records import Contribution, ToolRole
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


class Plugins(ManagementTool):
    """List the installed plugins, what each gives, and those that are broken.

    Exits with 1 if a plugin is broken or two provide one name.
    """

    name = "plugins"

    @classmethod
    def command(cls, registry: Registry) -> click.Command:
        """Make the command."""

        def show() -> int:
            for contribution in registry.contributions:
                click.echo(str(contribution.provider))
                for line in describe_contribution(contribution):
                    click.echo(f"  {line}")
            for broken in registry.broken:
                click.echo(f"Broken: {broken.reason}", err=True)
                for line in broken.details.splitlines():
                    click.echo(f"  | {line}", err=True)
            for conflict in registry.conflicts:
                click.echo(f"Conflict: {conflict}", err=True)
            return 1 if registry.broken or registry.conflicts else 0

        return click.Command(cls.name, callback=show, help=cls.__doc__, context_settings=HELP_NAMES)


def describe_contribution(contribution: Contribution) -> list[str]:
    """Say what a plugin gives, a line for each kind of thing."""
    rows = {
        "tools": [t.name for t in contribution.tools if t.role is not ToolRole.MANAGEMENT],
        "commands": [t.name for t in contribution.tools if t.role is ToolRole.MANAGEMENT],
        "runtimes": [r.name for r in contribution.runtimes],
        "sequences": [s.name for s in contribution.sequences],
        "devices": [d.family for d in contribution.devices],
    }
    return [f"{what}: {', '.join(names)}" for what, names in rows.items() if names]
