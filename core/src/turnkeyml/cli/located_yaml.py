"""Read YAML that people write: text with the lines on which it stands, and nothing that can grow.

Tags, anchors, aliases and deep nesting are refused. Numbers and words stay text as they were
written, so that ``1.20`` is no ``1.2``; whoever knows the option reads it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from turnkeyml.errors import UsageError

MAX_BYTES = 1 << 20
MAX_DEPTH = 8


@dataclass(frozen=True)
class Scalar:
    """One value.

    Args:
        text: As it was written.
        is_plain: It stands without quotes, so that ``true`` and ``null`` have their meanings.
        line: Counted from 1.
    """

    text: str
    is_plain: bool
    line: int

    @property
    def is_nothing(self) -> bool:
        """Whether it says that there is no value."""
        return self.is_plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True)
class Items:
    """A list."""

    line: int
    nodes: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Entries:
    """A mapping; ``lines`` says where each key stands."""

    line: int
    nodes: dict[str, Node] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


Node = Scalar | Items | Entries


def read_yaml(path: Path) -> Node | None:
    """Give the one document in a file; None if it is empty.

    Args:
        path: As the user named it, for messages too.

    Raises:
        UsageError: It cannot be read, is no YAML, or has more in it than a configuration needs.
    """
    return _parse(_content_of(path), path)


def _content_of(path: Path) -> bytes:
    try:
        # A pipe would be waited for for ever.
        descriptor = os.open(path.expanduser(), os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError(f"The configuration {path} is no file.")
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise UsageError(f"There is no configuration file {str(path)!r}.") from error
    except IsADirectoryError as error:
        raise UsageError(f"The configuration {path} is a directory.") from error
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"The configuration {path} cannot be read: {reason}.") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"The configuration {path} has more than {MAX_BYTES >> 20} MB.")
    return content


def _parse(content: bytes, path: Path) -> Node | None:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(path)
    try:
        for event in yaml.parse(content, Loader=loader):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        told = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        raise wrong(path, None if mark is None else mark.line + 1, f"no YAML: {told}") from error
    return builder.top[0] if builder.top else None


def wrong(path: Path, line: int | None, what: str, hint: str | None = None) -> UsageError:
    """Make the error for something in a configuration."""
    where = f"{path}, line {line}" if line is not None else str(path)
    return UsageError(f"{where}: {what}.", hint=hint)


class _Builder:
    """Puts nodes into each other as the events of a parser come, without recursion."""

    def __init__(self, path: Path) -> None:
        import yaml

        self.top: list[Node] = []
        self._path = path
        self._open: list[Items | Entries] = []
        self._keys: list[str | None] = []
        self._actions: dict[type, Callable[[Any, int], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: lambda event, line: self._begin(event, Entries(line)),
            yaml.SequenceStartEvent: lambda event, line: self._begin(event, Items(line)),
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._refuse_alias,
        }

    def take(self, event: Any) -> None:
        """Take the next event."""
        action = self._actions.get(type(event))
        if action is not None:
            action(event, event.start_mark.line + 1)

    def _refuse_alias(self, event: Any, line: int) -> None:
        raise wrong(self._path, line, "anchors and aliases are not allowed")

    def _check(self, event: Any, line: int) -> None:
        if event.tag is not None:
            raise wrong(self._path, line, f"the tag {event.tag} is not allowed")
        if event.anchor is not None:
            self._refuse_alias(event, line)

    def _scalar(self, event: Any, line: int) -> None:
        self._check(event, line)
        if "\0" in event.value:
            raise wrong(self._path, line, "a text has a NUL character in it")
        if self._open and isinstance(self._open[-1], Entries) and self._keys[-1] is None:
            if event.value in self._open[-1].nodes:
                raise wrong(self._path, line, f"{event.value!r} stands there twice")
            self._keys[-1] = event.value
            self._open[-1].lines[event.value] = line
        else:
            self._put(Scalar(event.value, bool(event.implicit[0]), line))

    def _begin(self, event: Any, node: Items | Entries) -> None:
        self._check(event, node.line)
        if self._open and isinstance(self._open[-1], Entries) and self._keys[-1] is None:
            raise wrong(self._path, node.line, "a key is no text")
        if len(self._open) >= MAX_DEPTH:
            raise wrong(self._path, node.line, f"it is nested deeper than {MAX_DEPTH} levels")
        self._put(node)
        self._open.append(node)
        self._keys.append(None)

    def _end(self, event: Any, line: int) -> None:
        self._open.pop()
        self._keys.pop()

    def _put(self, node: Node) -> None:
        if not self._open:
            if self.top:
                raise wrong(self._path, node.line, "it holds several documents")
            self.top.append(node)
        elif isinstance(self._open[-1], Items):
            self._open[-1].nodes.append(node)
        else:
            self._open[-1].nodes[str(self._keys[-1])] = node
            self._keys[-1] = None
