"""The command `cache`: look at builds and make room."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

import click

from turnkeyml.cache.cleaning import (
    beyond_size,
    bytes_from,
    clean_build,
    delete_build,
    last_used,
    older_than,
    seconds_from,
    size_of,
)
from turnkeyml.cache.layout import BuildDirectory, cache_from
from turnkeyml.cli.group import HELP_NAMES
from turnkeyml.console import format_bytes, plural, printable
from turnkeyml.errors import CacheError, ExitCode, UsageError
from turnkeyml.plugins.registry import Registry
from turnkeyml.saved_state import load_state
from turnkeyml.tool import ManagementTool


class CacheTool(ManagementTool):
    """Look at the builds in a cache, and make room.

    \b
        turnkey cache list
        turnkey cache stats bert_b415f84d
        turnkey cache clean --older-than 30d
        turnkey cache delete bert_b415f84d

    A *build* is the folder of one model: artifacts, logs, state and statistics. `clean` removes
    the artifacts, `delete` everything. A build that a running command works on is left alone.
    """

    name = "cache"

    @classmethod
    def command(cls, registry: Registry) -> click.Command:
        """Make the command."""

        def show_help() -> None:
            context = click.get_current_context()
            if context.invoked_subcommand is None:
                click.echo(context.get_help())

        group = click.Group(
            cls.name,
            help=cls.__doc__,
            context_settings=HELP_NAMES,
            invoke_without_command=True,
            callback=show_help,
        )
        for made in (_list(), _stats("stats"), _stats("print"), _delete(), _clean(), _location()):
            group.add_command(made)
        return group


def _directory_option() -> click.Option:
    return click.Option(
        ["-d", "--cache-dir"],
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The cache. [default: TURNKEY_CACHE_DIR, else ~/.cache/turnkey]",
    )


def _command(
    name: str,
    text: str,
    callback: Callable[..., object],
    *params: click.Parameter,
    hidden: bool = False,
) -> click.Command:
    return click.Command(
        name,
        params=[*params, _directory_option()],
        callback=callback,
        help=text,
        context_settings=HELP_NAMES,
        hidden=hidden,
    )


def _list() -> click.Command:
    def run(cache_dir: Path | None) -> None:
        cache = cache_from(cache_dir)
        builds = cache.builds()
        if not builds:
            click.echo(f"There are no builds in the cache {cache.path}.")
            return
        click.echo(f"Builds available in cache {cache.path}:")
        width = max(len(printable(build.name)) for build in builds)
        for build in builds:
            click.echo(f"{printable(build.name):{width}}  {_describe(build)}")

    return _command("list", "List the builds, with their status, size and last use.", run)


def _describe(build: BuildDirectory) -> str:
    try:
        status = load_state(build).status.value
    except CacheError:
        status = "unreadable"
    used = datetime.fromtimestamp(last_used(build), timezone.utc).astimezone()
    return f"{status:12} {format_bytes(size_of(build)):>9}  {used:%Y-%m-%d %H:%M}"


def _stats(name: str) -> click.Command:
    def run(cache_dir: Path | None, build_name: str) -> None:
        build = _chosen(cache_dir, [build_name], everything=False)[0]
        for path in (build.state_file, build.stats_file):
            if path.is_file():
                click.echo(f"# {path}")
                click.echo(printable(path.read_text("utf-8", "replace")))

    argument = click.Argument(["build_name"], metavar="BUILD")
    text = "Print the state and the statistics of a build."
    return _command(name, text, run, argument, hidden=name == "print")


def _delete() -> click.Command:
    def run(cache_dir: Path | None, build_names: Sequence[str], everything: bool) -> int:
        if not build_names and not everything:
            raise UsageError("No build is named.", hint="Name builds, or give --all.")
        return _apply(
            delete_build, _chosen(cache_dir, build_names, everything=everything), "Deleted"
        )

    return _command(
        "delete", "Delete builds, with everything that is known of them.", run, *_names()
    )


def _clean() -> click.Command:
    def run(
        cache_dir: Path | None,
        build_names: Sequence[str],
        everything: bool,
        age: str | None,
        size: str | None,
    ) -> int:
        if not (build_names or everything or age or size):
            raise UsageError(
                "No build is named.", hint="Name builds, or give --all, --older-than or --max-size."
            )
        builds = _chosen(cache_dir, build_names, everything=everything or not build_names)
        if age is not None:
            builds = older_than(builds, seconds_from(age))
        if size is not None:
            builds = beyond_size(builds, bytes_from(size))
        return _apply(clean_build, builds, "Cleaned")

    age = click.Option(
        ["--older-than", "age"],
        metavar="TIME",
        help="Only builds that no command worked on for so long, such as 30d, 12h or 2w.",
    )
    size = click.Option(
        ["--max-size", "size"],
        metavar="SIZE",
        help="Only as many builds, longest unused first, as bring the rest below this, "
        "such as 500MB or 10GB.",
    )
    text = "Delete what builds made, and keep their logs, state and statistics."
    return _command("clean", text, run, *_names(), age, size)


def _location() -> click.Command:
    def run(cache_dir: Path | None) -> None:
        click.echo(str(cache_from(cache_dir).path))

    return _command("location", "Print where the cache is.", run)


def _names() -> list[click.Parameter]:
    return [
        click.Argument(["build_names"], nargs=-1, metavar="[BUILD]..."),
        click.Option(["--all", "everything"], is_flag=True, help="All builds in the cache."),
    ]


def _chosen(
    cache_dir: Path | None, names: Sequence[str], *, everything: bool
) -> list[BuildDirectory]:
    cache = cache_from(cache_dir)
    builds = {build.name: build for build in cache.builds()}
    for name in names:
        if name not in builds:
            near = difflib.get_close_matches(name, list(builds), n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else "See: turnkey cache list"
            raise UsageError(f"There is no build {name!r} in the cache {cache.path}.", hint=hint)
    return list(builds.values()) if everything else [builds[name] for name in dict.fromkeys(names)]


def _apply(
    action: Callable[[BuildDirectory], int], builds: Sequence[BuildDirectory], done: str
) -> int:
    freed, count, code = 0, 0, ExitCode.OK
    for build in builds:
        try:
            freed += action(build)
            count += 1
        except CacheError as error:
            click.echo(f"Error: {error}", err=True)
            code = ExitCode.FAILED
    click.echo(f"{done} {plural(count, 'build')}, {format_bytes(freed)} freed.")
    return code
