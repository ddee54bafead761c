"""An ordered list of steps, named or typed in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from turnkeyml.errors import PlanError

if TYPE_CHECKING:
    from turnkeyml.plugins.registry import Registry

_MAX_DEPTH = 16


@dataclass(frozen=True)
class Step:
    """A tool by name, with the options that were given; everything else is resolved by the plan."""

    tool: str
    options: Mapping[str, Any] = field(default_factory=dict)


class Sequence:
    """An ordered list of steps, possibly nested.

    Args:
        steps: Tools or sequences by name, `Step` objects, or other sequences.
        name: Under which it may be registered.
        summary: One sentence for ``-h``.
    """

    def __init__(
        self, *steps: str | Step | Sequence, name: str | None = None, summary: str = ""
    ) -> None:
        self.steps = steps
        self.name = name
        self.summary = summary

    def __repr__(self) -> str:
        return f"Sequence({', '.join(map(repr, self.steps))}, name={self.name!r})"


def flatten(items: Iterable[str | Step | Sequence], registry: Registry) -> tuple[Step, ...]:
    """Put nested and named sequences in line.

    Raises:
        PlanError: A name is not installed, or sequences contain each other.
    """
    return tuple(_flatten(items, registry, ()))


def _flatten(
    items: Iterable[str | Step | Sequence], registry: Registry, inside: tuple[str, ...]
) -> list[Step]:
    if len(inside) > _MAX_DEPTH:
        raise PlanError(f"The sequences contain each other: {' -> '.join(inside)}.")
    found: list[Step] = []
    for item in items:
        if isinstance(item, Sequence):
            found += _flatten(item.steps, registry, (*inside, item.name or "(unnamed)"))
            continue
        if not isinstance(item, (str, Step)):
            raise PlanError(
                f"{item!r} is no step of a sequence.",
                hint="A step is the name of a tool or sequence, a Step, or a Sequence; several "
                "are given one after the other: Sequence('export-pytorch', 'optimize-onnx').",
            )
        step = Step(item) if isinstance(item, str) else item
        if step.tool in registry.sequences:
            inner = registry.sequences[step.tool].ref.load()
            if not isinstance(inner, Sequence):
                raise PlanError(f"What is registered as sequence {step.tool!r} is no Sequence.")
            found += _flatten(inner.steps, registry, (*inside, step.tool))
        else:
            found.append(Step(registry.tool(step.tool).name, step.options))
    return found


def is_installed(item: str | Step | Sequence, registry: Registry) -> bool:
    """Tell whether every tool of a sequence is there."""
    try:
        flatten([item], registry)
    except PlanError:
        return False
    return True


def step_identity(parent: str, tool: str, options: Mapping[str, Any]) -> str:
    """Give the identity of a step: its tool, its options and all steps before it.

    Args:
        parent: The identity of the step before, or text that stands for the chain's start.
        tool: The tool's name.
        options: Its resolved options as JSON values.

    Returns:
        Eight hexadecimal digits, the same in every run.
    """
    text = json.dumps([parent, tool, options], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
