"""Runtime arguments: ``key::value`` words, checked against a runtime's signature and converted."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from turnkeyml.errors import PlanError
from turnkeyml.runtime import CONTEXT_NAMES, BaseRT

RtValue = str | bool | list[str]

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def parse_rt_args(words: Sequence[str]) -> dict[str, RtValue]:
    """Read ``key::value``, ``key::[value1,value2]`` and ``flag`` words.

    Raises:
        PlanError: A word has another form, or a key comes twice.
    """
    found: dict[str, RtValue] = {}
    for word in words:
        key, separator, value = word.partition("::")
        if not key.isidentifier():
            raise PlanError(
                f"--rt-args: {word!r} is no runtime argument.",
                hint="Write key::value, key::[value1,value2] or a key alone, separated by spaces.",
            )
        if key in found:
            raise PlanError(f"--rt-args: {key!r} is given twice.")
        if not separator:
            found[key] = True
        elif value.startswith("[") and value.endswith("]"):
            found[key] = [item.strip() for item in value[1:-1].split(",") if item.strip()]
        else:
            found[key] = value
    return found


def convert_rt_args(
    runtime: str, runtime_class: type[BaseRT], given: Mapping[str, RtValue]
) -> dict[str, Any]:
    """Check arguments against the signature of a runtime's ``__init__`` and convert them.

    Args:
        runtime: The runtime's name, for messages.
        runtime_class: Its class.
        given: As `parse_rt_args` gives them.

    Raises:
        PlanError: The runtime does not take the argument, misses one, or not of this type.
    """
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(runtime_class).parameters.items()
        if name not in CONTEXT_NAMES
    }
    open_ended = runtime_class.__init__ is not BaseRT.__init__ and any(
        p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()
    )
    named = {
        n: p
        for n, p in parameters.items()
        if p.kind in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    }
    for key in given:
        if key not in named and (not open_ended or key in {*CONTEXT_NAMES, "self"}):
            takes = f"It takes: {', '.join(named)}." if named else "It takes none."
            raise PlanError(f"The runtime {runtime!r} has no argument {key!r}.", hint=takes)
    for key, parameter in named.items():
        if parameter.default is inspect.Parameter.empty and key not in given:
            raise PlanError(
                f"The runtime {runtime!r} needs the argument {key!r}.",
                hint=f"Give it with --rt-args {key}::VALUE",
            )
    hints = _annotations(runtime_class.__init__)
    return {
        key: _convert(runtime, key, value, hints.get(key)) if key in hints else value
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


def _convert(runtime: str, key: str, value: RtValue, hint: Any) -> Any:
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
        return _choose(runtime, key, value, typing.get_args(hint))
    origin = typing.get_origin(hint) or hint
    if origin in (list, tuple, set):
        items = value if isinstance(value, list) else [value]
        inner = (*typing.get_args(hint), Any)[0]
        return origin(_convert(runtime, key, item, inner) for item in items)
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
    raise PlanError(
        f"The runtime {runtime!r} takes {key!r} as {getattr(origin, '__name__', origin)}, "
        f"not {value!r}."
    )


def _choose(runtime: str, key: str, value: RtValue, choices: tuple[Any, ...]) -> Any:
    for choice in choices:
        if value == choice or (isinstance(value, str) and value == str(choice)):
            return choice
    allowed = ", ".join(map(str, choices))
    raise PlanError(f"The runtime {runtime!r} takes {key!r} as one of {allowed}, not {value!r}.")
