"""What is done to graphs around the converters."""

from __future__ import annotations

import pytest
from onnx import TensorProto, helper

from turnkeyml_plugin_convert_fp16.graphs import place_casts, sort_nodes

FLOAT, FLOAT16 = TensorProto.FLOAT, TensorProto.FLOAT16


def info(name, kind=FLOAT16):
    return helper.make_tensor_value_info(name, kind, [2])


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs.split(), [output], name=f"node_{output}", **attributes)


def cast(value, to):
    ending = "fp32" if to == FLOAT else "fp16"
    source, target = (
        (value, f"{value}_cast_to_fp32") if to == FLOAT else (f"{value}_cast_to_fp16", value)
    )
    name = f"{value}_cast_to_{ending}_node"
    return helper.make_node("Cast", [source], [target], name=name, to=to)


def model_of(*nodes, weights=()):
    graph = helper.make_graph(nodes, "g", [info("x")], [info("y")], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def outputs(graph):
    return [node.output[0] for node in graph.node]


def test_nodes_that_are_in_order_stay_where_they_are():
    model = model_of(node("Neg", "x", "b"), node("Abs", "x", "a"), node("Add", "a b", "y"))
    sort_nodes(model.graph)
    assert outputs(model.graph) == ["b", "a", "y"]


def test_nodes_come_after_those_whose_outputs_they_use():
    model = model_of(node("Add", "a b", "y"), node("Neg", "a", "b"), node("Abs", "x", "a"))
    sort_nodes(model.graph)
    assert outputs(model.graph) == ["a", "b", "y"]


def test_what_a_branch_uses_comes_before_the_node_that_has_it():
    branch = helper.make_graph([node("Neg", "late", "z")], "b", [], [info("z")])
    model = model_of(
        node("If", "flag", "y", then_branch=branch, else_branch=branch),
        node("Greater", "x x", "flag"),
        node("Abs", "x", "late"),
    )
    sort_nodes(model.graph)
    assert outputs(model.graph) == ["flag", "late", "y"]


def test_branches_are_sorted_too():
    branch = helper.make_graph([node("Abs", "q", "z"), node("Neg", "x", "q")], "b", [], [info("z")])
    model = model_of(node("If", "flag", "y", then_branch=branch, else_branch=branch))
    sort_nodes(model.graph)
    assert [outputs(a.g) for a in model.graph.node[0].attribute] == [["q", "z"], ["q", "z"]]


def test_cycle_is_an_error():
    model = model_of(node("Neg", "b", "a"), node("Neg", "a", "b"), node("Neg", "x", "y"))
    with pytest.raises(ValueError, match="cycle"):
        sort_nodes(model.graph)


def test_casts_that_say_the_same_become_one():
    model = model_of(
        node("Max", "x_cast_to_fp32", "a"),
        node("Min", "x_cast_to_fp32", "y"),
        cast("x", FLOAT),
        cast("x", FLOAT),
    )
    place_casts(model, {"node_a", "node_y"})
    assert outputs(model.graph) == ["a", "y", "x_cast_to_fp32"]


def test_casts_go_to_where_their_value_is():
    inner = [node("Neg", "x", "v"), node("Max", "v_cast_to_fp32", "z_cast_to_fp16")]
    branch = helper.make_graph(inner, "b", [], [info("z")])
    model = model_of(
        node("If", "flag", "y", then_branch=branch, else_branch=branch),
        cast("v", FLOAT),
        cast("z", FLOAT16),
    )
    place_casts(model, {"node_y"})
    assert outputs(model.graph) == ["y"]
    for attribute in model.graph.node[0].attribute:
        assert sorted(outputs(attribute.g)) == ["v", "v_cast_to_fp32", "z", "z_cast_to_fp16"]


def test_casts_that_were_there_before_stay():
    own = cast("x", FLOAT)
    model = model_of(node("Neg", "x", "y"), own)
    place_casts(model, {own.name, "node_y"})
    assert len(model.graph.node) == 2
