"""What is known of a model before any stage has worked on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model before any stage has worked on it.

    Args:
        name: The variable's name, or the file's for a file.
        digest: 64 hexadecimal digits over its weights and inputs.
        model_type: As shown in the status, such as ``Pytorch (torch.nn.Module)``.
        class_name: As shown in the status.
        location: Where it is called: file, and line where there is one.
        line: The line, or None.
        parameter_count: Number of parameters.
        parameter_bytes: Their size in bytes.
        input_shapes: Names of inputs to shapes.
        executions: How often it was called with these inputs.
        seconds: What those calls took in the script.
        depth: 0 for a model, more for a module inside one.
        group: Equal for several invocations of one object.
        parent: The group of the model it was called in.
    """

    name: str
    digest: str
    model_type: str
    class_name: str = ""
    location: str = ""
    line: int | None = None
    parameter_count: int | None = None
    parameter_bytes: int | None = None
    input_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    executions: int | None = None
    seconds: float | None = None
    depth: int = 0
    group: int = 0
    parent: int | None = None

    @property
    def short_hash(self) -> str:
        """The digits that users see and type."""
        return self.digest[:8]

    def facts(self) -> dict[str, Any]:
        """Give what the state and the statistics of a build say of it."""
        return {
            "name": self.name,
            "hash": self.digest,
            "type": self.model_type,
            "class": self.class_name,
            "location": self.location,
            "line": self.line,
            "parameters": self.parameter_count,
            "parameter_bytes": self.parameter_bytes,
            "input_shapes": {name: list(shape) for name, shape in self.input_shapes.items()},
            "executions": self.executions,
            "depth": self.depth,
        }
