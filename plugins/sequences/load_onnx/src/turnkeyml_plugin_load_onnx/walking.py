"""Go through an ONNX model as protobuf: graphs inside nodes and functions included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx


def graphs_of(proto: onnx.ModelProto) -> list[Any]:
    """Give the main graph, the bodies of functions, and the graphs inside nodes."""
    found: list[Any] = [proto.graph, *proto.functions]
    # The list grows while it is gone through.
    for graph in found:
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    found.append(attribute.g)
                found += attribute.graphs
    return found


def nodes_of(proto: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Give every node of a model."""
    for graph in graphs_of(proto):
        yield from graph.node


def attributes_of(proto: onnx.ModelProto) -> Iterator[onnx.AttributeProto]:
    """Give every attribute: those of nodes, and the defaults of functions."""
    for node in nodes_of(proto):
        yield from node.attribute
    for function in proto.functions:
        yield from function.attribute_proto


def inner_tensors_of(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Give every dense tensor but the main graph's initializers."""
    for attribute in attributes_of(proto):
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
    for graph in graphs_of(proto)[1:]:
        yield from getattr(graph, "initializer", ())


def has_broken_text(message: Any) -> bool:
    """Tell whether text anywhere in a message is no UTF-8; protobuf then gives it as bytes."""
    for field, value in message.ListFields():
        if field.message_type is not None:
            items = [value] if hasattr(value, "ListFields") else value
            if any(has_broken_text(item) for item in items):
                return True
        elif field.type == field.TYPE_STRING:
            # One text, or a field that repeats.
            items = [value] if isinstance(value, (str, bytes)) else value
            if any(isinstance(item, bytes) for item in items):
                return True
    return False
