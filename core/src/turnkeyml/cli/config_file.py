"""Configuration files: a whole command in YAML, read into the words that would have said it."""

from __future__ import annotations

import difflib
import glob
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from turnkeyml.cli.config_options import CONFIG, WRITE_CONFIG
from turnkeyml.cli.located_yaml import Entries, Items, Node, Scalar, read_yaml, wrong
from turnkeyml.cli.tokens import (
    OptionWords,
    OtherWord,
    StepWord,
    Token,
    before_tools,
    options_of,
    read_words,
    words_from,
)
from turnkeyml.options import OptionSpec, value_from_text
from turnkeyml.plugins.records import ToolRole
from turnkeyml.plugins.registry import Registry

INPUT = "input"
TOOLS = "tools"
COMMAND = "command"
INPUT_FILES = "--input-files"
SEARCH_DIR = "--search-dir"
_PATHS = ("FILE", "PATH", "DIR")
_PATTERN = re.compile(r"[*?\[]")
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Said:
    """An option that a configuration sets, as words."""

    flag: str
    spec: OptionSpec | None
    words: tuple[str, ...]


@dataclass(frozen=True)
class Config:
    """What a configuration says, as words.

    Args:
        path: The file.
        options: Those before the first tool, or of the one-word form.
        inputs: Its inputs; relative ones have become absolute.
        tools: The words of the chain; None for the one-word form.
    """

    path: Path
    options: tuple[Said, ...]
    inputs: tuple[str, ...]
    tools: tuple[str, ...] | None


def is_path(spec: OptionSpec) -> bool:
    """Tell whether the values of an option are files or folders."""
    return spec.type is Path or (spec.info.metavar or "").startswith(_PATHS)


def read_config(path: Path, registry: Registry) -> Config:
    """Read a configuration.

    Raises:
        UsageError: It cannot be read, or says something that no command can; names file and line.
    """
    return _Reader(path, registry).read()


class _Reader:
    """Reads one file."""

    def __init__(self, path: Path, registry: Registry) -> None:
        self._path = path
        self._folder = path.expanduser().absolute().parent
        self._registry = registry
        self._flags = before_tools(registry)

    def read(self) -> Config:
        """Give what it says."""
        top = read_yaml(self._path)
        if not isinstance(top, Entries):
            line = None if top is None else top.line
            raise wrong(self._path, line, "it is no mapping of options", "Begin with: input: FILE")
        if COMMAND in top.nodes:
            return self._from_command(top)
        options = []
        for key, node in top.nodes.items():
            if key not in (INPUT, TOOLS):
                flag, spec = self._option(key, top.lines[key], self._flags, (INPUT, TOOLS, COMMAND))
                options.append(Said(flag, spec, tuple(self._words(flag, spec, node))))
        inputs = self._texts(top.nodes[INPUT], INPUT) if INPUT in top.nodes else []
        if not any(said.flag == SEARCH_DIR and said.words for said in options):
            inputs = [self._input(text) for text in inputs]
        tools = None
        if TOOLS in top.nodes:
            tools = tuple(self._tools(top.nodes[TOOLS]))
        return Config(self._path, tuple(options), tuple(inputs), tools)

    def _option(
        self,
        key: str,
        line: int,
        flags: Mapping[str, OptionSpec],
        more: Iterable[str] = (),
        tool: str = "",
    ) -> tuple[str, OptionSpec]:
        flag = f"--{key}"
        spec = flags.get(flag)
        of = f" of {tool}" if tool else ""
        if spec is None or flag in (INPUT_FILES, spec.off_flag):
            known = [name[2:] for name in flags if name.startswith("--")]
            known = [name for name in (*more, *known) if f"--{name}" != INPUT_FILES]
            near = difflib.get_close_matches(key.replace("_", "-"), known, n=1, cutoff=0.6)
            hint = f"Did you mean {near[0]!r}?" if near else None
            if tool and not near:
                hint = f"It has: {', '.join(sorted(known)) or 'none'}."
            raise wrong(self._path, line, f"there is no option {key!r}{of}", hint)
        return flag, spec

    def _words(self, flag: str, spec: OptionSpec, node: Node) -> list[str]:
        """Give the words that set an option."""
        key = flag[2:]
        if spec.takes_value:
            texts = self._texts(node, key)
            if not spec.many and len(texts) > 1:
                raise wrong(self._path, node.line, f"{key!r} takes one value, not a list")
            if is_path(spec):
                texts = [self._anchored(text) for text in texts]
            for text in texts:
                value_from_text(spec, text, f"{self._path}, line {node.line}")
            return words_from(flag, texts)
        if isinstance(node, Scalar) and node.is_nothing:
            return []
        wanted = node.text.lower() if isinstance(node, Scalar) and node.is_plain else ""
        if wanted not in _FLAGS:
            raise wrong(self._path, node.line, f"{key!r} is true or false")
        if _FLAGS[wanted]:
            return [flag]
        return [] if spec.off_flag is None else [spec.off_flag]

    def _texts(self, node: Node, key: str) -> list[str]:
        nodes = node.nodes if isinstance(node, Items) else [node]
        texts = []
        for one in nodes:
            if not isinstance(one, Scalar):
                raise wrong(self._path, one.line, f"{key!r} takes a value or a list of values")
            if isinstance(node, Items) or not one.is_nothing:
                texts.append(one.text)
        return texts

    def _tools(self, node: Node) -> Iterator[str]:
        if not isinstance(node, Items) or not node.nodes:
            raise wrong(self._path, node.line, f"{TOOLS!r} is a list of tools", "Write: - discover")
        for item in node.nodes:
            if isinstance(item, Scalar):
                yield self._tool(item.text, item.line)
            elif isinstance(item, Entries) and len(item.nodes) == 1:
                ((name, options),) = item.nodes.items()
                yield self._tool(name, item.line)
                yield from self._tool_words(name, options)
            else:
                raise wrong(
                    self._path,
                    item.line,
                    "a tool is its name, or its name with a mapping of its options",
                    "Write: - export-pytorch: {opset: 18}",
                )

    def _tool(self, name: str, line: int) -> str:
        """Check that a name can stand in a chain."""
        registry = self._registry
        if name in registry.sequences:
            return name
        record = registry.find_tool(name)
        if record is None:
            error = registry.unknown("tool", name, [*registry.tools, *registry.sequences])
            raise wrong(self._path, line, error.message.rstrip("."), error.hint)
        if record.role is ToolRole.MANAGEMENT:
            raise wrong(self._path, line, f"{name!r} stands alone and cannot be part of a chain")
        return name

    def _tool_words(self, name: str, node: Node) -> Iterator[str]:
        if isinstance(node, Scalar) and node.is_nothing:
            return
        if not isinstance(node, Entries):
            raise wrong(self._path, node.line, f"the options of {name} are no mapping")
        flags = options_of(name, self._registry)
        for key, value in node.nodes.items():
            flag, spec = self._option(key, node.lines[key], flags, tool=name)
            yield from self._words(flag, spec, value)

    def _from_command(self, top: Entries) -> Config:
        """Read the form that has the words as they would be typed."""
        others = [key for key in top.nodes if key != COMMAND]
        if others:
            raise wrong(
                self._path, top.lines[others[0]], f"{others[0]!r} stands beside {COMMAND!r}",
                f"Put it among the words of {COMMAND!r}.",
            )  # fmt: skip
        node = top.nodes[COMMAND]
        texts = self._texts(node, COMMAND)
        try:
            words = texts if isinstance(node, Items) else shlex.split(" ".join(texts))
        except ValueError as error:
            raise wrong(self._path, node.line, f"{COMMAND!r} cannot be split: {error}") from error
        words = words[1:] if words[:1] == ["turnkey"] else words
        record = self._registry.find_tool(words[0]) if words else None
        if record is not None and record.role is ToolRole.MANAGEMENT:
            raise wrong(self._path, node.line, f"{words[0]!r} takes no configuration")
        tokens = list(read_words(words, self._flags, self._registry))
        given = {t.flag for t in tokens if isinstance(t, OptionWords)}
        if given & {CONFIG, WRITE_CONFIG}:
            raise wrong(self._path, node.line, "a configuration names no other one")
        return self._sorted_out(tokens, anchors_inputs=not given & {SEARCH_DIR, "-s"})

    def _sorted_out(self, tokens: Sequence[Token], *, anchors_inputs: bool) -> Config:
        options: list[Said] = []
        inputs: list[str] = []
        tools: list[str] = []
        for token in tokens:
            if isinstance(token, StepWord):
                tools.append(token.name)
            elif isinstance(token, OtherWord):
                (tools if tools else inputs).append(token.text)
            elif token.spec is not None and token.spec.flags[0] == INPUT_FILES and not tools:
                inputs += token.values
            elif tools:
                tools += self._anchored_words(token)
            else:
                options.append(Said(token.flag, token.spec, self._anchored_words(token)))
        if anchors_inputs:
            inputs = [self._input(text) for text in inputs]
        return Config(self._path, tuple(options), tuple(inputs), tuple(tools) or None)

    def _anchored_words(self, token: OptionWords) -> tuple[str, ...]:
        spec = token.spec
        if spec is None or not token.values or not spec.takes_value:
            return token.words
        values: Iterable[str] = token.values
        if is_path(spec):
            values = map(self._anchored, values)
        long = token.flag if token.flag.startswith("--") else spec.info.shorthand or spec.flags[0]
        return tuple(words_from(long, values))

    def _anchored(self, text: str) -> str:
        if not text or text.startswith("~") or Path(text).is_absolute():
            return text
        return str(self._folder / text)

    def _input(self, text: str) -> str:
        file = text.partition("::")[0]
        if not file or file.startswith("~") or Path(file).is_absolute():
            return text
        folder = str(self._folder)
        # A folder's own name may look like a pattern.
        is_pattern = _PATTERN.search(file) and not (self._folder / file).exists()
        return f"{glob.escape(folder) if is_pattern else folder}/{text}"
