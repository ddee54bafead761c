"""Values of JSON that anybody may have written, taken only if they are what they should be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What reading JSON that is something else raises; nesting without end is a `RecursionError`."""


def text(value: object) -> str:
    """Take a text."""
    return _of(str, value)


def flag(value: object) -> bool:
    """Take a truth value."""
    return _of(bool, value)


def whole(value: object) -> int:
    """Take a whole number."""
    if isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return _of(int, value)


def number(value: object) -> float:
    """Take a number that is finite."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def mapping(value: object) -> dict[str, Any]:
    """Take an object of JSON."""
    return _of(dict, value)


def items(take: Callable[[Any], T], value: object) -> tuple[T, ...]:
    """Take a list whose items are all of one sort."""
    found: Iterable[Any] = _of(list, value)
    return tuple(take(item) for item in found)


def entries(take: Callable[[Any], T], value: object) -> dict[str, T]:
    """Take an object of JSON whose values are all of one sort."""
    return {key: take(item) for key, item in mapping(value).items()}


def maybe(take: Callable[[Any], T], value: object) -> T | None:
    """Take a value that may be missing."""
    return None if value is None else take(value)


def only(data: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse an object of JSON that has other keys."""
    more = set(data).difference(names)
    if more:
        raise ValueError(f"{sorted(more)} belong to nothing")


def _of(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{str(value)[:80]!r} is no {kind.__name__}")
    return value
