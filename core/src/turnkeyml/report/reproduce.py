"""The command that does again what a row tells of."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from turnkeyml.errors import TurnkeyError
from turnkeyml.given import GIVEN
from turnkeyml.load_build import LoadBuild
from turnkeyml.options import argv_from_options, options_from_json
from turnkeyml.plugins.registry import Registry
from turnkeyml.tool import ChainTool


class Commands:
    """Makes commands; chains are few and rows are many, so what a chain needs is remembered."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[str, tuple[str, str]] = {}

    def command_for(self, plan: Any, script: str, state_file: str) -> str | None:
        """Give the command.

        Args:
            plan: JSON: ``steps``, a list of ``[tool, options]``, and ``sweep``, values by name.
            script: The input.
            state_file: The build's, which is the input of chains that start from a build.
        """
        if not isinstance(plan, str) or not script:
            return None
        if plan not in self._known:
            try:
                self._known[plan] = self._words_of(json.loads(plan))
            except (ValueError, TypeError, AttributeError, KeyError, IndexError):
                self._known[plan] = ("", "")
        first, words = self._known[plan]
        if not first:
            return None
        if first == GIVEN:
            return f"python {shlex.quote(script)}"
        given = state_file if first == LoadBuild.name else script
        return f"turnkey -i {shlex.quote(given)} {words}"

    def _words_of(self, plan: Mapping[str, Any]) -> tuple[str, str]:
        words: list[str] = []
        for name, value in plan["sweep"].items():
            words += ["--sweep", f"{name}={value}"]
        for tool, options in plan["steps"]:
            words += [str(tool), *self._options_of(str(tool), options)]
        first = str(plan["steps"][0][0]) if plan["steps"] else ""
        return first, " ".join(map(shlex.quote, words))

    def _options_of(self, tool: str, options: Mapping[str, Any]) -> list[str]:
        try:
            tool_class = self._registry.tool(tool).ref.load_class(ChainTool)
            return argv_from_options(options_from_json(tool_class.Options, options))
        except TurnkeyError:
            # It is not installed here, or in another version: what it was given is said in full.
            return _plain_words(options)


def _plain_words(options: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif isinstance(value, list) and value:
            words += [flag, *map(str, value)]
        elif value is not None and value is not False and not isinstance(value, list):
            words += [flag, str(value)]
    return words
