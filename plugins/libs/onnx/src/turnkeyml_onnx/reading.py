"""The safe way to read ONNX files: weights stay on disk, and may not lie outside the folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.artifacts import safe_relative_path
from turnkeyml.errors import BuildError

if TYPE_CHECKING:
    import onnx_ir as ir


def load_model(path: Path) -> ir.Model:
    """Read an ONNX file, which may come from anywhere, without its weights.

    Weights in data files become references (``onnx_ir.ExternalTensor``), read when they are asked
    for. Each is checked: it lies inside the file's folder, and its file is there and long enough.

    Raises:
        BuildError: The file cannot be read, is no ONNX model, or refers to weights that it must
            not or cannot refer to.
    """
    import onnx
    import onnx_ir as ir

    try:
        content = path.read_bytes()
    except OSError as error:
        raise BuildError(f"{path} cannot be read: {error.strerror}.") from error
    damaged = f"{path.name} is no ONNX model, or is damaged"
    try:
        proto = onnx.ModelProto.FromString(content)
        del content
        if not proto.ir_version or not proto.HasField("graph"):
            raise BuildError(f"{damaged}: it has no graph.")
        model = ir.from_proto(proto)
    except BuildError:
        raise
    # Bytes from anywhere make protobuf and onnx_ir raise errors of many kinds.
    except Exception as error:
        raise BuildError(f"{damaged}: {_reason(error)}") from error
    if "" not in model.opset_imports:
        raise BuildError(f"{path.name} does not say which opset of the standard operators it uses.")
    for tensor in external_tensors(model):
        _check_place(tensor, path)
        tensor.base_dir = path.parent
    return model


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def graphs_of(model: ir.Model) -> Iterator[ir.Graph]:
    """Give the graph of a model, then all graphs inside its nodes, those of functions too."""
    yield model.graph
    for node in nodes_of(model):
        for attribute in node.attributes.values():
            yield from _graphs_in(attribute)


def nodes_of(model: ir.Model) -> Iterator[ir.Node]:
    """Give all nodes of a model, those of subgraphs and functions too."""
    import onnx_ir as ir

    yield from ir.traversal.RecursiveGraphIterator(model.graph)
    for function in model.functions.values():
        yield from ir.traversal.RecursiveGraphIterator(function)


def external_tensors(model: ir.Model) -> Iterator[ir.ExternalTensor]:
    """Give all tensors of a model that lie in data files, also those in attributes of nodes."""
    import onnx_ir as ir

    for tensor in _tensors_of(model):
        if isinstance(tensor, ir.ExternalTensor):
            yield tensor


def _tensors_of(model: ir.Model) -> Iterator[Any]:
    import onnx_ir as ir

    for graph in graphs_of(model):
        for value in graph.initializers.values():
            yield value.const_value
    for node in nodes_of(model):
        for attribute in node.attributes.values():
            if attribute.is_ref():
                continue
            if attribute.type == ir.AttributeType.TENSOR:
                yield attribute.value
            elif attribute.type == ir.AttributeType.TENSORS:
                yield from attribute.value


def _graphs_in(attribute: ir.Attr) -> Iterator[ir.Graph]:
    import onnx_ir as ir

    if attribute.is_ref():
        return
    if attribute.type == ir.AttributeType.GRAPH:
        yield attribute.as_graph()
    elif attribute.type == ir.AttributeType.GRAPHS:
        yield from attribute.as_graphs()


def _check_place(tensor: ir.ExternalTensor, path: Path) -> None:
    where = f"The weight {tensor.name!r} of {path.name}"
    try:
        file = path.parent / safe_relative_path(str(tensor.location))
        inside = file.resolve().is_relative_to(path.parent.resolve())
    except ValueError:
        inside = False
    if not inside:
        raise BuildError(
            f"{where} is said to be in {str(tensor.location)!r}, outside the folder of the model.",
            hint="Put the data file beside the model, and save the model so that it says so.",
        )
    try:
        size = file.stat().st_size
    except OSError as error:
        raise BuildError(
            f"{where} is said to be in {tensor.location}, which cannot be read: {error.strerror}."
        ) from error
    start, length = tensor.offset or 0, tensor.length or tensor.nbytes
    if start < 0 or length < tensor.nbytes or start + length > size:
        raise BuildError(f"{where} does not fit into {tensor.location}, which has {size} bytes.")
