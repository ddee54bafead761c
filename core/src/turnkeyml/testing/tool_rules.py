"""What a tool must keep before it is ever run: class, options, help, resolve and contract."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from turnkeyml.cli.arguments import expand_chain
from turnkeyml.cli.group import management_command, tool_command
from turnkeyml.errors import PlanError, TurnkeyError
from turnkeyml.execution.capture import output_to
from turnkeyml.options import (
    OptionSpec,
    argv_from_options,
    json_from_options,
    option_specs,
    options_from_json,
    options_from_values,
)
from turnkeyml.testing.fresh import ask
from turnkeyml.testing.rules import Rule, Violation, rule
from turnkeyml.testing.surroundings import differences, look
from turnkeyml.testing.tool_subject import IN_CHAIN, ToolSubject
from turnkeyml.tool import AnyTool, Contract, FirstTool, ManagementTool

WIDTHS = (40, 100)
_TOOL = "docs/writing_a_plugin.md, 'A tool'"
_CONTRACT = "docs/adr/0001-contract-takes-the-registry.md"


TOOL_RULES: list[Rule[ToolSubject]] = []


@rule(TOOL_RULES, where=_TOOL)
def its_class_keeps_the_contract(subject: ToolSubject) -> None:
    """A tool is a class with a name and a docstring; kinds, suffixes and libraries are tuples of
    names, and what a tool makes is one kind or None."""
    found = subject.record.ref.load_class(AnyTool)
    if not inspect.getdoc(found):
        raise Violation(f"The class {found.__name__} has no docstring.")
    if issubclass(found, ManagementTool):
        return
    tool = subject.tool
    attributes = ["consumes", "reads", "libraries", "aliases"]
    attributes += ["suffixes"] if issubclass(tool, FirstTool) else []
    for attribute in attributes:
        value = getattr(tool, attribute)
        if not isinstance(value, tuple) or not all(isinstance(item, str) for item in value):
            raise Violation(f"{attribute} is {value!r}, and must be a tuple of names.")
    if not isinstance(tool.produces, (str, type(None))):
        raise Violation(f"produces is {tool.produces!r}, and must be one kind or None.")
    if issubclass(tool, FirstTool) and not all(s.startswith(".") for s in tool.suffixes):
        raise Violation(f"suffixes are {tool.suffixes!r}, and must begin with a dot.")


@rule(TOOL_RULES, where="the docstring of turnkeyml.options.option", scope=IN_CHAIN)
def its_options_are_a_frozen_dataclass_with_help(subject: ToolSubject) -> None:
    """Options are one frozen dataclass; every field is made by option(), has help, a type that a
    command line can give, and a default that it would take."""
    check_options_class(subject.tool.Options)


def check_options_class(options_class: type) -> None:
    """Check a dataclass of options.

    Raises:
        Violation: It is not what it must be.
    """
    name = options_class.__qualname__
    if not dataclasses.is_dataclass(options_class):
        raise Violation(f"{name} is no dataclass.")
    if not options_class.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise Violation(f"{name} is not frozen.")
    try:
        specs = option_specs(options_class)
    except TypeError as error:
        raise Violation(str(error)) from error
    for spec in specs:
        if not spec.info.help.strip():
            raise Violation(f"The option {spec.flags[0]} says nothing about itself.")
        if spec.default is None and not spec.optional:
            raise Violation(
                f"The default of {spec.flags[0]} is None, which its type does not have."
            )
        try:
            taken = options_from_values(options_class, {spec.name: spec.default})
        except TurnkeyError as error:
            raise Violation(f"The default of {spec.flags[0]} is refused: {error}") from error
        if getattr(taken, spec.name) != spec.default:
            raise Violation(
                f"The default of {spec.flags[0]} is {spec.default!r}, which its type turns into "
                f"{getattr(taken, spec.name)!r}."
            )


@rule(TOOL_RULES)
def its_help_fits_narrow_and_wide_terminals(subject: ToolSubject) -> None:
    """'turnkey TOOL -h' can be read in 40 and in 100 columns, and shows every option."""
    for width in WIDTHS:
        for path, page, flags in _pages(subject, width):
            for flag in flags:
                if flag not in page:
                    raise Violation(f"{path} -h in {width} columns does not show {flag}.")
            control = [c for c in page if not c.isprintable() and c != "\n"]
            if control:
                raise Violation(f"{path} -h has the control character {control[0]!r}.")


def _pages(subject: ToolSubject, width: int) -> Iterator[tuple[str, str, list[str]]]:
    """Give the help pages: the command, the page, the options that it must show."""
    if subject.is_alone:
        command = management_command(subject.record, subject.registry)
    else:
        command = tool_command(subject.record)
    yield from _pages_of(command, f"turnkey {subject.name}", width)


def _pages_of(
    command: click.Command, path: str, width: int
) -> Iterator[tuple[str, str, list[str]]]:
    context = click.Context(command, info_name=path, terminal_width=width)
    shown = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    yield path, command.get_help(context), [option.opts[0] for option in shown]
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _pages_of(inner, f"{path} {name}", width)


@rule(TOOL_RULES, where="docs/adr/0005-reuse.md", scope=IN_CHAIN)
def its_options_survive_the_command_line(subject: ToolSubject) -> None:
    """Options turned into words of a command line and read back are the same: that is how other
    processes get them, and how a plan shows them."""
    command = tool_command(subject.record)
    for options in _samples(subject):
        words = [subject.name, *argv_from_options(options)]
        expanded = expand_chain(words, subject.registry)[1:]
        try:
            context = command.make_context(subject.name, expanded)
            step = command.invoke(context)
            back: Any = options_from_values(subject.tool.Options, step.options, subject.name)
        except (click.ClickException, TurnkeyError) as error:
            raise Violation(f"'{' '.join(words)}' is refused: {error}") from error
        _compare(options, back, f"'{' '.join(words)}'")


@rule(TOOL_RULES, where="docs/adr/0005-reuse.md", scope=IN_CHAIN)
def its_options_survive_json(subject: ToolSubject) -> None:
    """Options turned into JSON and read back are the same: they are part of a step's key."""
    for options in _samples(subject):
        data = json_from_options(options)
        back: Any = options_from_json(subject.tool.Options, data)
        _compare(options, back, f"The JSON {data}")


def _compare(options: Any, back: Any, what: str) -> None:
    if back != options:
        raise Violation(f"{what} gives {back}, and was made from {options}.")


def _samples(subject: ToolSubject) -> Iterator[Any]:
    """Make options to send to and fro: the author's, and each option with a few values."""
    yield from subject.given()
    yield from (resolved for _, resolved in subject.usable())
    for spec in option_specs(subject.tool.Options):
        for value in _values(spec):
            yield options_from_values(subject.tool.Options, {spec.name: value})


def _values(spec: OptionSpec) -> Iterator[Any]:
    info = spec.info
    if spec.type is bool:
        # What is off unless it is given cannot be switched off by a word.
        yield spec.default is not True
        return
    found: tuple[Any, ...]
    if info.choices:
        found = info.choices
    elif spec.type in (int, float):
        lowest = 0 if info.minimum is None else info.minimum
        found = (spec.type(lowest), spec.type(lowest + 1))
    else:
        found = tuple(spec.type(text) for text in ("word", "two words", "ünï/cøde.txt"))
    yield from ((value,) for value in found) if spec.many else found
    if spec.many:
        yield found


@rule(TOOL_RULES, where=_CONTRACT, scope=IN_CHAIN)
def resolving_its_options_has_no_side_effects(subject: ToolSubject) -> None:
    """resolve() gives options of the same class, the same each time, and does nothing else: it is
    called when a chain is planned, also for --dry-run. So does expand(), several of them."""

    def resolve(options: Any) -> Any:
        several = subject.tool.expand(options, subject.registry)
        return [subject.tool.resolve(one, subject.registry) for one in several]

    for options in subject.given():
        try:
            found = _call_twice(subject, "resolve()", resolve, options)
        except PlanError as error:
            if not str(error).strip():
                raise Violation("resolve() raises a PlanError that says nothing.") from error
            continue
        for one in found:
            if not isinstance(one, subject.tool.Options):
                wanted = subject.tool.Options.__qualname__
                raise Violation(f"resolve() gives {one!r}, which is no {wanted}.")


@rule(TOOL_RULES, where=_CONTRACT, scope=IN_CHAIN)
def its_contract_has_no_side_effects(subject: ToolSubject) -> None:
    """contract() gives a Contract with kinds as names, the same each time, and does nothing
    else."""

    def contract(options: Any) -> Any:
        return subject.tool.contract(options, subject.registry)

    for _, options in subject.usable():
        found = _call_twice(subject, "contract()", contract, options)
        if not isinstance(found, Contract):
            raise Violation(f"contract() gives {found!r}, which is no Contract.")
        for attribute in ("consumes", "may_produce"):
            value = getattr(found, attribute)
            if not isinstance(value, tuple) or not all(isinstance(kind, str) for kind in value):
                raise Violation(f"contract() gives {attribute} as {value!r}, not as a tuple.")
        if not isinstance(found.produces, (str, type(None))):
            raise Violation(f"contract() gives produces as {found.produces!r}.")


def _call_twice(
    subject: ToolSubject, what: str, function: Callable[[Any], Any], options: Any
) -> Any:
    """Call a function that must be pure, and see that it is."""
    printed = subject.scratch / "planning.txt"
    before, names = look(), _names_in(Path.cwd())
    with output_to(printed):
        first = function(options)
        second = function(options)
    if first != second:
        raise Violation(f"{what} gives {first} and then, with the same options, {second}.")
    if changed := differences(before):
        raise Violation(f"After {what}, {'; '.join(changed)}.")
    if made := _names_in(Path.cwd()) - names:
        raise Violation(f"{what} makes {', '.join(sorted(made))} in the working directory.")
    if text := printed.read_text("utf-8", "replace").strip():
        raise Violation(f"{what} prints {text.splitlines()[0]!r}.")
    return first


def _names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@rule(TOOL_RULES, where="docs/writing_a_plugin.md", scope=IN_CHAIN)
def planning_with_it_loads_no_heavy_package(subject: ToolSubject) -> None:
    """Help, resolve() and contract() import nothing heavy: whether a chain can work is said at
    once."""
    data = [_plain(values) for values, _ in subject.usable()]
    answer = ask("plan", subject.scratch, tool=subject.name, options=data)
    if answer.heavy:
        raise Violation(f"Planning with it imports {', '.join(answer.heavy)}.")


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: str(value)
        if isinstance(value, Path)
        else [str(item) if isinstance(item, Path) else item for item in value]
        if isinstance(value, (list, tuple))
        else value
        for name, value in values.items()
    }
