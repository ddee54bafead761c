"""The patched call path of `torch.nn.Module`: what every call goes through while recording."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from turnkeyml_torch import dynamo
from turnkeyml_torch.forwards import Forwards, without_defaults
from turnkeyml_torch.quiet import Quiet
from turnkeyml_torch.records import OUTSIDE, Cell
from turnkeyml_torch.tree import MAX_DEPTH, branch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FunctionType

    import torch

    FirstCall = Callable[["ThreadState", Any, "Call"], Any]

_MUTED = 1 << 20

_COPIES = (
    ("torch.fx._symbolic_trace", "_orig_module_call"),
    ("torch._dynamo.utils", "unpatched_nn_module_call"),
    ("torch._dynamo.variables.nn_module", "unpatched_nn_module_call"),
)
"""Where torch keeps `Module.__call__` as it was when that module was imported, maybe by us."""


class Call(NamedTuple):
    """A call of a module that is about to happen: `run` makes it."""

    module: torch.nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    run: Callable[[], Any]


class ThreadState:
    """Where one thread is: how many modules deep, in which one's call, and its counters."""

    __slots__ = ("cell", "inside", "table")

    def __init__(self) -> None:
        self.inside = 0
        self.cell = OUTSIDE
        self.table: dict[Any, Cell] = {}

    @contextlib.contextmanager
    def entered(self, cell: Cell) -> Iterator[None]:
        """Be inside the call that a cell counts, for a while."""
        before = self.inside, self.cell
        self.inside, self.cell = self.inside + 1, cell
        try:
            yield
        finally:
            self.inside, self.cell = before

    @contextlib.contextmanager
    def muted(self) -> Iterator[None]:
        """Record nothing for a while."""
        self.inside += _MUTED
        try:
            yield
        finally:
            self.inside -= _MUTED


class _Local(threading.local):
    """Gives each thread its state when it first asks, and remembers all of them."""

    def __init__(self, states: list[ThreadState]) -> None:
        self.state = ThreadState()
        states.append(self.state)


class CallPath:
    """Patches `Module.__call__`, the `forward` of users' classes, and torch's entry points.

    A call whose key a thread has seen costs a look-up and two clock readings; any other goes to
    `first_call`, which runs it and may put a cell into the thread's table.
    """

    def __init__(self, max_depth: int, first_call: FirstCall) -> None:
        self._max_depth = max_depth
        self._first_call = first_call
        self._states: list[ThreadState] = []
        self._local = _Local(self._states)
        self._original: Any = None
        self._patched: Any = None

    def install(self) -> None:
        """Patch torch, which must have been imported."""
        import torch

        module: Any = torch.nn.Module
        dynamo.skip_package()
        self.forwards = Forwards(
            torch.compiler.is_dynamo_compiling, self._local, self._forward_found
        )
        self._original = module.__dict__["__call__"]
        self._patched = self._make_call()
        module.__call__ = self._patched
        module.__init_subclass__ = classmethod(self._make_init_subclass())
        self.forwards.wrap_tree(module)
        self._quiet = Quiet(self._local, self.forwards)
        self._quiet.install()

    def remove(self) -> None:
        """Restore everything; code that kept the patched function goes straight through it."""
        import torch

        module: Any = torch.nn.Module
        self._quiet.remove()
        self.forwards.unwrap_all()
        module.__call__ = self._original
        if "__init_subclass__" in module.__dict__:
            del module.__init_subclass__
        for name, attribute in _COPIES:
            owner = sys.modules.get(name)
            if owner is not None and getattr(owner, attribute, None) is self._patched:
                setattr(owner, attribute, self._original)
        for state in self._states:
            state.table.clear()

    def _make_init_subclass(self) -> Callable[..., None]:
        import torch

        forwards, root = self.forwards, torch.nn.Module

        def __init_subclass__(cls: Any, **kwargs: Any) -> None:  # noqa: N807
            super(root, cls).__init_subclass__(**kwargs)  # type: ignore[misc]
            forwards.wrap(cls)

        return __init_subclass__

    def _make_call(self) -> Callable[..., Any]:
        """Make the function that takes the place of `Module.__call__`.

        Nothing in it may become a cell of a closure: every call of every module pays for it.
        """
        import torch

        original, local, limit = self._original, self._local, self._max_depth
        in_dynamo: Any = torch.compiler.is_dynamo_compiling
        is_compiling: Any = torch.compiler.is_compiling
        is_tracing: Any = torch._C._get_tracing_state
        tensor = torch.Tensor
        clock, key_of, first_call = perf_counter_ns, argument_key, self._unknown
        is_simple = original.__code__.co_names == ("_compiled_call_impl", "_call_impl")

        @functools.wraps(original)
        def _wrapped_call_impl(self: Any, *args: Any, **kwargs: Any) -> Any:
            if in_dynamo():
                return original(self, *args, **kwargs)
            state = local.state
            inside = state.inside
            if inside > limit:
                # What the original does, without the cost of one more call.
                if is_simple and self._compiled_call_impl is None:
                    return self._call_impl(*args, **kwargs)
                return original(self, *args, **kwargs)
            before = state.cell
            if before.target is self or is_tracing() is not None or is_compiling():
                return original(self, *args, **kwargs)
            if len(args) == 1 and not kwargs and type(args[0]) is tensor:
                key: Any = (id(self), before.record, args[0].shape, args[0].dtype)
            else:
                key = (id(self), before.record, *key_of(args, kwargs))
            cell = state.table.get(key)
            if cell is None:
                run = functools.partial(original, self, *args, **kwargs)
                return first_call(state, key, Call(self, args, kwargs, run))
            state.inside, state.cell = inside + 1, cell
            start = clock()
            try:
                result = original(self, *args, **kwargs)
            finally:
                state.inside, state.cell = inside, before
            cell.nanoseconds += clock() - start
            cell.count += 1
            return result

        patched: Any = _wrapped_call_impl
        dynamo.skip_in_dynamo(patched.__code__)
        return cast("Callable[..., Any]", patched)

    def _unknown(self, state: ThreadState, key: Any, call: Call) -> Any:
        """Hand a call to `first_call`, without torch.compile looking at what that does."""
        before = dynamo.pause()
        try:
            run = dynamo.resumed(before, call.run)
            return self._first_call(state, key, call._replace(run=run))
        finally:
            dynamo.resume(before)

    def _forward_found(
        self,
        forward: FunctionType,
        module: torch.nn.Module,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run a `forward` that was called while no module was."""
        import torch

        run = functools.partial(forward, module, *args, **kwargs)
        if torch._C._get_tracing_state() is not None or torch.compiler.is_compiling():
            return run()
        given, named = without_defaults(forward, args, kwargs)
        state = self._local.state
        key = (id(module), None, *argument_key(given, named))
        cell = state.table.get(key)
        if cell is None:
            return self._unknown(state, key, Call(module, given, named, run))
        with state.entered(cell):
            start = perf_counter_ns()
            result = run()
            cell.nanoseconds += perf_counter_ns() - start
        cell.count += 1
        return result


def argument_key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """Give a cheap key of arguments: equal keys have equal signatures."""
    parts: list[Any] = [_part(value, 0) for value in args]
    for name, value in kwargs.items():
        parts.append(name)
        parts.append(_part(value, 0))
    return parts


def _part(value: Any, depth: int) -> Any:
    cls = type(value)
    if cls in _HASHABLE:
        return (cls, value)
    if isinstance(value, sys.modules["torch"].Tensor):
        return (value.shape, value.dtype)
    inside = branch(value) if depth < MAX_DEPTH else None
    if inside is None:
        return (cls, repr(value)) if cls.__module__ == "torch" else cls
    return (cls, tuple((str(key), _part(entry, depth + 1)) for key, entry in inside.items))


_HASHABLE = frozenset((type(None), bool, int, float, str, bytes, complex))
