"""``key::value`` words, checked against the signature of a class and converted."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.errors import PlanError

Value = str | bool | list[str]

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def parse_words(words: Sequence[str], option: str) -> dict[str, Value]:
    """Read ``key::value``, ``key::[value1,value2]`` and ``flag`` words.

    Args:
        words: As typed in.
        option: The option that they follow, for messages.

    Raises:
        PlanError: A word has another form, or a key comes twice.
    """
    found: dict[str, Value] = {}
    for word in join_lists(words, option):
        key, separator, value = word.partition("::")
        if not key.isidentifier():
            raise PlanError(
                f"{option}: {word!r} is no argument.",
                hint="Write key::value, key::[value1,value2] or a key alone, separated by spaces.",
            )
        if key in found:
            raise PlanError(
                f"{option}: {key!r} is given twice.",
                hint="Give it once; where it takes several values, they are "
                f"{key}::[value1,value2].",
            )
        if not separator:
            found[key] = True
        elif value.startswith("[") and value.endswith("]"):
            found[key] = [item.strip() for item in value[1:-1].split(",") if item.strip()]
        else:
            found[key] = value
    return found


def join_lists(words: Sequence[str], option: str) -> list[str]:
    """Make one word of each list, of which a shell makes several if it has blanks.

    Args:
        words: As typed in.
        option: The option that they follow, for messages.

    Raises:
        PlanError: A list has no end.
    """
    joined: list[str] = []
    rest = list(words)
    while rest:
        word = first = rest.pop(0)
        key, _, value = first.partition("::")
        while value.startswith("[") and not word.endswith("]"):
            if not rest or _begins_pair(rest[0]):
                raise PlanError(
                    f"{option}: the list {first!r} has no end.",
                    hint=f"Write {key}::[value1,value2], with a closing bracket.",
                )
            word += f" {rest.pop(0)}"
        joined.append(word)
    return joined


def _begins_pair(word: str) -> bool:
    key, separator, _ = word.partition("::")
    return bool(separator) and key.replace(".", "_").replace("-", "_").isidentifier()


@dataclass(frozen=True)
class Taker:
    """A class whose ``__init__`` takes the arguments.

    Args:
        what: How messages call it, such as ``runtime 'ort'``.
        taker: The class.
        option: Under which the arguments are given.
        base: The class whose own ``__init__`` takes none.
        reserved: Names that are filled in by turnkey and are not the user's to give.
    """

    what: str
    taker: type
    option: str
    base: type = object
    reserved: frozenset[str] = frozenset()


def convert_arguments(to: Taker, given: Mapping[str, Value]) -> dict[str, Any]:
    """Check arguments against the signature of a class and convert them by its annotations.

    Raises:
        PlanError: It does not take the argument, misses one, or not of this type.
    """
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(to.taker).parameters.items()
        if name not in to.reserved
    }
    init: Any = to.taker.__init__  # type: ignore[misc]
    open_ended = init is not to.base.__init__ and any(  # type: ignore[misc]
        p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()
    )
    named = {
        n: p
        for n, p in parameters.items()
        if p.kind in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    }
    for key in given:
        if key not in named and (not open_ended or key in {*to.reserved, "self"}):
            takes = f"It takes: {', '.join(named)}." if named else "It takes none."
            raise PlanError(f"The {to.what} has no argument {key!r}.", hint=takes)
    for key, parameter in named.items():
        if parameter.default is inspect.Parameter.empty and key not in given:
            raise PlanError(
                f"The {to.what} needs the argument {key!r}.",
                hint=f"Give it with {to.option} {key}::VALUE",
            )
    hints = _annotations(init)
    return {
        key: _convert(to.what, key, value, hints.get(key)) if key in hints else value
        for key, value in given.items()
    }


def _annotations(function: Any) -> dict[str, Any]:
    """Resolve the annotations of a function one by one: some are for type checkers only."""
    found: dict[str, Any] = {}
    for name, annotation in getattr(function, "__annotations__", {}).items():
        alone = types.SimpleNamespace(__annotations__={name: annotation})
        with suppress(NameError, AttributeError, TypeError):
            found |= typing.get_type_hints(alone, getattr(function, "__globals__", {}))
    return found


def _convert(what: str, key: str, value: Value, hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        if (
            isinstance(value, str)
            and value.lower() == "none"
            and len(rest) < len(typing.get_args(hint))
        ):
            return None
        hint = rest[0] if len(rest) == 1 else Any
    if typing.get_origin(hint) is typing.Literal:
        return _choose(what, key, value, typing.get_args(hint))
    origin = typing.get_origin(hint) or hint
    if origin in (list, tuple, set):
        items = value if isinstance(value, list) else [value]
        inner = (*typing.get_args(hint), Any)[0]
        return origin(_convert(what, key, item, inner) for item in items)
    if origin is bool and isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    if origin in (int, float, str, Path) and isinstance(value, str):
        try:
            return origin(value)
        except ValueError:
            pass
    elif origin not in (bool, int, float, str, Path) or (
        origin is bool and isinstance(value, bool)
    ):
        return value
    has_blanks = isinstance(value, str) and " " in value.strip()
    raise PlanError(
        f"The {what} takes {key!r} as {getattr(origin, '__name__', origin)}, not {value!r}.",
        hint="Each argument is a word of its own, without quotes." if has_blanks else None,
    )


def _choose(what: str, key: str, value: Value, choices: tuple[Any, ...]) -> Any:
    for choice in choices:
        if value == choice or (isinstance(value, str) and value == str(choice)):
            return choice
    allowed = ", ".join(map(str, choices))
    raise PlanError(f"The {what} takes {key!r} as one of {allowed}, not {value!r}.")
