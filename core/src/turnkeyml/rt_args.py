"""Runtime arguments: ``key::value`` words, checked against a runtime's signature and converted."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from turnkeyml.keyword_args import Taker, Value, convert_arguments, parse_words
from turnkeyml.runtime import CONTEXT_NAMES, BaseRT

RtValue = Value
_OPTION = "--rt-args"


def parse_rt_args(words: Sequence[str]) -> dict[str, RtValue]:
    """Read ``key::value``, ``key::[value1,value2]`` and ``flag`` words.

    Raises:
        PlanError: A word has another form, or a key comes twice.
    """
    return parse_words(words, _OPTION)


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
    names = frozenset(CONTEXT_NAMES)
    taker = Taker(f"runtime {runtime!r}", runtime_class, _OPTION, BaseRT, names)
    return convert_arguments(taker, given)


def takes_argument(runtime_class: type[BaseRT], name: str) -> bool:
    """Tell whether a runtime's ``__init__`` names an argument."""
    parameter = inspect.signature(runtime_class).parameters.get(name)
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return parameter is not None and parameter.kind in kinds
