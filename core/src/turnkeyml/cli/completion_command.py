"""The command `completion`: the script with which a shell completes turnkey's commands."""

from __future__ import annotations

from importlib.resources import files

import click

from turnkeyml.cli.group import HELP_NAMES
from turnkeyml.plugins.registry import Registry
from turnkeyml.tool import ManagementTool

SHELLS = ("bash", "zsh", "fish")


class Completion(ManagementTool):
    """Print the script with which a shell completes turnkey's commands.

    \b
        eval "$(turnkey completion bash)"                    in ~/.bashrc
        eval "$(turnkey completion zsh)"                     in ~/.zshrc, after compinit
        turnkey completion fish | source                     in ~/.config/fish/config.fish

    The shell then asks turnkey for tools, sequences, options, runtimes, devices, executors and the
    names of builds, so that what is installed later is completed, too.
    """

    name = "completion"

    @classmethod
    def command(cls, registry: Registry) -> click.Command:
        """Make the command."""

        def show(shell: str) -> None:
            script = files("turnkeyml.cli").joinpath("shells").joinpath(f"turnkey.{shell}")
            click.echo(script.read_text("utf-8"), nl=False)

        return click.Command(
            cls.name,
            params=[click.Argument(["shell"], type=click.Choice(SHELLS))],
            callback=show,
            help=cls.__doc__,
            context_settings=HELP_NAMES,
        )
