"""Keeps torch.compile away from this package's own frames, without importing the compiler."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType


def pause() -> Any:
    """Compile nothing in this thread for a while; give what `resume` needs to go on."""
    set_callback = _set_callback()
    return set_callback(None) if set_callback is not None else None


def resume(before: Any) -> None:
    """Compile again as before `pause`."""
    set_callback = _set_callback()
    if set_callback is not None and before is not None:
        set_callback(before)


def resumed(before: Any, run: Callable[[], Any]) -> Callable[[], Any]:
    """Make a call that happens as before `pause`."""
    if before is None:
        return run

    def go() -> Any:
        resume(before)
        try:
            return run()
        finally:
            pause()

    return go


def _set_callback() -> Any:
    import torch

    return getattr(getattr(torch._C._dynamo, "eval_frame", None), "set_eval_frame", None)


def skip_package() -> None:
    """Let no function of this package be compiled when it runs below a compiled one."""
    package = __name__.rpartition(".")[0]
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{package}."):
            for code in _codes(vars(module).values(), name):
                skip_in_dynamo(code)


def skip_in_dynamo(code: CodeType) -> None:
    """Let torch.compile start at the wrapped function's frame, not at the wrapper's."""
    import torch

    try:
        dynamo: Any = torch._C._dynamo.eval_frame
    except AttributeError:
        return
    if hasattr(dynamo, "skip_code"):
        dynamo.skip_code(code)
    elif hasattr(dynamo, "_FrameExecStrategy"):
        action = dynamo._FrameAction
        strategy = dynamo._FrameExecStrategy(action.SKIP, action.DEFAULT)
        dynamo.set_code_exec_strategy(code, strategy)


def _codes(values: Any, module: str) -> Iterator[CodeType]:
    for value in list(values):
        plain = getattr(value, "__func__", getattr(value, "fget", value))
        plain = getattr(plain, "__wrapped__", plain)
        if isinstance(plain, types.FunctionType) and plain.__module__ == module:
            yield from _nested(plain.__code__)
        elif isinstance(value, type) and value.__module__ == module:
            yield from _codes(vars(value).values(), module)


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)
