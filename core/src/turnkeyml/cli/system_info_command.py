"""The command `system-info`."""

from __future__ import annotations

import json
from typing import Any

import click

from turnkeyml.cli.group import HELP_NAMES
from turnkeyml.console import format_bytes, printable
from turnkeyml.plugins.registry import Registry
from turnkeyml.tool import ManagementTool

_WIDTH = 12


class SystemInfo(ManagementTool):
    """Say what turnkey runs on: machine, Python, plugins, versions of libraries."""

    name = "system-info"

    @classmethod
    def command(cls, registry: Registry) -> click.Command:
        """Make the command."""

        def show(as_json: bool) -> None:
            from turnkeyml.system_info import system_info

            facts = system_info(registry)
            if as_json:
                click.echo(json.dumps(facts, indent=2))
            else:
                _print(facts)

        option = click.Option(["--json", "as_json"], is_flag=True, help="Print it as JSON.")
        return click.Command(
            cls.name,
            params=[option],
            callback=show,
            help=cls.__doc__,
            context_settings=HELP_NAMES,
        )


def _print(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if isinstance(value, dict):
            click.echo(f"{name}:" if value else f"{name}: none")
            for key, version in value.items():
                click.echo(printable(f"  {key} {version}"))
        elif isinstance(value, list):
            for sentence in value:
                click.echo(printable(f"{name}: {sentence}"))
        elif name == "memory_bytes":
            shown = "unknown" if value is None else format_bytes(value)
            click.echo(f"{'memory':{_WIDTH}}{shown}")
        else:
            click.echo(printable(f"{name:{_WIDTH}}{value}"))
