"""Reading ONNX files that may come from anywhere."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.errors import BuildError
from turnkeyml_onnx import external_tensors, graphs_of, load_model, nodes_of


def proto_with(location: str = "w.data", offset: int = 0, length: int = 4096) -> onnx.ModelProto:
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[32, 32])
    weight.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        entry = weight.external_data.add()
        entry.key, entry.value = key, str(value)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 32])],
        [weight],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "outside.data").write_bytes(bytes(4096))
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "w.data").write_bytes(np.arange(1024, dtype=np.float32).tobytes())
    return folder / "m.onnx"


def saved(path, proto):
    path.write_bytes(proto.SerializeToString())
    return path


def test_weights_are_references_that_can_be_read(path):
    model = load_model(saved(path, proto_with()))
    (tensor,) = external_tensors(model)
    assert tensor.numpy()[0, 3] == 3.0
    tensor.release()


@pytest.mark.parametrize(
    "location", ["../outside.data", "/etc/hostname", "a/../../outside.data", ""]
)
def test_weights_outside_the_folder_are_refused(path, location):
    with pytest.raises(BuildError, match="outside the folder of the model"):
        load_model(saved(path, proto_with(location)))


def test_link_that_leads_outside_is_refused(path):
    (path.parent / "link.data").symlink_to("../outside.data")
    with pytest.raises(BuildError, match="outside the folder of the model"):
        load_model(saved(path, proto_with("link.data")))


def test_weights_that_are_missing_are_named(path):
    with pytest.raises(
        BuildError, match=r"weight 'w' of m\.onnx .* none\.data, which cannot be read"
    ):
        load_model(saved(path, proto_with("none.data")))


@pytest.mark.parametrize(("offset", "length"), [(1, 4096), (0, 5000), (0, 100)])
def test_weights_that_do_not_fit_are_refused(path, offset, length):
    with pytest.raises(BuildError, match=r"'w' of m\.onnx does not fit into w\.data"):
        load_model(saved(path, proto_with("w.data", offset, length)))


def test_place_that_makes_no_sense_is_one_sentence_with_the_cause(path):
    with pytest.raises(BuildError, match=r"m\.onnx is no ONNX model, or is damaged: "):
        load_model(saved(path, proto_with("w.data", -4096)))


def test_weights_in_attributes_are_checked_too(path):
    proto = proto_with()
    constant = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.ones(4)))
    tensor = constant.attribute[0].t
    tensor.CopyFrom(proto_with("../outside.data").graph.initializer[0])
    proto.graph.node.insert(0, constant)
    with pytest.raises(BuildError, match="outside the folder of the model"):
        load_model(saved(path, proto))


@pytest.mark.parametrize("content", [b"", b"this is no protobuf", b"\x08\x0a"])
def test_file_that_is_no_model_is_one_sentence(path, content):
    path.write_bytes(content)
    with pytest.raises(BuildError, match=r"m\.onnx is no ONNX model, or is damaged") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


def test_half_a_file_is_one_sentence(path):
    content = saved(path, proto_with()).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(BuildError, match=r"m\.onnx is no ONNX model, or is damaged"):
        load_model(path)


def test_file_that_is_not_there_is_one_sentence(path):
    with pytest.raises(BuildError, match="cannot be read: No such file"):
        load_model(path)


def test_model_without_standard_opset_is_refused(path):
    proto = proto_with()
    del proto.opset_import[:]
    with pytest.raises(BuildError, match="does not say which opset"):
        load_model(saved(path, proto))


def test_graphs_and_nodes_of_branches_are_found(path):
    branch = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["out"])],
        "branch",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 32])],
        [numpy_helper.from_array(np.ones((1, 32), np.float32), "c")],
    )
    proto = proto_with()
    proto.graph.node.append(
        helper.make_node("If", ["flag"], ["z"], then_branch=branch, else_branch=branch)
    )
    proto.graph.input.append(helper.make_tensor_value_info("flag", TensorProto.BOOL, []))
    model = load_model(saved(path, proto))
    assert len(list(graphs_of(model))) == 3
    assert [node.op_type for node in nodes_of(model)].count("Identity") == 2


def test_model_without_a_graph_is_one_sentence(path):
    path.write_bytes(onnx.ModelProto(ir_version=10).SerializeToString())
    with pytest.raises(BuildError, match=r"or is damaged: it has no graph\.$"):
        load_model(path)
