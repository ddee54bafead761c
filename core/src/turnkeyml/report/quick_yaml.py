"""Read the plain part of YAML that turnkey writes ten times as fast as a YAML reader does.

What is not plain is refused, so that the caller asks the reader that knows all of it. A report
reads thousands of files that have most of their lines in common: what a line means is remembered.
"""

from __future__ import annotations

import re
from typing import Any, Final

from turnkeyml.cache.strict_yaml import parse_yaml

_USUAL = bytes([10, *range(0x20, 0x7F)])
_UNUSUAL = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_KEY = r"(?P<key>[A-Za-z0-9_](?:[A-Za-z0-9_./+ -]{0,100}[A-Za-z0-9_./+-])?)"
_LINE = re.compile(
    rf"(?P<indent> *)(?P<dash>- )?(?:{_KEY}|'(?P<quoted>[^'\n]{{1,100}})'):(?: (?P<rest>.+))?\Z"
)
_ITEM = re.compile(r"(?P<indent> *)- (?P<rest>[^ ].*)\Z")
_CLOSED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_BEGINS_PLAIN = re.compile(r"[A-Za-z0-9_/.(<+~\xa0-\ufffd]|-[^ ]")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]*(?:e[-+][0-9]+)?\Z")
_DIGITS = re.compile(r"(?!0b)[0-9][0-9a-f]*[a-f][0-9a-f]*\Z")
_SIMPLY_QUOTED = re.compile(r"'[^'\\]*'\Z")
_WORDS = {"yes", "no", "true", "false", "on", "off", "null"}
_MAX_DEPTH = 30
_MEMORY = 200_000


class NotPlainError(Exception):
    """The text has something in it that only the whole YAML reader understands."""


class _Mark:
    """What stands where a line has no value of its own."""


_NOTHING: Final = _Mark()
_OPEN_QUOTE: Final = _Mark()
_EMPTY_LIST: Final = _Mark()
_EMPTY_MAPPING: Final = _Mark()
_EMPTY = {"[]": _EMPTY_LIST, "{}": _EMPTY_MAPPING}

_Token = tuple[int, bool, "str | None", Any]
"""Indent, whether a dash leads it, the key if it has one, and the value."""


class QuickReader:
    """Reads many files, and remembers the lines."""

    def __init__(self) -> None:
        self._known: dict[str, _Token] = {}

    def parse(self, content: bytes) -> dict[str, Any]:
        """Give what `turnkeyml.cache.strict_yaml.parse_yaml` gives for the same content.

        Raises:
            NotPlainError: Ask that one.
            UnicodeDecodeError: It is no UTF-8.
        """
        text = content.decode()
        if content.translate(None, _USUAL) and _UNUSUAL.search(text):
            raise NotPlainError
        lines = text.split("\n")
        if lines and lines[-1] == "":
            lines.pop()
        if len(self._known) > _MEMORY:
            self._known.clear()
        return _Builder(lines, self._known).build()


class _Builder:
    """Puts the lines of one file together."""

    def __init__(self, lines: list[str], known: dict[str, _Token]) -> None:
        self._lines = lines
        self._known = known
        self._stack: list[tuple[int, Any]] = []
        self._quoted_end = -1

    def build(self) -> dict[str, Any]:
        """Give the value of all lines."""
        lines, get = self._lines, self._known.get
        top: dict[str, Any] = {}
        current: Any = top
        level, number, end = 0, 0, len(lines)
        waiting: str | None = None
        while number < end:
            token = get(lines[number]) or self._new_token(lines[number])
            if token is None:
                if waiting is not None:
                    raise NotPlainError
                number = self._go_on(number, level, current)
                continue
            indent, dash, key, value = token
            if waiting is not None:
                if indent > level or (dash and indent == level and type(current) is dict):
                    child: Any = [] if dash else {}
                    current[waiting] = child
                    current, level = self._enter(level, current, child, indent)
                waiting = None
            if indent != level or dash != (type(current) is list):
                level, current = self._leave(level, current, indent, dash)
            if type(value) is _Mark:
                if value is _NOTHING:
                    waiting, value = key, None
                else:
                    number, value = self._marked(number, value)
            number += 1
            if dash:
                if key is None:
                    current.append(value)
                    continue
                item: dict[str, Any] = {}
                current.append(item)
                current, level = self._enter(level, current, item, indent + 2)
            if key in current:
                raise NotPlainError
            current[key] = value
        return top

    def _new_token(self, line: str) -> _Token | None:
        head, colon, text = line.partition(": ")
        if colon and _DECIMAL.match(text):
            # Hardly any number that was measured comes twice, but what it is of does.
            known = self._known.get(head + ":") or _token_of(head + ":")
            if known is None or known[3] is not _NOTHING:
                raise NotPlainError
            self._known[head + ":"] = known
            return known[0], known[1], known[2], float(text)
        token = _token_of(line)
        if token is not None:
            self._known[line] = token
        return token

    def _enter(self, level: int, current: Any, child: Any, indent: int) -> tuple[Any, int]:
        self._stack.append((level, current))
        if len(self._stack) > _MAX_DEPTH:
            raise NotPlainError
        return child, indent

    def _leave(self, level: int, current: Any, indent: int, dash: bool) -> tuple[int, Any]:
        """Go back to what the next line belongs to."""
        while self._stack and (
            indent < level or (not dash and indent == level and type(current) is list)
        ):
            level, current = self._stack.pop()
        if indent != level or dash != (type(current) is list):
            raise NotPlainError
        return level, current

    def _marked(self, number: int, mark: _Mark) -> tuple[int, Any]:
        """Give the last line of a value that its first line does not tell, and the value."""
        if mark is _OPEN_QUOTE:
            return self._quoted(number)
        return number, [] if mark is _EMPTY_LIST else {}

    def _go_on(self, number: int, level: int, current: Any) -> int:
        """Add lines of text to the scalar that stands in the line before; give the next line."""
        before = self._lines[number - 1]
        match = _LINE.match(before) or _ITEM.match(before)
        if number - 1 <= self._quoted_end or match is None or not match["rest"]:
            raise NotPlainError
        parts = [match["rest"]]
        if not _is_plain(parts[0]):
            raise NotPlainError
        while number < len(self._lines) and _token_of(self._lines[number]) is None:
            line = self._lines[number]
            text = line.strip(" ")
            # A blank line or a comment would mean something else.
            if len(line) - len(line.lstrip(" ")) <= level or not _is_plain(text):
                raise NotPlainError
            parts.append(text)
            number += 1
        # Words with spaces between them are always text.
        value = " ".join(parts)
        if isinstance(current, list):
            current[-1] = value
        else:
            current[next(reversed(current))] = value
        return number

    def _quoted(self, number: int) -> tuple[int, str]:
        """Give the last line of a quoted scalar of several lines, and the scalar."""
        match = _LINE.match(self._lines[number]) or _ITEM.match(self._lines[number])
        if match is None:
            raise NotPlainError
        rest = "\n".join([match["rest"], *self._lines[number + 1 :]])
        closed = _CLOSED.match(rest)
        if closed is None or rest[closed.end() : closed.end() + 1] not in ("", "\n"):
            raise NotPlainError
        self._quoted_end = number + closed[0].count("\n")
        return self._quoted_end, _exactly(closed[0])


def _token_of(line: str) -> _Token | None:
    """Say what a line is; None for one that can only go on with the scalar before it."""
    match = _LINE.match(line)
    if match is None:
        match = _ITEM.match(line)
        if match is None:
            return None
        if match["rest"].startswith("- "):
            raise NotPlainError
        return len(match["indent"]), True, None, _value_of(match["rest"])
    dash, key = match["dash"] is not None, match["key"] or match["quoted"]
    rest = match["rest"]
    value = _NOTHING if rest is None else _value_of(rest)
    return len(match["indent"]), dash, key, value


def _value_of(text: str) -> Any:
    if text in _EMPTY:
        # A memory of lines must not hand out what can be changed.
        return _EMPTY[text]
    if text[0] in "'\"":
        closed = _CLOSED.match(text)
        if closed is None:
            return _OPEN_QUOTE
        if closed.end() != len(text):
            raise NotPlainError
        return text[1:-1] if _SIMPLY_QUOTED.match(text) else _exactly(text)
    if not _is_plain(text):
        raise NotPlainError
    if _WHOLE.match(text):
        return int(text)
    if _DECIMAL.match(text):
        return float(text)
    if (text[0].isalpha() or text[0] in "/(") and text.lower() not in _WORDS:
        return text
    if _DIGITS.match(text):
        return text
    return _exactly(text)


def _is_plain(text: str) -> bool:
    return (
        _BEGINS_PLAIN.match(text) is not None
        and ": " not in text
        and " #" not in text
        and text[-1] not in ": "
    )


def _exactly(text: str) -> Any:
    """Ask the whole reader what a scalar is."""
    try:
        found = parse_yaml(f"- {text}\n".encode())
    except ValueError as error:
        raise NotPlainError from error
    if not isinstance(found, list) or len(found) != 1 or isinstance(found[0], (list, dict)):
        raise NotPlainError
    return found[0]
