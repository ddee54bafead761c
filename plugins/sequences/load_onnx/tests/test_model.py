"""Dimensions that are written into the file."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper


def shapes_of(result):
    proto = onnx.load(result.file, load_external_data=False)
    return {
        v.name: [d.dim_value if d.HasField("dim_value") else d.dim_param for d in dims]
        for v in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info)
        for dims in [v.type.tensor_type.shape.dim]
    }


def test_inputs_inside_and_outputs_have_the_chosen_shapes(load, make):
    shapes = shapes_of(load(make.bert(), shape=("input_ids=2,5",)))
    assert shapes["input_ids"] == shapes["attention_mask"] == [2, 5]
    assert shapes["e"] == shapes["y"] == [2, 5, 8]


def test_stale_shapes_inside_the_graph_are_dropped(load, make):
    proto = make.bert()
    proto.graph.value_info.append(make.value("e", "FLOAT", [4, 44, 8]))
    proto.graph.value_info.append(make.value("m", "FLOAT", ["batch", "other"]))
    shapes = shapes_of(load(proto))
    assert (shapes["e"], shapes["m"]) == ([1, 128, 8], [1, 128])


def test_stale_shapes_in_inner_graphs_are_dropped(load, make):
    branches = [
        make.graph(
            [make.node("Neg", ["x"], [n + "1"]), make.node("Neg", [n + "1"], [n])],
            [],
            [(n, "FLOAT", ["n"])],
            value_info=[make.value(n + "1", "FLOAT", [77])],
        )
        for n in ("yes", "no")
    ]
    node = make.node("If", ["flag"], ["y"], then_branch=branches[0], else_branch=branches[1])
    inputs = [("flag", "BOOL", []), ("x", "FLOAT", ["n"])]
    result = load(make.model(make.graph([node], inputs, [("y", "FLOAT", ["n"])])), shape=("x=6",))
    text = onnx.load(result.file, load_external_data=False).SerializeToString()
    assert b"yes1" in text
    proto = onnx.load(result.file, load_external_data=False)
    for attribute in proto.graph.node[0].attribute:
        dims = [d.dim_value for v in attribute.g.value_info for d in v.type.tensor_type.shape.dim]
        assert 77 not in dims
    assert result.run()[0].shape == (6,)


def test_outputs_that_cannot_be_inferred_keep_what_is_still_true(load, make):
    node = make.node("Strange", ["x"], ["y"], domain="my.ops")
    graph = make.graph(
        [node], [("x", "FLOAT", ["batch", 3])], [("y", "FLOAT", ["batch", "found", 7])]
    )
    shapes = shapes_of(load(make.model(graph, domains=["my.ops"])))
    assert shapes == {"x": [1, 3], "y": [1, "found", 7]}


def test_shape_that_depends_on_values_stays_open(load, make):
    graph = make.graph(
        [make.node("NonZero", ["x"], ["y"])],
        [("x", "FLOAT", ["n", 3])],
        [("y", "INT64", [2, "found"])],
    )
    result = load(make.model(graph))
    assert shapes_of(result)["y"][0] == 2
    assert isinstance(shapes_of(result)["y"][1], str)
    result.run()


def test_input_of_unknown_rank_gets_the_given_shape(load, make):
    graph = make.graph(
        [make.node("Neg", ["x"], ["y"])], [("x", "FLOAT", None)], [("y", "FLOAT", None)]
    )
    result = load(make.model(graph), shape=("x=2,3",))
    assert shapes_of(result) == {"x": [2, 3], "y": [2, 3]}
    assert result.run()[0].shape == (2, 3)


def test_static_file_keeps_its_shapes(load, make):
    proto = make.linear([1, 64])
    proto.graph.value_info.append(make.value("y", "FLOAT", [1, 32]))
    shapes = shapes_of(load(proto))
    assert (shapes["x"], shapes["y"]) == ([1, 64], [1, 32])


def test_unknown_and_negative_dimensions_are_open(load, make):
    proto = make.linear([None, 64])
    assert load(proto).notes[0].startswith("Dynamic dimensions are fixed: x[0]=1;")
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    assert shapes_of(load(proto))["x"] == [1, 64]


@pytest.mark.parametrize("rank", [0, 1, 3])
def test_empty_and_single_shapes_survive(load, make, rank):
    dims = [0, 2, 3][:rank]
    graph = make.graph(
        [make.node("Neg", ["x"], ["y"])], [("x", "FLOAT", dims)], [("y", "FLOAT", dims)]
    )
    assert load(make.model(graph)).run()[0].shape == tuple(dims)


def test_loop_over_an_open_dimension_runs(load, make):
    body = make.graph(
        [
            make.node("Add", ["acc", "x"], ["acc_out"]),
            make.node("Identity", ["cond"], ["cond_out"]),
        ],
        [("i", "INT64", []), ("cond", "BOOL", []), ("acc", "FLOAT", ["n"])],
        [("cond_out", "BOOL", []), ("acc_out", "FLOAT", ["n"])],
    )
    nodes = [make.node("Loop", ["trips", "", "x"], ["y"], body=body)]
    graph = make.graph(
        nodes, [("x", "FLOAT", ["n"])], [("y", "FLOAT", ["n"])], {"trips": np.array(3)}
    )
    result = load(make.model(graph), shape=("x=5",))
    np.testing.assert_allclose(result.run()[0], 4 * result.arrays["x"], rtol=1e-6)


def test_weights_tied_by_name_of_an_output_are_kept(load, make):
    graph = make.graph(
        [make.node("Identity", ["w"], ["z"])],
        [("x", "FLOAT", ["n"])],
        [("w", "FLOAT", [2048]), ("z", "FLOAT", [2048])],
        {
            "w": helper.make_tensor(
                "w", TensorProto.FLOAT, [2048], np.ones(2048, "f4").tobytes(), True
            )
        },
    )
    result = load(make.model(graph))
    assert result.info["outputs"] == ["w", "z"]
    assert [y.sum() for y in result.run()] == [2048, 2048]
