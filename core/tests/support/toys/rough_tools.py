"""A tool that runs Python scripts in its own process, whatever they do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from turnkeyml.context import RunContext
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import ModelInfo, State
from turnkeyml.tool import Contract, FirstTool, Tool


class Perform(FirstTool):
    """Run a script; what it does is all there is to it."""

    name = "perform"
    suffixes = (".py",)
    produces = "performance"

    def start(self, source: Source, options: Any, context: RunContext) -> Iterator[State]:
        text = source.path.read_bytes()
        exec(compile(text, source.path, "exec"), {"__name__": "__main__"})
        digest = hashlib.sha256(text).hexdigest()
        state = context.new_state(source, ModelInfo(source.path.stem, digest, "Script"))
        state.add("performance", live=None, live_key={})
        yield state


class Polish(Tool):
    """Do nothing, under a variable that must be set before anything is imported."""

    name = "polish"
    consumes = ("performance",)

    @classmethod
    def contract(cls, options: Any, registry: Registry) -> Contract:
        return Contract(cls.consumes, environment={"POLISHED": "very", "HOW": "as it likes"})

    def run(self, state: State, options: Any) -> State:
        return state
