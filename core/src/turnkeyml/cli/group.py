"""The click commands: the group that chains tools, and the one-word form."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import click

from turnkeyml.cli.arguments import GUIDE_COMMAND, looks_like_input
from turnkeyml.cli.config_options import config_options
from turnkeyml.cli.searching import SearchOptions, input_words
from turnkeyml.errors import UsageError
from turnkeyml.options import click_options, option_specs, options_from_values
from turnkeyml.plugins.records import ToolRecord, ToolRole
from turnkeyml.plugins.registry import CORE, Registry
from turnkeyml.request import (
    DefaultChainOptions,
    ExecutionOptions,
    GlobalOptions,
    RunRequest,
)
from turnkeyml.sequence import Step, flatten
from turnkeyml.tool import ChainTool, ManagementTool

HELP_NAMES = {"help_option_names": ["-h", "--help"]}
Submit = Callable[[RunRequest], int]
T = TypeVar("T")

GROUP_HELP = """Carry machine-learning models, unchanged, through a chain of tools.

\b
    turnkey -i bert.py discover export-pytorch benchmark --runtime ort
    turnkey bert.py                    the default chain, in one word
    turnkey bert.py -h                 its options
    turnkey TOOL -h                    what a tool does, and its options

Options stand before the first tool; each tool is followed by its own."""


class ChainGroup(click.Group):
    """``turnkey [options] TOOL [args] TOOL [args]...``, with the tools that are installed."""

    def __init__(self, registry: Registry, submit: Submit) -> None:
        super().__init__(
            "turnkey",
            params=[
                *click_options(GlobalOptions),
                *click_options(ExecutionOptions),
                *_plugin_options(registry),
                *config_options(),
                _version_option(),
            ],
            chain=True,
            help=GROUP_HELP,
            context_settings=HELP_NAMES,
            no_args_is_help=True,
            result_callback=self._run,
            subcommand_metavar="TOOL [ARGS]... [TOOL [ARGS]...]...",
        )
        self._registry = registry
        self._submit = submit

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name what can stand on the command line."""
        return sorted([*self._registry.tools, *self._registry.sequences])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make the command of a tool; its class is loaded only now."""
        if cmd_name in self._registry.sequences:
            return _sequence_command(cmd_name, self._registry)
        record = self._registry.find_tool(cmd_name)
        if record is None:
            return None
        if record.role is ToolRole.MANAGEMENT:
            raise UsageError(
                f"{cmd_name!r} stands alone and cannot be part of a chain.",
                hint=f"Run: turnkey {cmd_name} -h",
            )
        return tool_command(record)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the next tool; a word that names none is answered with the nearest."""
        if self.get_command(ctx, args[0]) is None:
            if looks_like_input(args[0]):
                raise UsageError(
                    f"{args[0]!r} stands where a tool is expected.",
                    hint=f"Name inputs first: turnkey -i {args[0]} TOOL...",
                )
            raise self._registry.unknown("tool", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List tools by where they may stand, without loading them."""
        titles = {
            ToolRole.FIRST: "Tools that start a chain",
            ToolRole.STEP: "Tools that follow",
            ToolRole.MANAGEMENT: "Commands that stand alone",
        }
        tools = self._registry.tools.values()
        for role, title in titles.items():
            rows = [(_title(t), t.summary) for t in tools if t.role is role]
            _definition_list(formatter, title, rows)
        sequences = self._registry.sequences.values()
        _definition_list(formatter, "Sequences", [(s.name, s.summary) for s in sequences])
        # The core's own starts from what others made.
        others = [t for t in tools if t.provider.distribution != CORE]
        if not any(t.role is ToolRole.FIRST for t in others):
            formatter.write_paragraph()
            formatter.write_text(
                "No tool that starts a chain from a model is installed. "
                "Install the usual ones with:"
            )
            with formatter.indentation():
                formatter.write_text("pip install 'turnkeyml-core[all]'")
        problems = len(self._registry.broken) + len(self._registry.conflicts)
        if problems:
            formatter.write_paragraph()
            formatter.write_text(f"Plugins left out: {problems}. See: turnkey plugins")

    def _run(self, steps: list[Step], **values: Any) -> int:
        options, execution, settings = _globals_from(values)
        title = " ".join(step.tool for step in steps)
        return self._submit(
            RunRequest(options, steps, title=title, settings=settings, execution=execution)
        )


def _plugin_options(registry: Registry) -> list[click.Option]:
    return [made for cls in registry.settings_classes() for made in click_options(cls)]


def _globals_from(
    values: dict[str, Any],
) -> tuple[GlobalOptions, ExecutionOptions, dict[str, Any]]:
    """Tell the core's own global options from those of plugins."""
    left = dict(values)

    def own(options_class: type[T]) -> T:
        names = [spec.name for spec in option_specs(options_class)]
        return options_from_values(options_class, {k: left.pop(k) for k in names if k in left})

    options, execution = own(GlobalOptions), own(ExecutionOptions)
    return options, execution, {k: v for k, v in left.items() if v not in (None, ())}


def _version_option() -> click.Option:
    def show(context: click.Context, option: click.Parameter, given: bool) -> None:
        if given:
            click.echo(metadata.version("turnkeyml-core"))
            context.exit()

    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Print the version of turnkey.",
    )


def _title(tool: ToolRecord) -> str:
    return f"{tool.name} ({', '.join(tool.aliases)})" if tool.aliases else tool.name


def _definition_list(
    formatter: click.HelpFormatter, title: str, rows: list[tuple[str, str]]
) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(sorted(rows))


def tool_command(record: ToolRecord) -> click.Command:
    """Make the click command of a tool that can stand in a chain."""
    tool = record.ref.load_class(ChainTool)
    text = inspect.getdoc(tool) or record.summary
    return _step_command(record.name, text, click_options(tool.Options))


def _sequence_command(name: str, registry: Registry) -> click.Command:
    """Make the command of a sequence, whose help says what it consists of."""
    try:
        steps = [step.tool for step in flatten([name], registry)]
        text = f"It consists of: {' '.join(steps)}."
    except UsageError as error:
        text = f"It cannot be used: {error}"
    summary = registry.sequences[name].summary
    more = "A sequence has no options; name its tools one by one to give them theirs."
    return _step_command(name, f"{summary}\n\n{text}\n\n{more}", [])


def _step_command(name: str, text: str, params: list[click.Option]) -> click.Command:
    def bind(**values: Any) -> Step:
        return Step(name, {key: value for key, value in values.items() if value not in (None, ())})

    return click.Command(
        name, params=list(params), callback=bind, help=text, context_settings=HELP_NAMES
    )


def shorthand_command(registry: Registry, submit: Submit, *, name: str) -> click.Command:
    """Make the one-word form, whose options are those of the tools that offer them there."""
    params: dict[str, click.Parameter] = {}
    for options_class in (GlobalOptions, ExecutionOptions):
        for option in click_options(options_class, shorthand=True):
            params[option.opts[0]] = option
    for added in _plugin_options(registry):
        params[added.opts[0]] = added
    own = {option.name for option in params.values()}
    params |= {option.opts[0]: option for option in config_options()}
    for option in (
        *click_options(DefaultChainOptions, shorthand=True),
        *click_options(SearchOptions, shorthand=True),
    ):
        params[option.opts[0]] = option
    spellings: dict[str, str] = {}
    for _, tool in registry.loadable_tools(ChainTool, ToolRole.FIRST, ToolRole.STEP):
        for option in click_options(tool.Options, shorthand=True):
            flag = option.opts[0]
            # Two tools may offer one option; a name of its own keeps their fields apart.
            option.name = flag.lstrip("-").replace("-", "_")
            params.setdefault(flag, option)
            spellings[option.name] = flag

    def start(files: tuple[str, ...], **values: Any) -> int:
        common = {key: value for key, value in values.items() if key in own}
        where = {key: values.get(key) for key in vars(SearchOptions())}
        words = input_words(_without_command(files), options_from_values(SearchOptions, where))
        options, execution, settings = _globals_from({**common, "input_files": words})
        given = {
            spellings[key]: value
            for key, value in values.items()
            if key in spellings and value not in (None, ())
        }
        parts = {key: values.get(key) for key in vars(DefaultChainOptions())}
        chain = options_from_values(DefaultChainOptions, parts)
        return submit(RunRequest(options, None, given, "benchmark", settings, chain, execution))

    files = click.Argument(["files"], nargs=-1, metavar="FILE...")
    text = (
        "Benchmark the models of scripts and model files with the default chain.\n\n"
        "The chain is chosen by the kind of file and by the runtime; --dry-run shows it."
    )
    return click.Command(
        name,
        params=[files, *params.values()],
        callback=start,
        help=text,
        context_settings=HELP_NAMES,
    )


def _without_command(files: Sequence[str]) -> Sequence[str]:
    """Leave out the word of ``turnkey --dry-run benchmark FILE``, where options came first."""
    named = files[:1] == (GUIDE_COMMAND,) and not Path(GUIDE_COMMAND).exists()
    return files[1:] if named else files


def management_command(record: ToolRecord, registry: Registry) -> click.Command:
    """Make the command of a tool that stands alone."""
    return record.ref.load_class(ManagementTool).command(registry)
