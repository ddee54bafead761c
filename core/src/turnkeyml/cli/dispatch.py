"""From the words of a command line to an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click

from turnkeyml.cli.arguments import (
    Route,
    expand_chain,
    expand_single,
    find_route,
    gives_inputs,
    require_step,
    shorthand_specs,
)
from turnkeyml.cli.config_options import ConfigOptions, names_config
from turnkeyml.cli.group import ChainGroup, management_command, shorthand_command
from turnkeyml.cli.pages import PageFormatter
from turnkeyml.console import Console
from turnkeyml.errors import ExitCode, TurnkeyError
from turnkeyml.options import option_specs
from turnkeyml.plugins.registry import Registry, load_registry
from turnkeyml.request import GLOBAL_OPTIONS, RunRequest

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


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
        if names_config(words):
            return _with_config(words, registry, console)
        return _dispatch(list(words), registry, console)
    except TurnkeyError as error:
        console.error(error.message, error.hint)
        return error.exit_code
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.UsageError as error:
        return _tell_usage(error, registry, console)
    except click.ClickException as error:
        console.error(error.format_message())
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        console.error("Interrupted.", "What was finished is kept in the cache.")
        return ExitCode.INTERRUPTED
    except OSError as error:
        # What click could not print; an error with a file's name is of something else.
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        _give_up_output()
        console.error(*unwritten(error.strerror))
        return ExitCode.FAILED


def _tell_usage(error: click.UsageError, registry: Registry, console: Console) -> int:
    path = error.ctx.command_path if error.ctx is not None else "turnkey"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        console.progress(error.format_message())
    elif (
        isinstance(error, click.NoSuchOption)
        and error.option_name in _global_flags(registry)
        and path != "turnkey"
    ):
        console.error(
            f"{error.option_name} stands before the first tool.", "turnkey -h lists what does."
        )
    else:
        if (
            error.ctx is not None
            and path == "turnkey"
            and not isinstance(error.ctx.command, click.Group)
        ):
            # What the one-word form takes stands in a page of its own.
            path = "turnkey FILE"
        console.error(error.format_message(), f"See: {path} -h")
    return ExitCode.USAGE


def unwritten(reason: str | None = None) -> tuple[str, str]:
    """Say that what was printed is not complete, and what to do."""
    why = f": {reason}" if reason else ""
    return (f"Not all of the output could be written{why}.", "Make room, or send it elsewhere.")


def _give_up_output() -> None:
    """Let what is left in the buffer go nowhere, or Python fails at it again in the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _with_config(words: Sequence[str], registry: Registry, console: Console) -> int:
    from turnkeyml.cli.config import expand_config, write_config

    expanded = expand_config(words, registry)
    if expanded.write_to is None:
        return _dispatch(expanded.words, registry, console)
    code = _dispatch(expanded.dry_words, registry, console)
    if code == ExitCode.OK:
        write_config(expanded.write_to, expanded.words, registry)
        console.print(f"Saved: {expanded.write_to}")
    return code


def _dispatch(words: list[str], registry: Registry, console: Console) -> int:
    def submit(request: RunRequest) -> int:
        from turnkeyml.running import run

        return run(request, registry, console).exit_code

    route = find_route(words, registry)
    if route is Route.CHAIN:
        if gives_inputs(words):
            require_step(words, registry)
        return _invoke(ChainGroup(registry, submit), "turnkey", expand_chain(words, registry))
    if route is Route.MANAGEMENT:
        record = registry.tool(words[0])
        return _invoke(management_command(record, registry), f"turnkey {words[0]}", words[1:])
    name, rest = ("turnkey benchmark", words[1:]) if route is Route.GUIDE else ("turnkey", words)
    command = shorthand_command(registry, submit, name=name)
    return _invoke(command, name, expand_single(rest, shorthand_specs(registry)))


def _invoke(command: click.Command, name: str, words: list[str]) -> int:
    # Commands of plugins make their pages with it, too.
    click.Context.formatter_class = PageFormatter
    result: Any = command.main(args=words, prog_name=name, standalone_mode=False)
    return result if isinstance(result, int) else ExitCode.OK


def _global_flags(registry: Registry) -> set[str]:
    classes = [*GLOBAL_OPTIONS, ConfigOptions, *registry.settings_classes()]
    return {flag for cls in classes for spec in option_specs(cls) for flag in spec.flags}
