"""Which rows are of one model, and which were measured on the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from turnkeyml.report import columns as c

NONE = -1
"""The number of what has none."""
_SWEEP = "parameter."
_MAKER = "artifact_step"
_ENDS = ("discover", "find", "load", "benchmark")


class Numbering:
    """Numbers for keys in the order in which they come, and a name for each of them."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        """Of each row."""
        self.names: list[str] = []
        """By number; no two are equal."""
        self._known: dict[str, int] = {}
        self._taken: dict[str, int] = {}

    def add(self, key: str, name: str) -> None:
        """Add a row.

        Args:
            key: Equal for rows that belong together; empty if the row belongs nowhere.
            name: What it is called; a name that is taken gets a number.
        """
        if not key:
            self.numbers.append(NONE)
            return
        if key not in self._known:
            self._known[key] = len(self.names)
            self.names.append(self._free(name))
        self.numbers.append(self._known[key])

    def _free(self, name: str) -> str:
        while name in self._taken:
            self._taken[name] += 1
            name = f"{name}~{self._taken[name]}"
        self._taken[name] = 1
        return name


def models_key(values: Mapping[str, Any]) -> tuple[str, str]:
    """Give what a model is known by, also in several caches, and what it is called.

    Models of one name and hash with the same inputs and sweep are one; where there is no hash, a
    build is a model, and where there is no build, an input.
    """
    build, digest = _text(values, c.BUILD_NAME), _text(values, c.HASH)
    script, model = _text(values, c.SCRIPT), _text(values, c.MODEL_NAME)
    sweep = sorted((k, str(v)) for k, v in values.items() if k.startswith(_SWEEP))
    if digest:
        key = [model, digest, values.get(c.INPUT_SHAPES), sweep]
    elif build:
        key = [_text(values, c.CACHE), build]
    else:
        key = [_text(values, c.CACHE), "", script, sweep]
    return json.dumps(key, sort_keys=True, default=str), build or script or model or "unknown"


def configuration_of(values: Mapping[str, Any]) -> tuple[str, str]:
    """Give what was measured on: device, runtime, its arguments, and the tools that made it.

    Both are the same text; it is empty for a row that measured nothing.
    """
    runtime, device = _text(values, c.RUNTIME), _text(values, c.DEVICE)
    if not runtime:
        return "", ""
    given = values.get(c.RT_ARGS)
    words = [str(word) for word in given] if isinstance(given, list) else []
    parts = [
        f"{runtime} on {device}" if device else runtime,
        " ".join(words),
        " ".join(_made_by(values)),
    ]
    name = ", ".join(part for part in parts if part)
    return name, name


def _made_by(values: Mapping[str, Any]) -> list[str]:
    """Name the tools that made what was measured; later ones of the chain have no part in it."""
    tools = _text(values, c.CHAIN).split()
    maker = _text(values, _MAKER).rpartition("-")[0]
    if maker in tools:
        tools = tools[: tools.index(maker) + 1]
    return [tool for tool in tools if tool.partition("-")[0] not in _ENDS]


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)
