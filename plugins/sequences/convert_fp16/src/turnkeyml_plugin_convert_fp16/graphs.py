"""What the converters need done to a graph before, and leave to be done after."""

from __future__ import annotations

import heapq
from collections import defaultdict
from typing import TYPE_CHECKING

from turnkeyml_onnx.protos import inner_graphs, proto_graphs

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

FLOAT = 1
FLOAT16 = 10
_TO_FLOAT16 = "_cast_to_fp16_node"
_CASTS = ("_cast_to_fp32_node", _TO_FLOAT16)


def forget_types_of_weights(graph: GraphProto) -> None:
    """Drop what is said of the types of weights besides the weights themselves.

    The converters change it for all weights, also for those that stay float32.
    """
    for one in proto_graphs(graph):
        names = {tensor.name for tensor in one.initializer}
        kept = [value for value in one.value_info if value.name not in names]
        if len(kept) < len(one.value_info):
            del one.value_info[:]
            one.value_info.extend(kept)


def make_constants_tensors(graph: GraphProto) -> None:
    """Turn constants that are given as plain numbers into tensors, which the converters know."""
    import numpy as np
    from onnx import helper, numpy_helper

    for one in proto_graphs(graph):
        for node in one.node:
            if node.op_type != "Constant" or len(node.attribute) != 1:
                continue
            (attribute,) = node.attribute
            if attribute.name not in ("value_float", "value_floats"):
                continue
            number = attribute.f if attribute.name == "value_float" else list(attribute.floats)
            tensor = numpy_helper.from_array(np.array(number, np.float32), node.output[0])
            attribute.CopyFrom(helper.make_attribute("value", tensor))


def place_casts(model: ModelProto, before: set[str]) -> None:
    """Put each cast into the graph whose value it casts, once.

    The converter of onnxruntime puts all casts into the outermost graph, also those of values that
    only a branch has, and one for each node that wants the same value.

    Args:
        model: As the converter made it; changed in place.
        before: Names of the nodes of its outermost graph before.
    """
    kept: list[NodeProto] = []
    casts: dict[tuple[str, str], NodeProto] = {}
    for node in model.graph.node:
        made = node.op_type == "Cast" and node.name.endswith(_CASTS) and node.name not in before
        if made:
            casts.setdefault((node.input[0], node.output[0]), node)
        else:
            kept.append(node)
    if not casts:
        return
    kept = [_copy(node) for node in kept]
    moved = [_copy(node) for node in casts.values()]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    # What a node that stayed float32 gives is cast first: another such node may want it.
    for ending in reversed(_CASTS):
        homes = [(graph, _defined(graph), _mentioned(graph)) for graph in proto_graphs(model.graph)]
        for cast in moved:
            if not cast.name.endswith(ending):
                continue
            wanted = [
                graph
                for graph, defined, mentioned in homes
                if cast.input[0] in defined
                and (ending == _TO_FLOAT16 or cast.output[0] in mentioned)
            ]
            for graph in wanted or [model.graph]:
                graph.node.append(cast)


def sort_nodes(graph: GraphProto) -> None:
    """Put the nodes of a graph and of all inside it into an order in which they can be run.

    Nodes that may stay where they are stay there. What the graphs inside a node use counts as used
    by the node.

    Raises:
        ValueError: The graph has a cycle.
    """
    nodes = [_copy(node) for node in graph.node]
    for node in nodes:
        for inner in inner_graphs(node):
            sort_nodes(inner)
    producer = {name: i for i, node in enumerate(nodes) for name in node.output if name}
    waiting = [0] * len(nodes)
    users = defaultdict(list)
    for i, node in enumerate(nodes):
        needs = {producer[name] for name in _used_by(node) if name in producer} - {i}
        waiting[i] = len(needs)
        for needed in needs:
            users[needed].append(i)
    ready = [i for i, count in enumerate(waiting) if not count]
    order = []
    while ready:
        i = heapq.heappop(ready)
        order.append(nodes[i])
        for user in users[i]:
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(ready, user)
    if len(order) != len(nodes):
        raise ValueError("the graph has a cycle")
    del graph.node[:]
    graph.node.extend(order)


def _copy(node: NodeProto) -> NodeProto:
    copy = type(node)()
    copy.CopyFrom(node)
    return copy


def _defined(graph: GraphProto) -> set[str]:
    names = {value.name for value in graph.input} | {t.name for t in graph.initializer}
    return names | {name for node in graph.node for name in node.output}


def _mentioned(graph: GraphProto) -> set[str]:
    names = {value.name for value in graph.output}
    for node in graph.node:
        names |= _used_by(node) | set(node.output)
    return names


def _used_by(node: NodeProto) -> set[str]:
    names = set(node.input)
    for inner in inner_graphs(node):
        names |= _mentioned(inner)
    return names
