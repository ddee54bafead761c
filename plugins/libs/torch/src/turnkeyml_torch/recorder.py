"""Finds the models a script runs, by way of PyTorch's own call path."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, ClassVar

from turnkeyml_torch import call_path, naming
from turnkeyml_torch.capture import Capturer
from turnkeyml_torch.import_hook import PostImportHook
from turnkeyml_torch.quiet import ALLOWED_FILES, INTERNAL_FOLDERS
from turnkeyml_torch.records import Cell, FoundModel, InvocationRecord, ModelRecord
from turnkeyml_torch.signature import make_signature

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    import torch

    from turnkeyml_torch.call_path import Call, ThreadState

_DROPPED_KEYS = 1000
"""Beyond this many keys of calls that are only counted, new ones are not remembered."""

_TRIALS = 10
"""What is called more often than this while a module is made is a model."""

_WRAPPERS = {
    "OptimizedModule": "_orig_mod",
    "DataParallel": "module",
    "DistributedDataParallel": "module",
}
"""Classes of torch that stand for one module inside: that module is the model."""


class Recorder:
    """Records the models that are called while it is entered.

    Entering patches torch, or, if nothing has imported it yet, waits for its import; then torch is
    seeded with `seed` unless that is None. Leaving restores torch exactly. A model is a module
    that is called while no other module is; with `max_depth` the modules called within it, that
    many levels down, are its children. The inputs of at most `max_invocations` signatures a model
    are kept, without `keep_inputs` as random tensors. A DataParallel or compiled module counts as
    the module inside. Modules of torch.nn without parameters and buffers (activations, losses) are
    no models: `skipped` counts them. `failed` counts modules of which every call raised. A part of
    a model that is only called while that is made, to see what it gives, is none: `parts` names
    them.

    Raises:
        RuntimeError: on entering, if another recorder is active in this process.

    """

    _active: ClassVar[Recorder | None] = None

    def __init__(
        self,
        *,
        max_depth: int = 0,
        max_invocations: int = 10,
        keep_inputs: bool = True,
        seed: int | None = 0,
    ) -> None:
        self._max_depth = max_depth
        self._max_invocations = max_invocations
        self._seed = seed
        self._capturer = Capturer(keep_values=keep_inputs)
        self._lock = threading.RLock()
        self._records: dict[tuple[int, int], ModelRecord] = {}
        self._skipped: dict[int, weakref.ref[torch.nn.Module]] = {}
        self._skipped_count = 0
        self._hook = PostImportHook("torch", self._patch)
        self._path: call_path.CallPath | None = None
        self._pid = os.getpid()
        self._models: tuple[FoundModel, ...] | None = None

    def __enter__(self) -> Recorder:
        if Recorder._active is not None:
            raise RuntimeError("Another Recorder is active: leave it before entering this one.")
        Recorder._active = self
        self._pid = os.getpid()
        self._models = None
        if "torch" in sys.modules:
            self._patch()
        else:
            self._hook.install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        Recorder._active = None
        self._hook.remove()
        if self._path is not None:
            self._path.remove()
            self._path = None
        self._models = self._finish()

    @property
    def models(self) -> tuple[FoundModel, ...]:
        """The models found, and their children, in the order of their first calls."""
        return self._models if self._models is not None else self._finish()

    @property
    def skipped(self) -> int:
        """How many modules were no models: of torch.nn, without parameters and buffers."""
        return self._skipped_count

    @property
    def failed(self) -> int:
        """How many modules were called but raised each time; they are not among the models."""
        with self._lock:
            return sum(record.finish(None) is None for record in self._records.values())

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of what was only called while the model was made that it is a part of."""
        with self._lock:
            return tuple(self._parts().values())

    def _patch(self) -> None:
        import torch

        self._path = call_path.CallPath(self._max_depth, self._first_call)
        self._path.install()
        if self._seed is not None:
            torch.manual_seed(self._seed)

    def _first_call(self, state: ThreadState, key: Any, call: Call) -> Any:
        """Run a call that no cell counts yet, and make the cell that counts its repetitions."""
        path = self._path
        if path is None or os.getpid() != self._pid:
            return call.run()
        if _is_internal(call.module):
            with state.muted():
                return call.run()
        target = _unwrapped(call.module)
        if target is state.cell.target:
            return call.run()
        if _is_no_model(target):
            return self._run_skipped(state, target, call.run)
        path.forwards.wrap(type(target))
        with self._lock:
            record = self._record(target, call.module, state.cell.record)
            trial = self._is_trial(record)
        invocation = self._copy_unless_known(record, call.args, call.kwargs)
        cell = Cell(target, record)
        with state.entered(cell):
            start = perf_counter_ns()
            result = call.run()
            cell.nanoseconds = perf_counter_ns() - start
        cell.count = 1
        if self._path is path:
            with self._lock:
                # The next call of a part may be the script's own: it must come here again.
                if self._keep(record, cell, invocation) and not trial:
                    state.table[key] = cell
        return result

    def _run_skipped(
        self, state: ThreadState, target: torch.nn.Module, run: Callable[[], Any]
    ) -> Any:
        if state.inside == 0:
            with self._lock:
                known = self._skipped.get(id(target))
                if known is None or known() is not target:
                    self._skipped[id(target)] = weakref.ref(target)
                    self._skipped_count += 1
        with state.muted():
            return run()

    def _record(
        self, target: torch.nn.Module, called: torch.nn.Module, parent: ModelRecord | None
    ) -> ModelRecord:
        key = (id(target), id(parent))
        record = self._records.get(key)
        if record is None:
            siblings = [other for other in self._records.values() if other.parent is parent]
            taken = {other.name for other in siblings}
            held = (called,) if called is target else (called, target)
            place = naming.locate(held, taken)
            name = place.name or type(target).__name__
            if parent is not None:
                name = _child_name(parent.module, target) or name
            record = ModelRecord(
                module=target,
                name=name,
                file=place.file,
                line=place.line,
                training=target.training,
                parent=parent,
                depth=0 if parent is None else parent.depth + 1,
                is_part=parent is None,
            )
            self._records[key] = record
        if called is not target and not any(held is called for held in record.called_as):
            record.called_as.append(called)
        return record

    def _is_trial(self, record: ModelRecord) -> bool:
        """Tell whether a module that is being made may only try here what a part of it gives.

        Whatever is called otherwise, or often, is a model.
        """
        if record.is_part:
            record.trials += 1
            record.is_part = record.trials <= _TRIALS and naming.builds_a_module()
        return record.is_part

    def _copy_unless_known(
        self,
        record: ModelRecord,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> InvocationRecord | None:
        """Copy the inputs of a new signature before the call may change them.

        None means that they are not to be kept: the model has its share of invocations.
        """
        signature = make_signature(record.module, args, kwargs)
        with self._lock:
            known = record.invocations.get(signature)
            if known is not None or len(record.invocations) >= self._max_invocations:
                return known
        args, kwargs = self._capturer.copy((args, kwargs))
        return InvocationRecord(args, kwargs, signature, _device(record.module, args, kwargs))

    def _keep(self, record: ModelRecord, cell: Cell, invocation: InvocationRecord | None) -> bool:
        """Let a cell count for its signature's invocation, or for the calls without one.

        False means that the cell is not needed any more.
        """
        if invocation is not None:
            known = record.invocations.get(invocation.signature)
            if known is None and len(record.invocations) < self._max_invocations:
                record.invocations[invocation.signature] = known = invocation
            invocation = known
        if invocation is not None:
            invocation.cells.append(cell)
            return True
        if len(record.dropped) < _DROPPED_KEYS:
            record.dropped.append(cell)
            return True
        record.forgotten += cell.count
        return False

    def _finish(self) -> tuple[FoundModel, ...]:
        with self._lock:
            parts = self._parts()
            made: dict[int, FoundModel | None] = {}
            for record in self._records.values():
                parent = made.get(id(record.parent))
                left_out = record in parts or (record.parent is not None and parent is None)
                made[id(record)] = None if left_out else record.finish(parent)
            return tuple(model for model in made.values() if model is not None)

    def _parts(self) -> dict[ModelRecord, str]:
        """Name those that were only called while a model was made that they are parts of."""
        roots = [record for record in self._records.values() if record.parent is None]
        parts = {id(record.module): record for record in roots if record.is_part}
        if not parts:
            return {}
        return {
            parts[id(module)]: record.name + naming.module_path(path)
            for record in roots
            if not record.is_part and record.finish(None) is not None
            for path, module in record.module.named_modules()
            if id(module) in parts
        }


def _is_internal(module: torch.nn.Module) -> bool:
    """Tell whether torch makes this call for itself, or repeats one: replicas, checkpoints."""
    import torch

    if getattr(module, "_is_replica", False):
        return True
    task = getattr(torch._C, "_current_graph_task_id", None)
    if task is not None and task() != -1:
        return True
    return naming.internal_caller(INTERNAL_FOLDERS, ALLOWED_FILES)


def _unwrapped(module: torch.nn.Module) -> Any:
    current: Any = module
    while True:
        cls = type(current)
        inside = _WRAPPERS.get(cls.__name__) if cls.__module__.startswith("torch.") else None
        if inside is None:
            return current
        current = getattr(current, inside)


def _is_no_model(module: torch.nn.Module) -> bool:
    import torch

    origin = type(module).__module__
    if isinstance(module, torch.jit.ScriptModule):
        return False
    if isinstance(module, torch.nn.modules.loss._Loss) and origin.startswith("torch."):
        return True
    if not origin.startswith(("torch.nn.", "torch.ao.", "torchvision.transforms")):
        return False
    return next(module.parameters(), None) is None and next(module.buffers(), None) is None


def _child_name(parent: torch.nn.Module, child: torch.nn.Module) -> str | None:
    for name, module in parent.named_modules():
        if module is child and name:
            return str(name)
    return None


def _device(module: torch.nn.Module, args: Any, kwargs: Any) -> str:
    """Give the device of the model, else of its first tensor input, else `cpu`."""
    import torch

    for tensor in (*module.parameters(), *module.buffers()):
        return str(tensor.device)
    for value in (*args, *kwargs.values()):
        if isinstance(value, torch.Tensor):
            return str(value.device)
    return "cpu"
