"""A chain that starts from an object in memory instead of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from turnkeyml.context import RunContext
from turnkeyml.inputs import Source
from turnkeyml.plugins.records import ObjectRef, Provider, ToolRecord, ToolRole
from turnkeyml.plugins.registry import CORE, Registry
from turnkeyml.state import ModelInfo, State
from turnkeyml.tool import FirstTool

GIVEN = "given"
"""The name of the step that starts such a chain."""


@dataclass(frozen=True)
class GivenModel:
    """What a plugin makes of an object that it recognises.

    Args:
        info: What is known of the model.
        kind: The kind of artifact that the chain starts from.
        hand_over: Adds that artifact, and the inputs, to the state.
    """

    info: ModelInfo
    kind: str
    hand_over: Callable[[State], None]


def with_given(registry: Registry, model: GivenModel, suffix: str) -> Registry:
    """Give a registry that also has the first tool of this one chain.

    Args:
        registry: What is installed.
        model: What the chain starts from.
        suffix: Of the file that stands for it, the running script.
    """

    class Given(FirstTool):
        """Start from an object in memory."""

        suffixes = (suffix,)
        produces = model.kind

        def start(self, source: Source, options: Any, context: RunContext) -> Iterator[State]:
            """Give the model's state."""
            state = context.new_state(source, model.info)
            model.hand_over(state)
            yield state

    Given.name = GIVEN
    ref = ObjectRef(Provider(CORE, "", GIVEN, __name__), GIVEN, Given)
    record = ToolRecord(GIVEN, (), "", ToolRole.FIRST, ref)
    return replace(registry, tools={**registry.tools, GIVEN: record})
