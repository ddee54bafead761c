"""The one writer of ONNX files: weights go into data files named by their digest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.artifacts import FileRecord
from turnkeyml.cache.atomic import open_replaced
from turnkeyml.errors import BuildError
from turnkeyml_onnx.reading import nodes_of
from turnkeyml_onnx.weights import Known, store_weights

if TYPE_CHECKING:
    import onnx_ir as ir

NOTHING_KNOWN = Known()


@dataclass(frozen=True)
class WrittenModel:
    """An ONNX file that was written, and what is in it.

    Args:
        files: The model file, then the data files that it refers to, of which other models may
            make use too; relative to the build directory.
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
        """Bytes on disk, those shared with other models too."""
        return sum(record.size for record in self.files)


def write_model(
    model: ir.Model, folder: Path, name: str, *, known: Known = NOTHING_KNOWN
) -> WrittenModel:
    """Write a model; its large initializers then refer to data files instead of memory.

    A data file is named by the digest of its bytes, is never changed, and may be referred to by
    several models. Initializers that already refer to such a file of the folder are left as they
    are; the others go into one new file, written before the model file, so that no model refers to
    nothing.

    Args:
        model: In memory; its large initializers are replaced by references.
        folder: Inside the build directory, one level down.
        name: Of the model file.
        known: Files and weights that are in the folder already, which are not written again.

    Raises:
        BuildError: The files cannot be written, or a data file is not what it should be.
    """
    import onnx_ir as ir

    path = folder / name
    try:
        data = store_weights(model, folder, known)
        content = ir.to_proto(model).SerializeToString()
        with open_replaced(path, "wb") as file:
            file.write(content)
    except OSError as error:
        raise BuildError(
            f"The ONNX file {path} cannot be written: {error.strerror or error}.",
            hint="Make room, or give another cache directory with -d.",
        ) from error
    record = FileRecord(f"{folder.name}/{name}", len(content), hashlib.sha256(content).hexdigest())
    return WrittenModel(
        (record, *data),
        model.opset_imports[""],
        model.ir_version,
        count_operators(model),
        {str(value.name): _shape(value) for value in model.graph.inputs},
        tuple(str(value.name) for value in model.graph.outputs),
    )


def count_operators(model: ir.Model) -> dict[str, int]:
    """Count operators by name, those of subgraphs too; other domains stand before the name."""
    counts = Counter(
        f"{node.domain}::{node.op_type}" if node.domain else node.op_type
        for node in nodes_of(model)
    )
    return dict(sorted(counts.items()))


def _shape(value: ir.Value) -> tuple[int | str, ...]:
    if value.shape is None:
        return ()
    return tuple(n if isinstance(n, int) else str(n.value or "?") for n in value.shape)
