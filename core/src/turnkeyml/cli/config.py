"""``--config FILE`` and ``--write-config FILE``: a whole command, kept in a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from turnkeyml.cli.arguments import GUIDE_COMMAND
from turnkeyml.cli.config_file import (
    INPUT,
    INPUT_FILES,
    SEARCH_DIR,
    TOOLS,
    Config,
    is_path,
    read_config,
)
from turnkeyml.cli.config_options import CONFIG, WRITE_CONFIG, ConfigOptions
from turnkeyml.cli.tokens import (
    OptionWords,
    OtherWord,
    StepWord,
    Token,
    before_tools,
    read_words,
    words_from,
)
from turnkeyml.errors import UsageError
from turnkeyml.options import OptionSpec, option_specs, value_from_text
from turnkeyml.plugins.records import ToolRole
from turnkeyml.plugins.registry import Registry
from turnkeyml.request import GLOBAL_OPTIONS

_HELP = {"-h", "--help", "--version"}
_DRY_RUN = "--dry-run"


@dataclass(frozen=True)
class Expanded:
    """A command line whose configuration has been read.

    Args:
        words: What remains, with what the configuration says.
        write_to: Where the command is to be written instead of being run.
    """

    words: list[str]
    write_to: Path | None = None

    @property
    def dry_words(self) -> list[str]:
        """The same words, run with ``--dry-run``."""
        at = 1 if self.words[:1] == [GUIDE_COMMAND] else 0
        return [*self.words[:at], _DRY_RUN, *self.words[at:]]


@dataclass
class _Words:
    """The words of a command line before the first tool, sorted, and those from it on."""

    options: list[OptionWords] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    tools: list[Token] = field(default_factory=list)

    def tool_words(self) -> list[str]:
        """Give the words from the first tool on."""
        words: list[str] = []
        for token in self.tools:
            if isinstance(token, OptionWords):
                words += token.words
            else:
                words.append(token.name if isinstance(token, StepWord) else token.text)
        return words


def expand_config(words: Sequence[str], registry: Registry) -> Expanded:
    """Put what a configuration says among the words of a command line.

    Args:
        words: Without the program's name.
        registry: What is installed.

    Raises:
        UsageError: The configuration is wrong; says in which line.
    """
    named = {CONFIG, WRITE_CONFIG}
    if _stands_alone(words, registry):
        return Expanded(list(words))
    guide = list(words[:1]) if words[0] == GUIDE_COMMAND else []
    said = _sort(words[len(guide) :], registry)
    own = {spec.name: _own_value(said, f"--{spec.name.replace('_', '-')}")
           for spec in option_specs(ConfigOptions)}  # fmt: skip
    if not any(own.values()):
        # Behind a tool, where click says that it does not belong.
        return Expanded(list(words))
    said.options = [option for option in said.options if option.flag not in named]
    if own["config"] is None or _HELP & {option.flag for option in said.options}:
        return Expanded(_without(words, named), own["write_config"])
    config = read_config(own["config"], registry)
    return Expanded([*_merged(guide, said, config, registry)], own["write_config"])


def _stands_alone(words: Sequence[str], registry: Registry) -> bool:
    record = registry.find_tool(words[0])
    return record is not None and record.role is ToolRole.MANAGEMENT


def _sort(words: Sequence[str], registry: Registry) -> _Words:
    flags = before_tools(registry)
    flags |= {flag: spec for spec in option_specs(ConfigOptions) for flag in spec.flags}
    found = _Words()
    for token in read_words(words, flags, registry):
        if found.tools or isinstance(token, StepWord):
            found.tools.append(token)
        elif isinstance(token, OtherWord):
            found.inputs.append(token.text)
        elif token.spec is not None and token.spec.flags[0] == INPUT_FILES and token.values:
            found.inputs += token.values
        else:
            found.options.append(token)
    return found


def _own_value(said: _Words, flag: str) -> Path | None:
    found = [option for option in said.options if option.flag == flag]
    if len(found) > 1:
        raise UsageError(f"{flag} is given more than once.")
    if not found:
        return None
    if not found[0].values or not found[0].values[0]:
        raise UsageError(f"The option {flag} is given no value.")
    return Path(found[0].values[0])


def _without(words: Sequence[str], named: set[str]) -> list[str]:
    """Take the configuration's own options out, and leave the rest in its order."""
    left: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.partition("=")[0] not in named:
            left.append(word)
        elif "=" not in word and rest:
            rest.pop(0)
    return left


def _merged(guide: list[str], said: _Words, config: Config, registry: Registry) -> list[str]:
    """Join what the file says with what the command line says, which wins."""
    given = {option.spec.name for option in said.options if option.spec is not None}
    kept = [one for one in config.options if one.spec is None or one.spec.name not in given]
    words = [word for one in kept for word in one.words]
    words += [word for option in said.options for word in option.words]
    inputs = said.inputs or list(config.inputs)
    tools = said.tool_words() or list(config.tools or ())
    if not tools:
        return [*guide, *inputs, *words]
    if _HELP & set(tools):
        return tools
    flags = [one.flag for one in kept if one.words]
    _check_before_tools([*flags, *(option.flag for option in said.options)], config, registry)
    if not inputs:
        raise UsageError(
            f"No input is given, and {config.path} names none.",
            hint=f"Name files with -i FILE..., or there: {INPUT}: FILE",
        )
    return [*words, *words_from(INPUT_FILES, inputs), *tools]


def _check_before_tools(flags: Sequence[str], config: Config, registry: Registry) -> None:
    """Check that options that only tools and the one-word form have do not stand before a tool."""
    classes = [*GLOBAL_OPTIONS, *registry.settings_classes()]
    known = {flag for cls in classes for spec in option_specs(cls) for flag in spec.flags}
    only_one_word = before_tools(registry).keys() - known
    for flag in flags:
        if flag in only_one_word:
            raise UsageError(
                f"{flag} belongs to a tool, and the command has a chain of tools.",
                hint=f"Put it below its tool in {config.path}, or behind it on the command line.",
            )


def write_config(path: Path, words: Sequence[str], registry: Registry) -> None:
    """Write a command into a configuration.

    Args:
        path: The new file; relative paths of the command become relative to its folder.
        words: The command, which has been checked.
        registry: What is installed.

    Raises:
        UsageError: The file is there already, or cannot be written.
    """
    from turnkeyml.cache.atomic import open_replaced
    from turnkeyml.cache.documents import yaml_text

    target = path.expanduser().absolute()
    content = _content(_sort(words[words[:1] == [GUIDE_COMMAND] :], registry), target.parent)
    if os.path.lexists(target):
        raise UsageError(f"{path} is there already.", hint="Name a new file.")
    try:
        with open_replaced(target) as file:
            file.write(f"# turnkey --config {path.name}\n{yaml_text(content)}")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} cannot be written: {reason}.") from error


def _content(said: _Words, folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = {}
    inputs = said.inputs
    if not any(option.flag in (SEARCH_DIR, "-s") for option in said.options):
        inputs = [_seen_from(folder, text) for text in inputs]
    if inputs:
        content[INPUT] = inputs
    for given in said.options:
        if given.flag != _DRY_RUN:
            _add(content, given, folder)
    tools: list[Any] = []
    options: dict[str, Any] = {}
    for token in said.tools:
        if isinstance(token, OptionWords):
            _add(options, token, folder)
            tools[-1] = {next(iter(tools[-1])): options} if isinstance(tools[-1], dict) else {
                tools[-1]: options
            }  # fmt: skip
        elif isinstance(token, StepWord):
            options = {}
            tools.append(token.name)
    if tools:
        content[TOOLS] = tools
    return content


def _add(content: dict[str, Any], token: OptionWords, folder: Path) -> None:
    spec = token.spec
    if spec is None:
        return
    if not spec.takes_value:
        is_off = token.flag == spec.off_flag
        content[_key(token, spec) if not is_off else spec.flags[0][2:]] = not is_off
        return
    texts = [_seen_from(folder, v) if is_path(spec) else v for v in token.values]
    values = [_natural(spec, text) for text in texts]
    key = _key(token, spec)
    content[key] = [*content.get(key, []), *values] if spec.many else values[0]


def _key(token: OptionWords, spec: OptionSpec) -> str:
    long = token.flag if token.flag.startswith("--") else spec.info.shorthand or spec.flags[0]
    return long[2:]


def _natural(spec: OptionSpec, text: str) -> Any:
    """Give a whole number as one, which looks better without quotes."""
    return value_from_text(spec, text) if spec.type is int else text


def _seen_from(folder: Path, text: str) -> str:
    file = text.partition("::")[0]
    if not file or file.startswith("~") or Path(file).is_absolute():
        return text
    return os.path.relpath(file, folder) + text[len(file) :]
