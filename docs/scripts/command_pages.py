"""The generated pages on commands, tools and sequences."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

import click
from md_parts import code, codes, help_text, page, table

from turnkeyml.cli.group import (
    GROUP_HELP,
    ChainGroup,
    management_command,
    shorthand_command,
)
from turnkeyml.options import OptionSpec, click_options, option_specs
from turnkeyml.plugins.records import ToolRecord, ToolRole
from turnkeyml.plugins.registry import Registry
from turnkeyml.request import ExecutionOptions, GlobalOptions, RunRequest
from turnkeyml.sequence import flatten
from turnkeyml.tool import ChainTool, FirstTool, Tool

_HEADS = ("option", "value", "default", "what it does")


def commands_page(registry: Registry) -> str:
    """Describe what stands before the first tool, the one-word form, and commands that stand alone."""
    parts = [
        help_text(GROUP_HELP.replace("\b\n", "")),
        "## Options before the first tool",
        _specs_table([*option_specs(GlobalOptions), *option_specs(ExecutionOptions)]),
        _others_table(registry),
        "`-h` and `--help` show the help, also after each tool.",
    ]
    for record in registry.settings:
        specs = option_specs(record.ref.load_class(object))
        parts += [f"### From {record.provider.distribution}", _specs_table(specs)]
    parts += [
        "## The one-word form",
        "`turnkey FILE...` takes the options above but `-i`, and these of the tools:",
        _one_word_table(registry),
        "`turnkey benchmark FILE...` is the same.",
    ]
    parts += ["## Commands that stand alone"]
    for record in _tools(registry, ToolRole.MANAGEMENT):
        command = management_command(record, registry)
        parts += list(_command_parts(command, f"turnkey {record.name}", 3))
    return page("Commands", *parts)


def _nothing(request: RunRequest) -> int:
    return 0


def _described(registry: Registry) -> set[str]:
    """Give the flags of options that are made from dataclasses."""
    classes = (GlobalOptions, ExecutionOptions, *registry.settings_classes())
    return {flag for cls in classes for option in click_options(cls) for flag in option.opts}


def _others_table(registry: Registry) -> str:
    known = _described(registry)
    params = ChainGroup(registry, _nothing).params
    return _click_table(p for p in params if isinstance(p, click.Option) and p.opts[0] not in known)


def _one_word_table(registry: Registry) -> str:
    always = _described(registry)
    always |= {flag for p in ChainGroup(registry, _nothing).params for flag in p.opts}
    command = shorthand_command(registry, _nothing, name="turnkey")
    own = [p for p in command.params if isinstance(p, click.Option) and p.opts[0] not in always]
    return _click_table(own)


def _command_parts(command: click.Command, path: str, level: int) -> Iterator[str]:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    usage = " ".join([path, *(a.make_metavar(click.Context(command)) for a in arguments)])
    yield f"{'#' * level} {path}"
    yield f"`{usage}`"
    yield help_text(command.help or "")
    yield _click_table([p for p in command.params if isinstance(p, click.Option)])
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from _command_parts(below, f"{path} {name}", level + 1)


def tools_page(registry: Registry) -> str:
    """Describe the tools that can stand in a chain."""
    parts = [
        "A chain begins with one of the first group. Each tool takes the newest artifact of a kind that it "
        "names; what makes none passes on what it got. Each explains itself with `-h`.",
    ]
    titles = {ToolRole.FIRST: "Tools that start a chain", ToolRole.STEP: "Tools that follow"}
    for role, title in titles.items():
        parts.append(f"## {title}")
        for record in _tools(registry, role):
            parts += _tool_parts(record)
    return page("Tools", *parts)


def _tool_parts(record: ToolRecord) -> list[str]:
    tool = record.ref.load_class(ChainTool)
    facts = [("package", code(record.provider.distribution))]
    if record.aliases:
        facts.append(("other names", codes(record.aliases)))
    if issubclass(tool, FirstTool):
        facts.append(("starts from", codes(sorted(tool.suffixes))))
    if issubclass(tool, Tool):
        facts.append(("takes", codes(tool.consumes) or "see below"))
    facts.append(("makes", code(str(tool.produces)) if tool.produces else "passes on what it takes"))
    if tool.reads:
        facts.append(("reads besides", codes(tool.reads)))
    if tool.libraries:
        facts.append(("libraries that decide its result", codes(tool.libraries)))
    return [
        f"### {record.name}",
        help_text(inspect.getdoc(tool) or record.summary),
        table(("", ""), facts),
        _specs_table(option_specs(tool.Options)),
    ]


def sequences_page(registry: Registry) -> str:
    """Describe the named sequences."""
    rows = [
        (
            code(name),
            codes(step.tool for step in flatten([name], registry)),
            record.summary,
            code(record.provider.distribution),
        )
        for name, record in sorted(registry.sequences.items())
    ]
    text = "A sequence stands in a chain where its tools would, and is a value of `--sequence` of the one-word form."
    return page("Sequences", text, table(("name", "tools", "what for", "package"), rows))


def _tools(registry: Registry, role: ToolRole) -> Iterable[ToolRecord]:
    return sorted((t for t in registry.tools.values() if t.role is role), key=lambda t: t.name)


def _specs_table(specs: Iterable[OptionSpec]) -> str:
    return table(_HEADS, [_spec_row(spec) for spec in specs])


def _spec_row(spec: OptionSpec) -> tuple[str, str, str, str]:
    flags = [*spec.flags, *([spec.off_flag] if spec.off_flag else [])]
    info = spec.info
    value = "" if not spec.takes_value else info.metavar or spec.type.__name__
    shown = code(value)
    if info.choices:
        shown = codes(info.choices)
    if spec.many:
        shown += ", several"
    if info.minimum is not None:
        shown += f", at least {info.minimum:g}"
    default = "" if spec.optional or spec.many or spec.default is False else str(spec.default)
    if spec.type is bool:
        default = "on" if spec.default else ""
    return codes(flags), shown, code(default), info.help


def _click_table(options: Iterable[click.Option]) -> str:
    rows = []
    for option in options:
        if "--help" in option.opts or option.hidden:
            continue
        choices = option.type.choices if isinstance(option.type, click.Choice) else ()
        name = "" if option.is_flag else option.metavar or option.type.name.upper()
        value = codes(choices) if choices else code(name)
        flags = codes([*option.opts, *option.secondary_opts])
        rows.append((flags, value, (option.help or "").replace("<", "&lt;")))
    return table(("option", "value", "what it does"), rows)
