"""What discovery found: models, their invocations, and the counters behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from turnkeyml_torch.signature import Signature


@dataclass(frozen=True, eq=False)
class Invocation:
    """The calls of one model with inputs of one signature.

    `args` and `kwargs` are private copies taken before the first of these calls. `seconds` is the
    time all `count` calls took together; `device` is where the model was (`cpu`, `cuda:0`).
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    count: int
    seconds: float
    signature: Signature
    device: str


@dataclass(frozen=True, eq=False)
class FoundModel:
    """A module that the script called.

    `name` is the variable that held it, an expression (`models[0]`), or its class name; of a
    child, its name inside the parent. `file` and `line` are where it was first called. `depth` is
    0 for a model and the level of nesting for a child. `calls` counts every call that succeeded;
    `dropped` those of them whose inputs were not kept. `training` is the mode at the first call.
    """

    name: str
    module: torch.nn.Module
    class_name: str
    class_qualified: str
    file: str
    line: int
    depth: int
    parent: FoundModel | None
    calls: int
    dropped: int
    training: bool
    invocations: tuple[Invocation, ...]


class Cell:
    """Counts the calls of one thread with one key; only that thread writes to it."""

    __slots__ = ("count", "nanoseconds", "record", "target")

    def __init__(self, target: torch.nn.Module | None, record: ModelRecord | None) -> None:
        self.target = target
        self.record = record
        self.count = 0
        self.nanoseconds = 0


OUTSIDE = Cell(None, None)
"""Where a thread is while it is in no module's call."""


@dataclass(eq=False)
class InvocationRecord:
    """One signature of one model while the script runs."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    signature: Signature
    device: str
    cells: list[Cell] = field(default_factory=list)

    def finish(self) -> Invocation:
        """Give the invocation as it stands now."""
        return Invocation(
            args=self.args,
            kwargs=self.kwargs,
            count=sum(cell.count for cell in self.cells),
            seconds=sum(cell.nanoseconds for cell in self.cells) / 1e9,
            signature=self.signature,
            device=self.device,
        )


@dataclass(eq=False)
class ModelRecord:
    """One model while the script runs; `called_as` keeps the wrappers it was called through.

    `trials` counts the calls while a module was made, of which it may be a part; `is_part` says
    that there were no others.
    """

    module: torch.nn.Module
    name: str
    file: str
    line: int
    training: bool
    parent: ModelRecord | None
    depth: int
    is_part: bool = False
    trials: int = 0
    called_as: list[Any] = field(default_factory=list)
    invocations: dict[Signature, InvocationRecord] = field(default_factory=dict)
    dropped: list[Cell] = field(default_factory=list)
    forgotten: int = 0

    def finish(self, parent: FoundModel | None) -> FoundModel | None:
        """Give the model as it stands now; None if no call of it has succeeded."""
        invocations = tuple(record.finish() for record in self.invocations.values())
        dropped = self.forgotten + sum(cell.count for cell in self.dropped)
        calls = sum(invocation.count for invocation in invocations) + dropped
        if calls == 0:
            return None
        cls = type(self.module)
        return FoundModel(
            name=self.name,
            module=self.module,
            class_name=cls.__name__,
            class_qualified=str(cls),
            file=self.file,
            line=self.line,
            depth=self.depth,
            parent=parent,
            calls=calls,
            dropped=dropped,
            training=self.training,
            invocations=tuple(entry for entry in invocations if entry.count),
        )
