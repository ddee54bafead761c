"""Walks through ONNX files as protobuf has them, for what works on files of other libraries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto


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


def proto_nodes(model: ModelProto) -> Iterator[NodeProto]:
    """Give all nodes of a model, those of subgraphs and functions too."""
    for graph in proto_graphs(model.graph):
        yield from graph.node
    for function in model.functions:
        for node in function.node:
            yield node
            for inner in inner_graphs(node):
                for graph in proto_graphs(inner):
                    yield from graph.node


def attribute_tensors(node: NodeProto) -> Iterator[TensorProto]:
    """Give the tensors in attributes of a node, such as the value of a constant."""
    for attribute in node.attribute:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
