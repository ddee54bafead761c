"""The words of a command line, told apart: options with their values, tools, and the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from turnkeyml.cli.arguments import is_step, shorthand_specs
from turnkeyml.options import OptionSpec, option_specs
from turnkeyml.plugins.records import ToolRole
from turnkeyml.plugins.registry import Registry
from turnkeyml.request import GLOBAL_OPTIONS
from turnkeyml.tool import ChainTool


@dataclass(frozen=True)
class StepWord:
    """The name of a tool or a sequence."""

    name: str


@dataclass(frozen=True)
class OptionWords:
    """An option with its values.

    Args:
        words: As they stood there.
        spec: The option; None if it is none that is known here.
        flag: As it was spelt.
        values: What followed it, or stood behind its equals sign.
    """

    words: tuple[str, ...]
    spec: OptionSpec | None
    flag: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class OtherWord:
    """A word that is neither, such as a file."""

    text: str


Token = StepWord | OptionWords | OtherWord


def before_tools(registry: Registry) -> dict[str, OptionSpec]:
    """Give the options that may stand before the first tool, or in the one-word form, by spelling.

    The long name of an option comes first.
    """
    classes = [*GLOBAL_OPTIONS, *registry.settings_classes()]
    chain = [spec for cls in classes for spec in option_specs(cls)]
    found = {flag: spec for spec in chain for flag in spec.flags}
    for spec in shorthand_specs(registry):
        for flag in (spec.info.shorthand, *spec.info.flags):
            if flag is not None:
                found.setdefault(flag, spec)
    return found | _off_flags(found.values())


def options_of(tool: str, registry: Registry) -> dict[str, OptionSpec]:
    """Give the options of a tool by spelling; a sequence has none."""
    record = registry.find_tool(tool)
    if record is None or record.role is ToolRole.MANAGEMENT:
        return {}
    specs = option_specs(record.ref.load_class(ChainTool).Options)
    found = {flag: spec for spec in specs for flag in spec.flags}
    return found | _off_flags(specs)


def _off_flags(specs: Iterable[OptionSpec]) -> dict[str, OptionSpec]:
    return {spec.off_flag: spec for spec in specs if spec.off_flag is not None}


def read_words(
    words: Sequence[str], flags: dict[str, OptionSpec], registry: Registry
) -> Iterator[Token]:
    """Tell words apart, as click will.

    Args:
        words: Of the command line.
        flags: The options before the first tool.
        registry: What is installed; the options of a tool are those that follow its name.
    """
    rest = list(words)
    has_files = False
    while rest:
        word = rest.pop(0)
        if word == "--":
            yield from map(OtherWord, rest)
            return
        if is_step(word, registry) and not has_files:
            flags = options_of(word, registry)
            yield StepWord(word)
        elif not word.startswith("-") or word == "-":
            has_files = True
            yield OtherWord(word)
        else:
            yield _option(word, rest, flags, registry)


def _option(
    word: str, rest: list[str], flags: dict[str, OptionSpec], registry: Registry
) -> OptionWords:
    flag, equals, value = word.partition("=")
    spec = flags.get(flag)
    values = [value] if equals else []
    taken: list[str] = []
    if spec is not None and spec.takes_value:
        if spec.many:
            while rest and not rest[0].startswith("-") and not is_step(rest[0], registry):
                taken.append(rest.pop(0))
        elif not equals and rest:
            taken.append(rest.pop(0))
    return OptionWords((word, *taken), spec, flag, (*values, *taken))


def words_from(flag: str, values: Iterable[str]) -> list[str]:
    """Give the words that say an option's values, whatever they begin with."""
    return [f"{flag}={value}" for value in values]
