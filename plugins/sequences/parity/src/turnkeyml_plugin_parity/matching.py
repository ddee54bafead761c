"""Which output of an artifact is which output of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from turnkeyml_plugin_parity.results import Unable

T = TypeVar("T")


def match_outputs(
    given: Mapping[str, T], expected: Mapping[str, T], order: object, source: str
) -> list[tuple[str, T, T]]:
    """Put outputs and those of the reference together.

    Names decide where the artifact has all names of the reference, else the order does, as that of
    a model's outputs survives an export and their names do not.

    Args:
        given: What the artifact gives, by name.
        expected: What the reference gives, by name, in order.
        order: The names of the artifact's outputs in order, if it says so.
        source: What the reference is called in messages, such as ``eager``.

    Returns:
        The reference's name, the output, and what it should be.

    Raises:
        Unable: They do not correspond, or there are none.
    """
    if not expected:
        raise Unable(f"{source} gives no tensor that could be compared.")
    plain = {_plain(name): value for name, value in given.items()}
    if len(plain) == len(given) and all(_plain(name) in plain for name in expected):
        return [(name, plain[_plain(name)], value) for name, value in expected.items()]
    if len(given) != len(expected):
        raise Unable(f"{len(given)} outputs stand against {len(expected)} of {source}.")
    ordered = list(given)
    if isinstance(order, (list, tuple)) and sorted(map(str, order)) == sorted(given):
        ordered = [str(name) for name in order]
    pairs = zip(ordered, expected.items(), strict=True)
    return [(name, given[ours], value) for ours, (name, value) in pairs]


def _plain(name: str) -> str:
    """Give a name as exporters write it."""
    return name.replace(".", "_")
