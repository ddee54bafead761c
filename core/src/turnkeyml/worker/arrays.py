"""Turn what a runtime returned into raw tensors, whatever library its arrays come from.

Nothing of turnkey is imported, nor any library: worker processes load this file by its path. Arrays
are known by what they can do, as those of NumPy and tensors of PyTorch do it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple


class Raw(NamedTuple):
    """One tensor as bytes; see ``RawTensor`` in ``tensors.py``."""

    dtype: str
    shape: tuple[int, ...]
    data: memoryview


def raw_tensors(
    outputs: Any, names: Iterable[str] = (), *, sizes: Mapping[str, int]
) -> dict[str, Raw]:
    """Give the tensors among a runtime's outputs by name, in order.

    Args:
        outputs: An array, or a list, tuple or mapping of outputs; what is None is left out.
        names: Of the outputs, where they come as a list or alone. Without them they are called
            ``out``, or ``out_0``, ``out_1``; those inside an output add their place (``past.0``).
        sizes: Known dtypes, to the bytes of one element.

    Raises:
        TypeError: An output is no tensor, or its dtype is unknown.
    """
    names = list(names)
    if _is_array(outputs):
        outputs = {names[0] if len(names) == 1 else "out": outputs}
    elif isinstance(outputs, (list, tuple)):
        if len(names) != len(outputs):
            names = [f"out_{place}" for place in range(len(outputs))]
        outputs = dict(zip(names, outputs, strict=True))
    elif not isinstance(outputs, Mapping):
        raise TypeError(f"one inference gives {type(outputs).__name__}, which is no tensor")
    return {
        name: _raw(name, value, sizes)
        for key, output in outputs.items()
        for name, value in _leaves(str(key), output)
    }


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if value is None:
        return
    if isinstance(value, (list, tuple)) and not _is_array(value):
        value = dict(enumerate(value))
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _leaves(f"{name}.{key}", entry)
    else:
        yield name, value


def _is_array(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "shape")


def _raw(name: str, value: Any, sizes: Mapping[str, int]) -> Raw:
    if not _is_array(value):
        raise TypeError(f"the output {name!r} is {type(value).__name__}, which is no tensor")
    # Tensors of PyTorch say "torch.float32".
    dtype = str(value.dtype).rpartition(".")[2]
    shape = tuple(int(n) for n in value.shape)
    if dtype not in sizes:
        raise TypeError(f"the output {name!r} has the dtype {dtype}, which is not known")
    return Raw(dtype, shape, _bytes_of(value))


def _bytes_of(value: Any) -> memoryview:
    if isinstance(value.dtype, str):
        return memoryview(value.data)
    if hasattr(value, "data_ptr"):
        return _torch_bytes(value)
    return memoryview(value.tobytes())


def _torch_bytes(tensor: Any) -> memoryview:
    """Look at the memory of a tensor of PyTorch, which has dtypes that no buffer can describe."""
    plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    size = plain.numel() * plain.element_size()
    if not size:
        return memoryview(b"")
    memory: Any = (ctypes.c_char * size).from_address(plain.data_ptr())
    memory.owner = plain
    return memoryview(memory).cast("B")
