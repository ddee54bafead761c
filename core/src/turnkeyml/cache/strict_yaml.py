"""Read the YAML that turnkey writes, and nothing beyond it, because the file may be anybody's.

Tags, aliases, keys that are no text and deep nesting are refused: they cost a general YAML reader
unbounded memory or its stack. It is also quicker than one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 64

Convert = Callable[[str], Any]


def parse_yaml(content: bytes) -> Any:
    """Give the value of the one document in a file: mappings, lists, text, numbers, None.

    Raises:
        ValueError: It is no YAML, or has more in it than turnkey writes.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder()
    try:
        for event in yaml.parse(content, Loader=loader):
            builder.take(event)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    return builder.result()


class _Builder:
    """Puts values into each other as the events of a parser come, without recursion."""

    def __init__(self) -> None:
        import yaml

        self._top: list[Any] = []
        self._open: list[list[Any] | dict[str, Any]] = [self._top]
        self._keys: list[str | None] = [None]
        self._actions: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: lambda event: self._begin(event, {}),
            yaml.SequenceStartEvent: lambda event: self._begin(event, []),
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._refuse_alias,
        }

    def take(self, event: Any) -> None:
        """Take the next event."""
        action = self._actions.get(type(event))
        if action is not None:
            action(event)

    def result(self) -> Any:
        """Give the document's value; None for an empty file."""
        if len(self._top) > 1:
            raise ValueError("it holds several documents")
        return self._top[0] if self._top else None

    def _scalar(self, event: Any) -> None:
        if event.tag is not None:
            raise ValueError(f"the tag {event.tag} is not allowed")
        if self._expects_key():
            self._keys[-1] = event.value
        else:
            self._put(_plain_value(event.value) if event.implicit[0] else event.value)

    def _begin(self, event: Any, value: list[Any] | dict[str, Any]) -> None:
        if event.tag is not None:
            raise ValueError(f"the tag {event.tag} is not allowed")
        if self._expects_key():
            raise ValueError("a key is no text")
        if len(self._open) > MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
        self._put(value)
        self._open.append(value)
        self._keys.append(None)

    def _end(self, event: Any) -> None:
        self._open.pop()
        self._keys.pop()

    def _refuse_alias(self, event: Any) -> None:
        raise ValueError("aliases are not allowed")

    def _expects_key(self) -> bool:
        return isinstance(self._open[-1], dict) and self._keys[-1] is None

    def _put(self, value: Any) -> None:
        container, key = self._open[-1], self._keys[-1]
        if isinstance(container, list):
            container.append(value)
        elif key in container:
            raise ValueError(f"the key {key!r} stands twice")
        else:
            container[str(key)] = value
            self._keys[-1] = None


def _plain_value(text: str) -> Any:
    """Give what a scalar without quotes means; dates stay text."""
    for pattern, convert in _conversions().get(text[:1], ()):
        if pattern.match(text):
            return convert(text)
    return text


@functools.cache
def _conversions() -> dict[str, list[tuple[Any, Convert]]]:
    """Sort the rules of the YAML reader that wrote the file by the first character."""
    import yaml

    constructor = yaml.constructor.SafeConstructor()
    ways = {
        "null": constructor.construct_yaml_null,
        "bool": constructor.construct_yaml_bool,
        "int": constructor.construct_yaml_int,
        "float": constructor.construct_yaml_float,
    }

    def with_node(tag: str, construct: Callable[[Any], Any]) -> Convert:
        return lambda text: construct(yaml.ScalarNode(tag, text))

    found: dict[str, list[tuple[Any, Convert]]] = {}
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items():
        for tag, pattern in rules:
            construct = ways.get(tag.rpartition(":")[2])
            if construct is not None:
                found.setdefault(first, []).append((pattern, with_node(tag, construct)))
    return found
