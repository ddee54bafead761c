"""Captured inputs as two files without pickle: `inputs.json` and `inputs.bin`.

`inputs.bin` holds the tensors' values one after the other: little-endian, row-major (C order)
without gaps inside a tensor, each tensor starting at a multiple of 64 bytes, the space between
filled with zeros. A bool takes one byte (0 or 1), bfloat16 two, a complex number its real part and
then its imaginary part.

`inputs.json` is UTF-8: `{"schema": 1, "arguments": {name: node, ...}}`, the names those of
`forward`, in order. A node is one of

    {"type": "tensor", "dtype": "float32", "shape": [1, 3], "offset": 0, "nbytes": 12}
    {"type": "none"}
    {"type": "bool", "value": true}
    {"type": "int", "value": 3}
    {"type": "float", "value": 0.5}             not finite: "nan", "inf" or "-inf" as text
    {"type": "str", "value": "text"}
    {"type": "list", "items": [node, ...]}       also "tuple"
    {"type": "namedtuple", "class": "m.Point", "fields": ["x", "y"], "items": [node, ...]}
    {"type": "dict", "keys": ["a", 3], "items": [node, ...]}
    {"type": "dataclass", "class": "m.Config", "fields": ["x"], "items": [node, ...]}
    {"type": "opaque", "class": "m.Thing", "repr": "Thing(...)"}   cannot be read back

Offsets and sizes are bytes. dtypes: bool, uint8 to uint64, int8 to int64, float16, bfloat16,
float32, float64, the float8 kinds, complex64, complex128.
"""

from __future__ import annotations

import collections
import json
import keyword
import math
import secrets
import types
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml_torch.raw import ITEM_SIZES, read_tensor, tensor_bytes
from turnkeyml_torch.signature import dtype_name
from turnkeyml_torch.tree import MAX_DEPTH, branch, class_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

SCHEMA = 1
TREE_FILE = "inputs.json"
BYTES_FILE = "inputs.bin"

_ALIGNMENT = 64
_REPR_LENGTH = 200
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class InputsError(ValueError):
    """Stored inputs cannot be read; the message says which file and why."""


@dataclass(frozen=True)
class Opaque:
    """A value that was not stored: its class and the start of its repr."""

    class_name: str
    text: str


@dataclass(frozen=True, eq=False)
class CapturedInputs:
    """Inputs read back, by the names of `forward`; `complete` is False if some were opaque.

    Named tuples come back as named tuples of the same fields, dataclasses as namespaces.
    """

    arguments: dict[str, Any]
    complete: bool


def write_inputs(folder: Path, tree: Mapping[str, Any]) -> tuple[str, ...]:
    """Write arguments by name (see `bind_names`) into a folder, which is made if need be.

    Returns the names of the files written, relative to the folder. Each is complete once it has
    its name; one tensor at a time is in memory.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _moved_into_place(folder / BYTES_FILE) as path, path.open("wb") as file:
        writer = _Writer(file)
        arguments = {name: writer.node(value, 0) for name, value in tree.items()}
    document = {"schema": SCHEMA, "arguments": arguments}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    with _moved_into_place(folder / TREE_FILE) as path:
        path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    return (TREE_FILE, BYTES_FILE)


def read_inputs(folder: Path) -> CapturedInputs:
    """Read what `write_inputs` wrote. The files are not trusted, and nothing in them is run.

    Raises:
        InputsError: a file is missing, of a newer schema, or says what cannot be.

    """
    tree_file, bytes_file = folder / TREE_FILE, folder / BYTES_FILE
    try:
        document = json.loads(tree_file.read_text(encoding="utf-8"))
        size = bytes_file.stat().st_size
    except OSError as error:
        raise InputsError(f"{error.filename} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise InputsError(f"{tree_file} is not JSON: {error}.") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise InputsError(
            f"{tree_file} has schema {schema!r}, and this version reads {SCHEMA}: "
            "capture the inputs again, or install a newer turnkeyml-torch."
        )
    arguments = document.get("arguments")
    if not isinstance(arguments, dict):
        raise InputsError(f"{tree_file} has no mapping called 'arguments'.")
    with bytes_file.open("rb") as file:
        reader = _Reader(file, size, tree_file)
        values = {name: reader.value(node, name, 0) for name, node in arguments.items()}
    return CapturedInputs(values, complete=not reader.opaque)


class _moved_into_place:  # noqa: N801 - reads as a function where it is used
    def __init__(self, final: Path) -> None:
        self._final = final
        self._part = final.with_name(f"{TEMPORARY}{secrets.token_hex(6)}-{final.name}")

    def __enter__(self) -> Path:
        return self._part

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is None:
            self._part.replace(self._final)
        else:
            self._part.unlink(missing_ok=True)


class _Writer:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def node(self, value: Any, depth: int) -> dict[str, Any]:
        import torch

        cls = type(value)
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if value is None:
            return {"type": "none"}
        if cls in (bool, int, str):
            return {"type": cls.__name__, "value": value}
        if cls is float:
            return {"type": "float", "value": value if math.isfinite(value) else repr(value)}
        inside = branch(value) if depth < MAX_DEPTH else None
        if inside is None or inside.kind == "object":
            return _opaque(value)
        keys = [key for key, _ in inside.items]
        if inside.kind == "dict" and not all(type(key) in (str, int) for key in keys):
            return _opaque(value)
        items = [self.node(entry, depth + 1) for _, entry in inside.items]
        if inside.kind == "dict":
            return {"type": "dict", "keys": keys, "items": items}
        if inside.kind in ("namedtuple", "dataclass"):
            named = {"type": inside.kind, "class": class_name(value), "fields": keys}
            return named | {"items": items}
        return {"type": inside.kind, "items": items}

    def _tensor(self, tensor: Any) -> dict[str, Any]:
        name = dtype_name(tensor.dtype)
        if name not in ITEM_SIZES or tensor.is_meta:
            return _opaque(tensor)
        self._file.write(bytes(-self._file.tell() % _ALIGNMENT))
        offset = self._file.tell()
        for block in tensor_bytes(tensor):
            self._file.write(block)
        return {
            "type": "tensor",
            "dtype": name,
            "shape": list(tensor.shape),
            "offset": offset,
            "nbytes": self._file.tell() - offset,
        }


class _Reader:
    def __init__(self, file: BinaryIO, size: int, where: Path) -> None:
        self._file = file
        self._size = size
        self._where = where
        self.opaque = False

    def value(self, node: Any, name: str, depth: int) -> Any:
        if not isinstance(node, dict) or depth > MAX_DEPTH:
            raise self._error(name, "is no node, or nested too deeply")
        kind = node.get("type")
        if kind == "tensor":
            return self._tensor(node, name)
        if kind == "none":
            return None
        if kind == "opaque":
            self.opaque = True
            return Opaque(str(node.get("class")), str(node.get("repr")))
        if kind in ("bool", "int", "str", "float"):
            return self._scalar(kind, node.get("value"), name)
        if kind in ("list", "tuple", "namedtuple", "dict", "dataclass"):
            return self._container(kind, node, name, depth)
        raise self._error(name, f"has the unknown type {kind!r}")

    def _scalar(self, kind: str, value: Any, name: str) -> Any:
        if kind == "float":
            if isinstance(value, str) and value in _NOT_FINITE:
                return _NOT_FINITE[value]
            if type(value) in (int, float):
                return float(value)
        elif type(value).__name__ == kind:
            return value
        raise self._error(name, f"says {kind} but holds {value!r:.40}")

    def _container(self, kind: str, node: dict[str, Any], name: str, depth: int) -> Any:
        items = node.get("items")
        if not isinstance(items, list):
            raise self._error(name, "has no list of items")
        values = [
            self.value(item, f"{name}.{index}", depth + 1) for index, item in enumerate(items)
        ]
        if kind == "list":
            return values
        if kind == "tuple":
            return tuple(values)
        keys = node.get("keys" if kind == "dict" else "fields")
        if not isinstance(keys, list) or len(keys) != len(values):
            raise self._error(name, "has not one key for each item")
        if kind == "dict":
            if not all(type(key) in (str, int) for key in keys):
                raise self._error(name, "has a key that is neither text nor a whole number")
            return dict(zip(keys, values, strict=True))
        if not all(isinstance(key, str) and _is_field(key) for key in keys):
            raise self._error(name, "has a field that is no name")
        if kind == "dataclass":
            return types.SimpleNamespace(**dict(zip(keys, values, strict=True)))
        if len(set(keys)) != len(keys) or any(key.startswith("_") for key in keys):
            raise self._error(name, "has fields that no named tuple can have")
        title = str(node.get("class")).rpartition(".")[2]
        make_class: Any = collections.namedtuple
        return make_class(title if _is_field(title) else "NamedTuple", keys)(*values)

    def _tensor(self, node: dict[str, Any], name: str) -> Any:
        dtype, shape = node.get("dtype"), node.get("shape")
        offset: Any = node.get("offset")
        nbytes: Any = node.get("nbytes")
        if not isinstance(dtype, str) or dtype not in ITEM_SIZES:
            raise self._error(name, f"has the unknown dtype {dtype!r:.40}")
        if not isinstance(shape, list) or not _are_counts([offset, nbytes, *shape]):
            raise self._error(name, "has a shape, offset or size that is no count")
        if math.prod(shape) * ITEM_SIZES[dtype] != nbytes:
            raise self._error(name, f"says {nbytes} bytes, which shape {shape} of {dtype} has not")
        if offset + nbytes > self._size:
            raise self._error(name, f"ends beyond {BYTES_FILE}, which has {self._size} bytes")
        self._file.seek(offset)
        return read_tensor(self._file, dtype, tuple(shape), nbytes)

    def _error(self, name: str, what: str) -> InputsError:
        return InputsError(f"{self._where}: argument '{name}' {what}.")


def _opaque(value: Any) -> dict[str, Any]:
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a user's __repr__
        text = f"<repr failed: {type(error).__name__}>"
    return {"type": "opaque", "class": class_name(value), "repr": text[:_REPR_LENGTH]}


def _are_counts(numbers: list[Any]) -> bool:
    return all(type(number) is int and 0 <= number < 1 << 62 for number in numbers)


def _is_field(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)
