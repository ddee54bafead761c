"""Read captured inputs with the standard library: names, dtypes, shapes and raw bytes.

Nothing of turnkey is imported: worker processes load this file by its path. The folder has
``inputs.json``, a tree of arguments, and ``inputs.bin``, the tensors' bytes, little endian and
contiguous.
"""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = 1
ITEM_SIZES = {
    "bool": 1, "uint8": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8,
    "uint16": 2, "uint32": 4, "uint64": 8,
    "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8,
    "complex64": 8, "complex128": 16,
    "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1,
}  # fmt: skip


@dataclass(frozen=True)
class RawTensor:
    """One tensor as bytes.

    Args:
        dtype: Such as ``float32``, ``bfloat16``, ``int64``, ``bool``.
        shape: Its dimensions.
        data: Contiguous and little endian, ``product(shape) * item size`` bytes.
    """

    dtype: str
    shape: tuple[int, ...]
    data: memoryview


def read_tensors(folder: Path) -> dict[str, RawTensor]:
    """Read the tensors among captured inputs.

    Args:
        folder: Where ``inputs.json`` and ``inputs.bin`` are; they are not trusted.

    Returns:
        Tensors by name; inside containers, keys and indexes are joined by dots (``past.0.1``).

    Raises:
        ValueError: The files are not what they should be.
    """
    content = json.loads((folder / "inputs.json").read_text("utf-8"))
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(f"{folder / 'inputs.json'} is not a file of captured inputs")
    raw = _bytes_of(folder / "inputs.bin")
    try:
        return {name: _tensor(name, node, raw) for name, node in _leaves("", content["arguments"])}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / 'inputs.json'} is malformed: {error!r}") from error


def _bytes_of(path: Path) -> memoryview:
    if not path.exists() or path.stat().st_size == 0:
        return memoryview(b"")
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _leaves(prefix: str, nodes: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, node in nodes.items():
        name = f"{prefix}.{key}" if prefix else key
        if node["type"] == "tensor":
            yield name, node
        elif "items" in node:
            items = node["items"]
            keys = node.get("keys") or node.get("fields") or range(len(items))
            yield from _leaves(name, {str(k): item for k, item in zip(keys, items, strict=True)})


def _tensor(name: str, node: dict[str, Any], raw: memoryview) -> RawTensor:
    dtype, shape = node["dtype"], tuple(node["shape"])
    offset, size = node["offset"], node["nbytes"]
    if dtype not in ITEM_SIZES or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise ValueError(f"input {name!r} has dtype {dtype!r} and shape {shape!r}")
    if size != math.prod(shape) * ITEM_SIZES[dtype] or not 0 <= offset <= len(raw) - size:
        raise ValueError(f"input {name!r} does not fit into inputs.bin")
    return RawTensor(dtype, shape, raw[offset : offset + size])
