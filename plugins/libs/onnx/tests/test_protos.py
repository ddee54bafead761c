"""Walks through ONNX files as protobuf has them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.errors import BuildError
from turnkeyml_onnx.protos import (
    attribute_tensors,
    embed,
    proto_graphs,
    proto_nodes,
    without_functions,
    without_weights,
)


def info(name, shape=(2,)):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def model_of(*nodes, weights=()):
    graph = helper.make_graph(nodes, "g", [info("x")], [info("y")], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def external(location, **entries):
    tensor = TensorProto(name="w", dims=[2], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def test_all_graphs_and_nodes_are_found():
    def branch(name):
        node = helper.make_node("Constant", [], [name], value_float=1.0)
        return helper.make_graph([node], name, [], [info(name)])

    choice = helper.make_node(
        "If", ["x"], ["y"], then_branch=branch("then"), else_branch=branch("else")
    )
    model = model_of(choice)
    assert sorted(graph.name for graph in proto_graphs(model.graph)) == ["else", "g", "then"]
    assert [node.op_type for node in proto_nodes(model.graph)] == ["If", "Constant", "Constant"]


def test_tensors_in_attributes_are_found():
    one, two = (numpy_helper.from_array(np.ones(n, np.float32), str(n)) for n in (1, 2))
    node = helper.make_node("Constant", [], ["y"], value=one)
    node.attribute.add(name="more", type=onnx.AttributeProto.TENSORS).tensors.add().CopyFrom(two)
    assert [tensor.name for tensor in attribute_tensors(node)] == ["1", "2"]


def test_a_model_without_functions_is_itself():
    model = model_of(helper.make_node("Neg", ["x"], ["y"]))
    assert without_functions(model) is model


def test_a_function_that_calls_itself_is_refused():
    call = helper.make_node("F", ["x"], ["y"], domain="local")
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)]
    function = helper.make_function("local", "F", ["x"], ["y"], [call], imports)
    model = model_of(call)
    model.functions.append(function)
    with pytest.raises(BuildError, match=r"cannot be put in line: .*recursive"):
        without_functions(model)


def test_weights_in_files_become_inputs_of_a_copy():
    weight = external("nowhere.data")
    model = model_of(helper.make_node("Add", ["x", "w"], ["y"]), weights=[weight])
    copy = without_weights(model)
    assert [value.name for value in copy.graph.input] == ["x", "w"]
    assert not copy.graph.initializer
    assert len(model.graph.initializer) == 1
    onnx.checker.check_model(copy)


@pytest.mark.parametrize("entries", [{}, {"offset": 4}, {"offset": 4, "length": 8}])
def test_bytes_in_a_file_are_taken_into_the_model(tmp_path, entries):
    (tmp_path / "w.data").write_bytes(np.array([1, 2, 3, 4], "<f4").tobytes())
    tensor = external("w.data", **entries)
    embed(tensor, tmp_path)
    expected = [2, 3] if entries else [1, 2]
    np.testing.assert_array_equal(numpy_helper.to_array(tensor), expected)


def test_what_is_in_the_model_stays(tmp_path):
    tensor = numpy_helper.from_array(np.ones(2, np.float32))
    before = tensor.SerializeToString()
    embed(tensor, tmp_path)
    assert tensor.SerializeToString() == before


@pytest.mark.parametrize(
    "location", ["../outside.data", "/etc/passwd", "", "link.data", "folder/../../outside.data"]
)
def test_nothing_is_read_outside_of_the_folder(tmp_path, location):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "outside.data").write_bytes(bytes(8))
    (folder / "link.data").symlink_to(tmp_path / "outside.data")
    with pytest.raises(BuildError, match=r"is said to be in '.*', from where it cannot be taken"):
        embed(external(location), folder)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({"location": "gone.data"}, "cannot be read"),
        ({"location": "w.data", "offset": 4}, "too short"),
        ({"location": "w.data", "offset": -4}, "cannot be read"),
        ({"location": "w.data", "offset": "many"}, "cannot be taken"),
    ],
)
def test_bytes_that_are_not_there_are_one_sentence(tmp_path, entries, why):
    (tmp_path / "w.data").write_bytes(bytes(8))
    with pytest.raises(BuildError, match=why):
        embed(external(**entries), tmp_path)
