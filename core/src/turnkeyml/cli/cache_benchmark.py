"""The command ``cache benchmark``: measure what is built already."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from turnkeyml.cache.layout import cache_from
from turnkeyml.cli.cache_command import chosen_builds
from turnkeyml.cli.many_values import ManyValues
from turnkeyml.errors import TurnkeyError, UsageError
from turnkeyml.options import click_options, option, option_specs, options_from_values
from turnkeyml.plugins.records import ToolRole
from turnkeyml.plugins.registry import Registry
from turnkeyml.policy import Skip
from turnkeyml.request import GlobalOptions, RunRequest
from turnkeyml.sequence import Step
from turnkeyml.tool import ChainTool

_TOOL = "benchmark"
_LOAD = "load-build"


@dataclass(frozen=True)
class CacheBenchmarkOptions:
    """The options that ``cache benchmark`` has besides those of `benchmark`."""

    cache_dir: Path | None = option(
        None,
        flags=("-d",),
        metavar="DIR",
        help="The cache. [default: TURNKEY_CACHE_DIR, else ~/.cache/turnkey]",
    )
    all: bool = option(False, help="All builds in the cache.")
    skip_policy: str | None = option(
        None,
        choices=tuple(choice.value for choice in Skip),
        help="Leave out builds on which the same was attempted, failed or was successful before.",
    )
    rebuild: str = option(
        GlobalOptions().rebuild,
        choices=("if_needed", "always", "never"),
        help="never takes builds of another version of turnkey, too.",
    )


class CacheBenchmark(ManyValues):
    """``turnkey cache benchmark``; the tool that measures is loaded when the options are needed."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(
            _TOOL,
            (),
            params=[
                click.Argument(["build_names"], nargs=-1, metavar="[BUILD]..."),
                *click_options(CacheBenchmarkOptions),
            ],
            callback=self._run,
            help=f"Measure what is built already, as `{_LOAD}` and `{_TOOL}` do.",
        )
        self._registry = registry
        self._options: type | None = None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Add the options of the tool, then read the words."""
        self._load()
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Give all options, the tool's too, if it is installed."""
        with suppress(TurnkeyError):
            self._load()
        return super().get_params(ctx)

    def _load(self) -> None:
        if self._options is not None:
            return
        record = self._registry.tool(_TOOL)
        if record.role is not ToolRole.STEP:
            raise UsageError(f"The installed {_TOOL} is no step of a chain.")
        self._options = record.ref.load_class(ChainTool).Options
        own = {spec.name for spec in option_specs(CacheBenchmarkOptions)}
        added = [spec for spec in option_specs(self._options) if spec.name not in own]
        self._specs = (*option_specs(CacheBenchmarkOptions), *added)
        names = {spec.name for spec in added}
        self.params += [made for made in click_options(self._options) if made.name in names]

    def _run(self, build_names: Sequence[str], **values: Any) -> int:
        from turnkeyml.console import Console
        from turnkeyml.running import run

        own = {spec.name for spec in option_specs(CacheBenchmarkOptions)}
        options = options_from_values(
            CacheBenchmarkOptions, {key: value for key, value in values.items() if key in own}
        )
        if not build_names and not options.all:
            raise UsageError("No build is named.", hint="Name builds, or give --all.")
        builds = chosen_builds(options.cache_dir, build_names, everything=options.all)
        if not builds:
            raise UsageError(
                f"There are no builds in the cache {cache_from(options.cache_dir).path}.",
                hint="Make some first: turnkey FILE --build-only",
            )
        given = {k: v for k, v in values.items() if k not in own and v not in (None, ())}
        request = RunRequest(
            GlobalOptions(
                tuple(str(build.state_file) for build in builds),
                cache_dir=options.cache_dir,
                skip_policy=options.skip_policy,
                rebuild=options.rebuild,
            ),
            [Step(_LOAD), Step(_TOOL, given)],
            title=f"cache {_TOOL}",
        )
        with Console() as console:
            return run(request, self._registry, console).exit_code


def benchmark_command(registry: Registry) -> click.Command:
    """Make the command."""
    return CacheBenchmark(registry)
