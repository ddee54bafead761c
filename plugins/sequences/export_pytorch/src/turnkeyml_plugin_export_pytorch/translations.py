"""Operators that PyTorch's exporter has no translation for, and ONNX can express."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def own_translations() -> dict[str, Any]:
    """Give what `torch.onnx.export` is told of them, as its arguments; nothing if it takes none."""
    import torch

    if "custom_translation_table" not in inspect.signature(torch.onnx.export).parameters:
        return {}
    table: dict[Any, Callable[..., Any]] = {torch.ops.aten._is_all_true.default: _is_all_true}
    return {"custom_translation_table": table}


def _is_all_true(self: Any) -> Any:
    # What `torch._check_tensor_all` leaves of a check, which is then used by nothing.
    import onnx
    from onnxscript import opset18 as op

    numbers = op.Cast(self, to=onnx.TensorProto.INT32)
    return op.Cast(op.ReduceMin(numbers, keepdims=0), to=onnx.TensorProto.BOOL)
