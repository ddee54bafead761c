"""The one writer of ONNX files: weights go into data files named by their digest."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.artifacts import FileRecord
from turnkeyml.cache.atomic import TEMPORARY, open_replaced, publish

if TYPE_CHECKING:
    import onnx_ir as ir

INLINE_BYTES = 1024
"""Weights below this size stay in the model file."""

_ALIGNMENT = 64
_PAGE = 4096
_PAGE_ALIGNED_FROM = 1 << 20


@dataclass(frozen=True)
class WrittenModel:
    """An ONNX file that was written, and what is in it.

    Args:
        files: The model file, then its data file if it has one; relative to the build directory.
        opset: Of the standard operators.
        ir_version: Of the file format.
        operators: How often each operator occurs, subgraphs included.
        inputs: Names of inputs to their shapes; unknown dimensions are text.
        outputs: Names of outputs, in order.
    """

    files: tuple[FileRecord, ...]
    opset: int
    ir_version: int
    operators: Mapping[str, int]
    inputs: Mapping[str, tuple[int | str, ...]]
    outputs: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(record.size for record in self.files)


def write_model(model: ir.Model, folder: Path, name: str) -> WrittenModel:
    """Write a model; its initializers then refer to the data file instead of memory.

    The data file is named by the digest of its bytes, is never changed, and may be referred to by
    several models. It is written before the model file, so that no model refers to nothing.

    Args:
        model: In memory; its large initializers are replaced by references.
        folder: Inside the build directory, one level down.
        name: Of the model file.
    """
    import onnx_ir as ir

    data = _write_weights(model, folder)
    path = folder / name
    content = ir.to_proto(model).SerializeToString()
    with open_replaced(path, "wb") as file:
        file.write(content)
    record = FileRecord(f"{folder.name}/{name}", len(content), hashlib.sha256(content).hexdigest())
    return WrittenModel(
        (record,) if data is None else (record, data),
        model.opset_imports[""],
        model.ir_version,
        count_operators(model),
        {str(value.name): _shape(value) for value in model.graph.inputs},
        tuple(str(value.name) for value in model.graph.outputs),
    )


def count_operators(model: ir.Model) -> dict[str, int]:
    """Count operators by name, those of subgraphs too; other domains stand before the name."""
    import onnx_ir as ir

    counts = Counter(
        f"{node.domain}::{node.op_type}" if node.domain else node.op_type
        for node in ir.traversal.RecursiveGraphIterator(model.graph)
    )
    return dict(sorted(counts.items()))


def _shape(value: ir.Value) -> tuple[int | str, ...]:
    if value.shape is None:
        return ()
    return tuple(n if isinstance(n, int) else str(n.value or "?") for n in value.shape)


def _write_weights(model: ir.Model, folder: Path) -> FileRecord | None:
    large = [
        value
        for graph in _graphs(model)
        for value in graph.initializers.values()
        if value.const_value is not None and value.const_value.nbytes >= INLINE_BYTES
    ]
    if not large:
        return None
    temporary = folder / f"{TEMPORARY}{secrets.token_hex(6)}.data"
    try:
        digest, places = _stream(large, temporary)
        size = temporary.stat().st_size
        name = f"{digest[:32]}.data"
        publish(temporary, folder / name)
    finally:
        temporary.unlink(missing_ok=True)
    for value, (offset, length) in zip(large, places, strict=True):
        _refer(value, name, folder, offset, length)
    return FileRecord(f"{folder.name}/{name}", size, digest)


def _graphs(model: ir.Model) -> Iterator[ir.Graph]:
    import onnx_ir as ir

    yield model.graph
    for node in ir.traversal.RecursiveGraphIterator(model.graph):
        for attribute in node.attributes.values():
            if attribute.type == ir.AttributeType.GRAPH:
                yield attribute.as_graph()


def _stream(values: list[ir.Value], path: Path) -> tuple[str, list[tuple[int, int]]]:
    """Write tensors one after the other; give the digest, and offset and length of each."""
    digest = hashlib.sha256()
    places: list[tuple[int, int]] = []
    known: dict[int, tuple[int, int]] = {}
    position = 0
    with path.open("wb") as file:
        for value in values:
            tensor = value.const_value
            # Tied weights are one tensor under several names.
            if id(tensor) in known:
                places.append(known[id(tensor)])
                continue
            content = tensor.tobytes()
            step = _PAGE if len(content) >= _PAGE_ALIGNED_FROM else _ALIGNMENT
            padding = b"\0" * (-position % step)
            for piece in (padding, content):
                file.write(piece)
                digest.update(piece)
            place = (position + len(padding), len(content))
            position = sum(place)
            known[id(tensor)] = place
            places.append(place)
    return digest.hexdigest(), places


def _refer(value: ir.Value, name: str, folder: Path, offset: int, length: int) -> None:
    import onnx_ir as ir

    tensor = value.const_value
    value.const_value = ir.ExternalTensor(
        name,
        offset,
        length,
        tensor.dtype,
        shape=tensor.shape,
        name=str(value.name),
        base_dir=folder,
    )
