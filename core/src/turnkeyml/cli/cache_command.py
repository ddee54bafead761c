"""The command `cache`: look at builds and make room."""

from __future__ import annotations

import difflib
import fnmatch
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import click

from turnkeyml.cache.cleaning import (
    beyond_size,
    bytes_from,
    clean_build,
    delete_build,
    seconds_from,
    used_before,
)
from turnkeyml.cache.documents import read_document
from turnkeyml.cache.layout import STATE_SCHEMA, STATS_SCHEMA, BuildDirectory, cache_from
from turnkeyml.cache.overview import BuildFacts, look_over
from turnkeyml.cli.cache_totals import (
    clean_rest,
    delete_all_commands,
    print_totals,
    totals_of,
)
from turnkeyml.cli.group import HELP_NAMES
from turnkeyml.console import format_bytes, plural, printable
from turnkeyml.errors import CacheError, ExitCode, UsageError
from turnkeyml.plugins.registry import Registry
from turnkeyml.tool import ManagementTool


class CacheTool(ManagementTool):
    """Look at the builds in a cache, and make room.

    \b
        turnkey cache list
        turnkey cache stats bert_b415f84d
        turnkey cache clean --older-than 30d
        turnkey cache delete 'bert_*'
        turnkey cache report -d results -r reports
        turnkey cache benchmark --all --runtime ort

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

        from turnkeyml.cli.cache_benchmark import benchmark_command
        from turnkeyml.cli.report_command import report_command

        group = click.Group(
            cls.name,
            help=cls.__doc__,
            context_settings=HELP_NAMES,
            invoke_without_command=True,
            callback=show_help,
        )
        made = [_list(), _stats("stats"), _stats("print"), _delete(), _clean(), _location()]
        for command in (*made, report_command(registry)):
            group.add_command(command)
        group.add_command(benchmark_command(registry))
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
    def run(cache_dir: Path | None, as_json: bool) -> None:
        cache = cache_from(cache_dir)
        found = list(look_over(cache))
        if as_json:
            click.echo(json.dumps([_json_of(facts) for facts in found], indent=2))
            return
        if not found:
            click.echo(f"There are no builds in the cache {cache.path}.")
            return
        click.echo(f"Builds available in cache {cache.path}:")
        width = max(len(printable(facts.build.name)) for facts in found)
        lines = (f"{printable(facts.build.name):{width}}  {_describe(facts)}" for facts in found)
        click.echo("\n".join(lines))

    text = "List the builds, with their status, size and last use."
    return _command("list", text, run, _json_option())


def _json_option() -> click.Option:
    return click.Option(["--json", "as_json"], is_flag=True, help="Print it as JSON.")


def _describe(facts: BuildFacts) -> str:
    size = format_bytes(facts.size)
    return f"{facts.status:12} {size:>9}  {_used(facts).astimezone():%Y-%m-%d %H:%M}"


def _json_of(facts: BuildFacts) -> dict[str, object]:
    return {
        "name": facts.build.name,
        "status": facts.status,
        "size_bytes": facts.size,
        "last_used": _used(facts).isoformat(timespec="seconds"),
        "path": str(facts.build.path),
    }


def _used(facts: BuildFacts) -> datetime:
    return datetime.fromtimestamp(facts.last_used, timezone.utc)


def _stats(name: str) -> click.Command:
    def run(cache_dir: Path | None, build_names: Sequence[str], as_json: bool) -> None:
        if not build_names:
            cache = cache_from(cache_dir)
            if as_json:
                click.echo(json.dumps({"path": str(cache.path), **totals_of(cache).to_json()}))
            else:
                print_totals(cache)
            return
        builds = chosen_builds(cache_dir, build_names, everything=False)
        if as_json:
            click.echo(json.dumps({build.name: _contents_of(build) for build in builds}, indent=2))
            return
        for path in (path for build in builds for path in (build.state_file, build.stats_file)):
            if path.is_file():
                click.echo(printable(f"# {path}"))
                click.echo(printable(path.read_text("utf-8", "replace")))

    argument = click.Argument(["build_names"], nargs=-1, metavar="[BUILD]...")
    text = (
        "Print the state and the statistics of builds; without a name, what the cache holds in all."
    )
    return _command(name, text, run, argument, _json_option(), hidden=name == "print")


def _contents_of(build: BuildDirectory) -> dict[str, object]:
    found: dict[str, object] = {"state": read_document(build.state_file, STATE_SCHEMA)}
    if build.stats_file.is_file():
        found["stats"] = read_document(build.stats_file, STATS_SCHEMA)
    return found


def _delete() -> click.Command:
    def run(cache_dir: Path | None, build_names: Sequence[str], everything: bool, yes: bool) -> int:
        if not build_names and not everything:
            raise UsageError("No build is named.", hint="Name builds, or give --all.")
        builds = chosen_builds(cache_dir, build_names, everything=everything)
        if not yes and builds:
            _ask(builds, by_name=not everything and not any(map(is_pattern, build_names)))
        code = _apply(delete_build, builds, "Deleted")
        if everything:
            delete_all_commands(cache_from(cache_dir))
        return code

    yes = click.Option(["--yes", "-y"], is_flag=True, help="Do not ask.")
    text = (
        "Delete builds, with everything that is known of them. On a terminal it asks first; "
        "elsewhere --all and patterns need --yes."
    )
    return _command("delete", text, run, *_names(), yes)


def _ask(builds: Sequence[BuildDirectory], *, by_name: bool) -> None:
    """Let the user think again; who names a build in a script has."""
    what = f"{plural(len(builds), 'build')} in {builds[0].cache}"
    if sys.stdin is not None and sys.stdin.isatty():
        click.confirm(printable(f"Delete {what}?"), abort=True, err=True)
    elif not by_name:
        raise UsageError(printable(f"This would delete {what}."), hint="Say so with --yes.")


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
        builds = chosen_builds(cache_dir, build_names, everything=everything or not build_names)
        before = time.time() - (0.0 if age is None else seconds_from(age))
        if age is not None:
            builds = used_before(builds, before)
        if size is not None:
            builds = beyond_size(builds, bytes_from(size))
        # Removing large builds takes long; commands may use others of the list meanwhile.
        since = None if age is None and size is None else before
        code = _apply(partial(clean_build, unless_used_since=since), builds, "Cleaned")
        if everything or (age is not None and not build_names):
            clean_rest(cache_from(cache_dir), before)
        return code

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
    text = (
        "Delete what builds made, and keep their logs, state and statistics. With --all or "
        "--older-than also what finished commands left, and environments that no command uses."
    )
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


def chosen_builds(
    cache_dir: Path | None, names: Sequence[str], *, everything: bool
) -> list[BuildDirectory]:
    """Give the builds that a user means.

    Args:
        cache_dir: The cache; by default the usual one.
        names: Of builds, or patterns such as ``bert_*``.
        everything: All builds, whatever is named.

    Raises:
        UsageError: A name or pattern fits no build.
    """
    cache = cache_from(cache_dir)
    builds = {build.name: build for build in cache.builds()}
    chosen: dict[str, BuildDirectory] = {}
    for name in names:
        found = [name] if name in builds else _matching(name, list(builds))
        if not found:
            near = difflib.get_close_matches(name, list(builds), n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else "See: turnkey cache list"
            raise UsageError(f"There is no build {name!r} in the cache {cache.path}.", hint=hint)
        chosen |= {one: builds[one] for one in found}
    return list(builds.values()) if everything else list(chosen.values())


def is_pattern(name: str) -> bool:
    """Tell whether a name stands for several builds."""
    return any(character in name for character in "*?[")


def _matching(name: str, builds: Sequence[str]) -> list[str]:
    return fnmatch.filter(builds, name) if is_pattern(name) else []


def _apply(
    action: Callable[[BuildDirectory], int | None], builds: Sequence[BuildDirectory], done: str
) -> int:
    freed, count, code = 0, 0, ExitCode.OK
    for build in builds:
        try:
            size = action(build)
            freed += size or 0
            count += size is not None
        except CacheError as error:
            click.echo(f"Error: {error}", err=True)
            code = ExitCode.FAILED
    click.echo(f"{done} {plural(count, 'build')}, {format_bytes(freed)} freed.")
    return code
