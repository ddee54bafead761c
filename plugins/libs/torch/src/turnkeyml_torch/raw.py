"""The bytes of tensors: read out in blocks without copying where possible, and read back."""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    import torch

BLOCK_BYTES = 1 << 24
"""What is moved or copied at once."""

ITEM_SIZES = {
    "bool": 1,
    "uint8": 1,
    "uint16": 2,
    "uint32": 4,
    "uint64": 8,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2fnuz": 1,
    "complex64": 8,
    "complex128": 16,
}
"""Bytes of one element, by the dtype's name."""


def tensor_bytes(tensor: torch.Tensor) -> Iterator[memoryview]:
    """Give a tensor's values as blocks of little-endian bytes in row-major order.

    A contiguous tensor on the CPU is not copied; others are, a block at a time. Sparse tensors
    come dense. Quantized ones give their integers, meta tensors nothing.
    """
    import torch

    if is_lazy(tensor) or tensor.is_meta:
        return
    tensor = tensor.detach()
    if tensor.is_quantized:
        tensor = tensor.int_repr()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    tensor = tensor.resolve_conj().resolve_neg()
    if tensor.numel() == 0:
        return
    if tensor.is_contiguous():
        flat = tensor.view(-1)
        step = max(1, BLOCK_BYTES // tensor.element_size())
        for start in range(0, flat.numel(), step):
            yield _block(flat[start : start + step])
    else:
        for piece in _contiguous_pieces(tensor):
            yield _block(piece)


def read_tensor(file: BinaryIO, dtype: str, shape: tuple[int, ...], nbytes: int) -> torch.Tensor:
    """Read a tensor of `nbytes` bytes from where the file stands."""
    import torch

    made = torch.empty(shape, dtype=getattr(torch, dtype))
    if nbytes:
        view = _memory(made, nbytes)
        if file.readinto(view) != nbytes:  # type: ignore[attr-defined]
            raise EOFError("The file became shorter while it was read.")
        if sys.byteorder == "big":
            _swap(made)
    return made


def _contiguous_pieces(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    if tensor.dim() == 0 or tensor.numel() * tensor.element_size() <= BLOCK_BYTES:
        yield tensor.contiguous()
        return
    for part in tensor.unbind(0):
        yield from _contiguous_pieces(part)


def _block(flat: torch.Tensor) -> memoryview:
    flat = flat.cpu()
    size = flat.numel() * flat.element_size()
    if sys.byteorder == "big":
        flat = flat.clone()
        _swap(flat)
    return _memory(flat, size)


def _memory(tensor: torch.Tensor, nbytes: int) -> memoryview:
    """Look at a contiguous tensor's memory; the view keeps the tensor alive."""
    array: Any = (ctypes.c_char * nbytes).from_address(tensor.data_ptr())
    array.tensor = tensor
    return memoryview(array).cast("B")


def _swap(tensor: torch.Tensor) -> None:
    import torch

    width = tensor.element_size() // (2 if tensor.is_complex() else 1)
    as_bytes = tensor.view(-1).view(torch.uint8).view(-1, width)
    as_bytes.copy_(as_bytes.flip(1))


def is_lazy(tensor: torch.Tensor) -> bool:
    """Tell whether a parameter or buffer of a lazy module has no shape yet."""
    from torch.nn import parameter

    return bool(parameter.is_lazy(tensor))
