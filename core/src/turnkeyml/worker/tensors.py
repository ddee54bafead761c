"""Read and write tensors with the standard library: names, dtypes, shapes and raw bytes.

Nothing of turnkey is imported: worker processes load this file by its path. A folder of tensors has
``inputs.json``, a tree of arguments, and ``inputs.bin``, the tensors' bytes, little endian and
contiguous; captured inputs, reference outputs and what runtimes return are all kept in this form.
"""

from __future__ import annotations

import json
import math
import mmap
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = 1
TREE_FILE = "inputs.json"
BYTES_FILE = "inputs.bin"
_ALIGNMENT = 64
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


def write_tensors(folder: Path, tensors: Mapping[str, RawTensor]) -> tuple[str, str]:
    """Write tensors by name into a folder, which is made if need be.

    The files replace older ones whole, the bytes before the tree that describes them.

    Args:
        folder: Where ``inputs.json`` and ``inputs.bin`` are to be.
        tensors: Plain names to tensors.

    Returns:
        The names of the two files, relative to the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    nodes: dict[str, Any] = {}
    names = {name: f".tmp-{secrets.token_hex(6)}-{name}" for name in (BYTES_FILE, TREE_FILE)}
    try:
        with (folder / names[BYTES_FILE]).open("wb") as file:
            for name, tensor in tensors.items():
                file.write(bytes(-file.tell() % _ALIGNMENT))
                start = file.tell()
                file.write(tensor.data)
                nodes[name] = {
                    "type": "tensor",
                    "dtype": tensor.dtype,
                    "shape": list(tensor.shape),
                    "offset": start,
                    "nbytes": file.tell() - start,
                }
        document = json.dumps({"schema": SCHEMA, "arguments": nodes}, indent=1)
        (folder / names[TREE_FILE]).write_text(document + "\n", "utf-8")
        for name, temporary in names.items():
            (folder / temporary).replace(folder / name)
    finally:
        for temporary in names.values():
            (folder / temporary).unlink(missing_ok=True)
    return TREE_FILE, BYTES_FILE


def read_tensors(folder: Path) -> dict[str, RawTensor]:
    """Read the tensors among captured inputs.

    Args:
        folder: Where ``inputs.json`` and ``inputs.bin`` are; they are not trusted.

    Returns:
        Tensors by name; inside containers, keys and indexes are joined by dots (``past.0.1``).

    Raises:
        ValueError: The files are not what they should be.
    """
    content = json.loads((folder / TREE_FILE).read_text("utf-8"))
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(f"{folder / 'inputs.json'} is not a file of captured inputs")
    raw = _bytes_of(folder / BYTES_FILE)
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
