"""Words of the command line, made ready for click: options that take many values, and where a
command line goes."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from enum import Enum, auto
from pathlib import Path

from turnkeyml.cli.searching import ALL, SearchOptions
from turnkeyml.errors import UsageError
from turnkeyml.options import OptionSpec, option_specs
from turnkeyml.plugins.records import ToolRole
from turnkeyml.plugins.registry import Registry, package_for
from turnkeyml.request import GLOBAL_OPTIONS, DefaultChainOptions
from turnkeyml.tool import ChainTool

GUIDE_COMMAND = "benchmark"
_INPUTS = ("-i", "--input-files")


class Route(Enum):
    """Which form of command line it is."""

    CHAIN = auto()
    """``turnkey -i FILE... TOOL TOOL``, and everything else that click answers."""
    SHORTHAND = auto()
    """``turnkey FILE...``"""
    GUIDE = auto()
    """``turnkey benchmark FILE...``"""
    MANAGEMENT = auto()
    """``turnkey plugins``"""


def find_route(words: Sequence[str], registry: Registry) -> Route:
    """Tell which form a command line has."""
    if not words or words[0] in ("-h", "--help", "--version"):
        return Route.CHAIN
    record = registry.find_tool(words[0])
    if record is not None and record.role is ToolRole.MANAGEMENT:
        return Route.MANAGEMENT
    if gives_inputs(words):
        return Route.CHAIN
    if words[0] == GUIDE_COMMAND and any(map(_names_input, words[1:])):
        return Route.GUIDE
    if record is not None or words[0] in registry.sequences:
        return Route.CHAIN
    if words[0].startswith("-") or looks_like_input(words[0]):
        return Route.SHORTHAND
    return Route.CHAIN


def gives_inputs(words: Sequence[str]) -> bool:
    """Tell whether inputs are given as those of a chain."""
    return any(word.partition("=")[0] in _INPUTS for word in words)


def _names_input(word: str) -> bool:
    return word == ALL or looks_like_input(word)


def looks_like_input(word: str) -> bool:
    """Tell whether a word of the command line is more likely a file than a tool's name."""
    if word.startswith("-"):
        return False
    text = word.partition("::")[0]
    return bool(Path(text).suffix) or "/" in text or "*" in text or _exists(text)


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except OSError:
        # Such as a name that is too long: it is no tool's either.
        return True


def expand_chain(words: Sequence[str], registry: Registry) -> list[str]:
    """Repeat the option's name before each value of options that take many.

    ``-i a.py b.py discover`` becomes ``-i a.py -i b.py discover``: values go on up to the next
    option or tool name.
    """
    classes = [*GLOBAL_OPTIONS, *registry.settings_classes()]
    specs = [spec for cls in classes for spec in option_specs(cls)]
    return _expand(words, _by_flag(specs), registry)


def expand_single(words: Sequence[str], specs: Sequence[OptionSpec]) -> list[str]:
    """Do the same for a command line without tool names."""
    return _expand(words, _by_flag(specs), None)


def _by_flag(specs: Sequence[OptionSpec]) -> dict[str, OptionSpec]:
    found = {}
    for spec in specs:
        for flag in (*spec.flags, spec.info.shorthand):
            if flag is not None:
                found[flag] = spec
    return found


def _expand(
    words: Sequence[str], flags: dict[str, OptionSpec], registry: Registry | None
) -> list[str]:
    result: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*result, word, *rest]
        if registry is not None and is_step(word, registry):
            flags = _flags_of(word, registry)
            result.append(word)
            continue
        name, equals, value = word.partition("=")
        spec = flags.get(name)
        if spec is None or not spec.takes_value:
            result.append(word)
        elif not spec.many:
            result.append(word)
            if not equals and rest:
                result.append(rest.pop(0))
        else:
            values = [value] if equals else []
            while (
                rest
                and not rest[0].startswith("-")
                and not (registry is not None and is_step(rest[0], registry))
                and not (registry is None and spec.takes_pairs and _ends_pairs(values, rest[0]))
            ):
                values.append(rest.pop(0))
            if not values:
                raise UsageError(
                    f"The option {name} is given no value.", hint="Write what it is to be after it."
                )
            for item in values:
                result += [name, item]
    return result


def _ends_pairs(pairs: Sequence[str], word: str) -> bool:
    """Tell whether a word after ``key::value`` ones can only be an input, perhaps with hashes."""
    said = " ".join(pairs)
    in_list = said.rfind("::[") > said.rfind("]")
    text = word.partition("::")[0]
    if "::" not in said or in_list or text.isidentifier():
        return False
    return "/" in text or "*" in text or _exists(text)


def is_step(word: str, registry: Registry) -> bool:
    """Tell whether a word can only be meant as the name of a tool or a sequence."""
    # A tool that is known but not to be had is answered as such, and not taken for a file.
    return (
        registry.find_tool(word) is not None
        or word in registry.sequences
        or registry.is_refused_tool(word)
        or package_for("tool", word) is not None
        or package_for("sequence", word) is not None
    )


def require_step(words: Sequence[str], registry: Registry) -> None:
    """Check that a chain has a tool at all.

    Raises:
        UsageError: It has none; the message takes up a word that is nearly one.
    """
    if any(is_step(word, registry) or word in ("-h", "--help", "--version") for word in words):
        return
    names = [*registry.tools, *registry.aliases, *registry.sequences]
    for word in words[1:]:
        near = difflib.get_close_matches(word, names, n=1, cutoff=0.7)
        if near and not looks_like_input(word):
            raise UsageError(f"There is no tool {word!r}.", hint=f"Did you mean {near[0]!r}?")
    if words[-1] in _INPUTS:
        raise UsageError(f"The option {words[-1]} is given no value.", hint="Name files after it.")
    if _stands_among_inputs(words) and not looks_like_input(words[-1]):
        # Says which there are.
        registry.tool(words[-1])
    raise UsageError(
        "No tool is given.",
        hint="Name the tools of the chain after the inputs; turnkey FILE runs the default chain.",
    )


def _stands_among_inputs(words: Sequence[str]) -> bool:
    """Tell whether the last word comes after inputs, where a tool would stand."""
    before = [n for n, word in enumerate(words) if word.startswith("-")]
    if not before or words[before[-1]].partition("=")[0] not in _INPUTS:
        return False
    return len(words) - before[-1] > (1 if "=" in words[before[-1]] else 2)


def _flags_of(word: str, registry: Registry) -> dict[str, OptionSpec]:
    record = registry.find_tool(word)
    if record is None or record.role is ToolRole.MANAGEMENT:
        return {}
    return _by_flag(option_specs(record.ref.load_class(ChainTool).Options))


def shorthand_specs(registry: Registry) -> list[OptionSpec]:
    """Give the options of the one-word form."""
    own = (*GLOBAL_OPTIONS, DefaultChainOptions, SearchOptions)
    found = [spec for options_class in own for spec in option_specs(options_class)]
    for _, tool in registry.loadable_tools(ChainTool, ToolRole.FIRST, ToolRole.STEP):
        found += option_specs(tool.Options)
    added = [spec for cls in registry.settings_classes() for spec in option_specs(cls)]
    return [*(spec for spec in found if spec.info.shorthand is not None), *added]
