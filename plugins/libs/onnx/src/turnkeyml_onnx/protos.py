"""Walks through ONNX files as protobuf has them, for what works on files of other libraries."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.artifacts import safe_relative_path
from turnkeyml.errors import BuildError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

EXTERNAL = 1
"""What says of a tensor that its bytes lie in a data file."""


def proto_graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """Give a graph, and all graphs inside its nodes."""
    yield graph
    for node in graph.node:
        for inner in inner_graphs(node):
            yield from proto_graphs(inner)


def inner_graphs(node: NodeProto) -> Iterator[GraphProto]:
    """Give the graphs that a node has, such as the branches of an If."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def proto_nodes(graph: GraphProto) -> Iterator[NodeProto]:
    """Give all nodes of a graph, and of those inside it."""
    for one in proto_graphs(graph):
        yield from one.node


def attribute_tensors(node: NodeProto) -> Iterator[TensorProto]:
    """Give the tensors in attributes of a node, such as the value of a constant."""
    for attribute in node.attribute:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors


def without_functions(model: ModelProto) -> ModelProto:
    """Give a model whose functions stand where they were called; the model itself if it has none.

    A default of an attribute is written to the calls first: onnx's inliner (1.23.2) forgets it.

    Raises:
        BuildError: They call themselves, or are damaged.
    """
    from onnx import checker, inliner

    if not model.functions:
        return model
    copy = type(model)()
    copy.CopyFrom(model)
    defaults = {
        (function.domain, function.name): function.attribute_proto for function in copy.functions
    }
    nodes = list(proto_nodes(copy.graph))
    for function in copy.functions:
        for node in function.node:
            nodes.append(node)
            nodes += [inner for graph in inner_graphs(node) for inner in proto_nodes(graph)]
    for node in nodes:
        given = {attribute.name for attribute in node.attribute}
        for default in defaults.get((node.domain, node.op_type), ()):
            if default.name not in given:
                node.attribute.add().CopyFrom(default)
    try:
        inlined: ModelProto = inliner.inline_local_functions(copy)
    except (checker.ValidationError, RuntimeError) as error:
        raise BuildError(f"The model's functions cannot be put in line: {error}") from error
    return inlined


def without_weights(model: ModelProto) -> ModelProto:
    """Give a copy in which weights that lie in files are inputs, so that it can be loaded alone."""
    copy = type(model)()
    copy.CopyFrom(model)
    inputs = {value.name for value in copy.graph.input}
    for graph in list(proto_graphs(copy.graph)):
        outside = [t for t in graph.initializer if t.data_location == EXTERNAL]
        kept = [t for t in graph.initializer if t.data_location != EXTERNAL]
        for tensor in outside:
            if tensor.name not in inputs:
                inputs.add(tensor.name)
                value = copy.graph.input.add(name=tensor.name)
                value.type.tensor_type.elem_type = tensor.data_type
                for size in tensor.dims:
                    value.type.tensor_type.shape.dim.add(dim_value=size)
        if outside:
            del graph.initializer[:]
            graph.initializer.extend(kept)
    return copy


def embed(tensor: TensorProto, folder: Path) -> None:
    """Take the bytes of a tensor into the model, if they lie in a data file.

    Args:
        tensor: Changed in place.
        folder: Of the model file, which nothing is read outside of.

    Raises:
        BuildError: They lie elsewhere, or are not there.
    """
    if tensor.data_location != EXTERNAL:
        return
    entries = {entry.key: entry.value for entry in tensor.external_data}
    where = f"The tensor {tensor.name!r} is said to be in {entries.get('location', '')!r}"
    try:
        path = folder / safe_relative_path(entries.get("location", ""))
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ValueError("a link leads out")
        start = int(entries.get("offset", "0"))
        size = _size_of(tensor)
    except ValueError as error:
        raise BuildError(f"{where}, from where it cannot be taken: {error}.") from error
    try:
        with path.open("rb") as file:
            file.seek(start)
            content = file.read(size)
    except (OSError, ValueError) as error:
        raise BuildError(f"{where}, which cannot be read: {error}.") from error
    if len(content) != size:
        raise BuildError(f"{where}, which is too short for it.")
    tensor.ClearField("data_location")
    del tensor.external_data[:]
    tensor.raw_data = content


def _size_of(tensor: TensorProto) -> int:
    import onnx_ir as ir

    try:
        item = float(ir.DataType(tensor.data_type).itemsize)
    except TypeError as error:
        raise ValueError("numbers of its type have no size") from error
    sizes: list[int] = list(tensor.dims)
    return math.ceil(math.prod(sizes) * item)
