"""Operators that PyTorch's exporter translates wrongly or not at all, and ONNX can express."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any


def own_translations() -> dict[str, Any]:
    """Give what `torch.onnx.export` is told of them, as its arguments; nothing if it takes none."""
    import torch

    if "custom_translation_table" not in inspect.signature(torch.onnx.export).parameters:
        return {}
    table: dict[Any, Callable[..., Any]] = {
        torch.ops.aten._is_all_true.default: _is_all_true,
        torch.ops.aten.randn.generator: _randn,
        torch.ops.aten.squeeze.dim: _squeeze,
    }
    return {"custom_translation_table": table}


def _is_all_true(self: Any) -> Any:
    # What `torch._check_tensor_all` leaves of a check, which is then used by nothing.
    import onnx
    from onnxscript import opset18 as op

    numbers = op.Cast(self, to=onnx.TensorProto.INT32)
    return op.Cast(op.ReduceMin(numbers, keepdims=0), to=onnx.TensorProto.BOOL)


def _randn(
    size: Sequence[int], *, generator: None = None, dtype: int | None = None, **_where: Any
) -> Any:
    # `torch.randn(..., generator=None)`. PyTorch itself takes neither another generator nor a free
    # axis in a graph.
    import onnx
    import torch
    from onnxscript import opset18 as op

    types = onnx.TensorProto
    known = {
        torch.float16: types.FLOAT16,
        torch.bfloat16: types.BFLOAT16,
        torch.float32: types.FLOAT,
        torch.float64: types.DOUBLE,
    }
    dtype = known[torch.get_default_dtype()] if dtype is None else dtype
    if dtype not in known.values():
        raise ValueError("ONNX draws no random numbers of this type")
    shape = op.Constant(value_ints=list(size))
    return op.RandomNormalLike(op.ConstantOfShape(shape), dtype=dtype)


def _squeeze(self: Any, dim: int) -> Any:
    # PyTorch leaves an axis that is not of size 1 as it is, and free axes are not; ONNX refuses it,
    # and onnxscript 0.7.2 does not look.
    from onnxscript import opset18 as op

    if len(self.shape) == 0 or self.shape[dim] != 1:
        return op.Identity(self)
    return op.Squeeze(self, op.Constant(value_ints=[dim]))
