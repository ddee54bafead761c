"""Read an ONNX file without its weights, which stay where they are in the file."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

OWN_FILE = "."
"""The location that stands for the model file itself; as a path it names a folder."""
LIFTED_FROM = 4096
"""Weights below this size, in bytes, are read with the rest."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_TENSOR_RAW_DATA, _TENSOR_EXTERNAL_DATA, _TENSOR_LOCATION = 9, 13, 14
_MAX_VARINT = 10


class _Field(NamedTuple):
    """One field of a protobuf message: where it begins, and where its content is."""

    number: int
    kind: int
    start: int
    content: int
    end: int


_Rewrite = Callable[[mmap.mmap, _Field], bytes]


def without_weights(path: Path) -> bytes:
    """Give a model file's bytes with each large weight replaced by a reference to its place.

    The weights of the main graph, which are nearly all of a large file, are not read. The
    references are those of ONNX's external data, with the location `OWN_FILE`.

    Args:
        path: The file.

    Raises:
        ValueError: It is no protobuf message, or is cut off.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        if file.seek(0, 2) == 0:
            return b""
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _rewritten(data, 0, len(data), _MODEL_GRAPH, _graph)


def _graph(data: mmap.mmap, field: _Field) -> bytes:
    return _rewritten(data, field.content, field.end, _GRAPH_INITIALIZER, _tensor)


def _rewritten(data: mmap.mmap, start: int, end: int, number: int, rewrite: _Rewrite) -> bytes:
    """Copy a message with the contents of one of its fields rewritten."""
    pieces = []
    copied = start
    for field in _fields(data, start, end):
        if field.number == number and field.kind == _BYTES:
            content = rewrite(data, field)
            if len(content) != field.end - field.content:
                tag = number << 3 | _BYTES
                pieces += [data[copied : field.start], bytes([tag]), _varint(len(content)), content]
                copied = field.end
    pieces.append(data[copied:end])
    return b"".join(pieces)


def _tensor(data: mmap.mmap, field: _Field) -> bytes:
    raw = None
    for part in _fields(data, field.content, field.end):
        if part.number in (_TENSOR_EXTERNAL_DATA, _TENSOR_LOCATION):
            return data[field.content : field.end]
        if part.number == _TENSOR_RAW_DATA and part.kind == _BYTES:
            raw = part
    if raw is None or raw.end - raw.content < LIFTED_FROM:
        return data[field.content : field.end]
    import onnx

    tensor = onnx.TensorProto()
    places = {"location": OWN_FILE, "offset": raw.content, "length": raw.end - raw.content}
    for key, value in places.items():
        tensor.external_data.add(key=key, value=str(value))
    tensor.data_location = onnx.TensorProto.EXTERNAL
    # Of a field that occurs twice the last one counts, so all before it must go too.
    kept = [
        data[part.start : part.end]
        for part in _fields(data, field.content, field.end)
        if part.number != _TENSOR_RAW_DATA
    ]
    return b"".join([*kept, tensor.SerializeToString()])


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[_Field]:
    position = start
    while position < end:
        tag, content = _read_varint(data, position, end)
        kind = tag & 7
        if kind == _VARINT:
            stop = _read_varint(data, content, end)[1]
        elif kind == _BYTES:
            length, content = _read_varint(data, content, end)
            stop = content + length
        elif kind in (_FIXED32, _FIXED64):
            stop = content + (4 if kind == _FIXED32 else 8)
        else:
            raise ValueError(f"there is no kind of field {kind}")
        if stop > end or tag < 8:
            raise ValueError(f"a field ends at byte {stop}, but what holds it at {end}")
        yield _Field(tag >> 3, kind, position, content, stop)
        position = stop


def _read_varint(data: mmap.mmap, position: int, end: int) -> tuple[int, int]:
    """Give a number, and the position after it."""
    value = 0
    for index in range(_MAX_VARINT):
        if position + index >= end:
            raise ValueError("a number is cut off")
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise ValueError("a number has no end")


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
