"""The `turnkey` command: from words to an exit code."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import Any

import click

from turnkeyml.cli.arguments import Route, expand_chain, expand_single, find_route, require_step
from turnkeyml.cli.group import ChainGroup, management_command, shorthand_command
from turnkeyml.console import Console
from turnkeyml.errors import ExitCode, TurnkeyError
from turnkeyml.options import OptionSpec, option_specs
from turnkeyml.plugins.records import ToolRole
from turnkeyml.plugins.registry import Registry, load_registry
from turnkeyml.request import GLOBAL_OPTIONS, DefaultChainOptions, RunRequest
from turnkeyml.tool import ChainTool


def main() -> None:
    """Run the command line of this process and exit."""
    console = Console()
    code = run_command(sys.argv[1:], console)
    if not console.is_complete:
        code = code or ExitCode.FAILED
    # What is left is ended with the process: collecting it first takes a second after torch.
    gc.freeze()
    sys.exit(int(code))


def run_command(words: Sequence[str], console: Console) -> int:
    """Run a command line; errors that a user can make are printed and become exit codes.

    Args:
        words: Without the program's name.
        console: Where it speaks.

    Returns:
        The exit code.
    """
    try:
        registry = load_registry()
        return _dispatch(list(words), registry, console)
    except TurnkeyError as error:
        console.error(error.message, error.hint)
        return error.exit_code
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        console.progress(error.format_message())
        return ExitCode.USAGE
    except click.NoSuchOption as error:
        path = error.ctx.command_path if error.ctx is not None else "turnkey"
        if error.option_name in _global_flags(registry) and path != "turnkey":
            console.error(
                f"{error.option_name} stands before the first tool.", "turnkey -h lists what does."
            )
        else:
            console.error(error.format_message(), f"See: {path} -h")
        return ExitCode.USAGE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx is not None else "turnkey"
        console.error(error.format_message(), f"See: {path} -h")
        return ExitCode.USAGE
    except click.ClickException as error:
        console.error(error.format_message())
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        console.error("Interrupted.", "What was finished is kept in the cache.")
        return ExitCode.INTERRUPTED


def _dispatch(words: list[str], registry: Registry, console: Console) -> int:
    def submit(request: RunRequest) -> int:
        from turnkeyml.running import run

        return run(request, registry, console).exit_code

    route = find_route(words, registry)
    if route is Route.CHAIN:
        if "-i" in words or "--input-files" in words:
            require_step(words, registry)
        return _invoke(ChainGroup(registry, submit), "turnkey", expand_chain(words, registry))
    if route is Route.MANAGEMENT:
        record = registry.tool(words[0])
        return _invoke(management_command(record, registry), f"turnkey {words[0]}", words[1:])
    name, rest = ("turnkey benchmark", words[1:]) if route is Route.GUIDE else ("turnkey", words)
    command = shorthand_command(registry, submit, name=name)
    return _invoke(command, name, expand_single(rest, _shorthand_specs(registry)))


def _invoke(command: click.Command, name: str, words: list[str]) -> int:
    result: Any = command.main(args=words, prog_name=name, standalone_mode=False)
    return result if isinstance(result, int) else ExitCode.OK


def _global_flags(registry: Registry) -> set[str]:
    classes = [*GLOBAL_OPTIONS, *registry.settings_classes()]
    return {flag for cls in classes for spec in option_specs(cls) for flag in spec.flags}


def _shorthand_specs(registry: Registry) -> list[OptionSpec]:
    own = (*GLOBAL_OPTIONS, DefaultChainOptions)
    found = [spec for options_class in own for spec in option_specs(options_class)]
    for _, tool in registry.loadable_tools(ChainTool, ToolRole.FIRST, ToolRole.STEP):
        found += option_specs(tool.Options)
    added = [spec for cls in registry.settings_classes() for spec in option_specs(cls)]
    return [*(spec for spec in found if spec.info.shorthand is not None), *added]
