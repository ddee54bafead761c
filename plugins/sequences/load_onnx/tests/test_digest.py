"""The digest of a model: the same for the same model, another for any other."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper


@pytest.fixture
def digest(load):
    return lambda model, **options: load(model, **options).state.model.digest


def test_place_of_the_weights_does_not_matter(digest, make, save):
    inline = digest(save(make.bert(), "inline.onnx"))
    one = save(make.bert(), "a/net.onnx", save_as_external_data=True, size_threshold=0)
    many = save(
        make.bert(),
        "b/net.onnx",
        save_as_external_data=True,
        size_threshold=0,
        all_tensors_to_one_file=False,
    )
    assert digest(one) == digest(many) == inline


def test_values_written_one_by_one_are_the_same_as_raw_ones(digest, make):
    raw, listed = make.linear([1, 64]), make.linear([1, 64])
    w = numpy_helper.to_array(raw.graph.initializer[0])
    tensor = helper.make_tensor("w", onnx.TensorProto.FLOAT, w.shape, w.flatten())
    listed.graph.initializer[0].CopyFrom(tensor)
    assert digest(raw) == digest(listed)


def test_who_made_the_file_and_what_it_is_called_do_not_matter(digest, make, save):
    proto = make.bert()
    first = digest(save(proto, "first.onnx"))
    proto.producer_name, proto.producer_version, proto.doc_string = "x", "9", "words"
    proto.graph.name, proto.graph.doc_string = "other", "words"
    proto.graph.node[0].doc_string = 'File "/home/me/model.py", line 3'
    proto.metadata_props.add(key="when", value="today")
    proto.ir_version = 9
    assert digest(save(proto, "second.onnx")) == first


def change_weight(proto):
    tensor = proto.graph.initializer[0]
    tensor.raw_data = tensor.raw_data[:-1] + bytes([tensor.raw_data[-1] ^ 1])


def change_attribute(proto):
    proto.graph.node[1].attribute[0].i = onnx.TensorProto.FLOAT16


def change_operator(proto):
    proto.graph.node[3].op_type = "Add"


def change_input_type(proto):
    proto.graph.input[1].type.tensor_type.elem_type = onnx.TensorProto.INT32


def change_small_weight(proto):
    proto.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.array([-1]), "axes"))


def change_opset(proto):
    proto.opset_import[0].version = 18


def change_weight_name(proto):
    proto.graph.initializer[0].name = proto.graph.node[0].input[0] = "renamed"


@pytest.mark.parametrize(
    "change",
    [
        change_weight,
        change_attribute,
        change_operator,
        change_input_type,
        change_small_weight,
        change_opset,
        change_weight_name,
    ],
)
def test_every_change_of_the_model_shows(digest, make, change):
    before, after = make.bert(), make.bert()
    change(after)
    assert digest(before) != digest(after)


def test_byte_of_a_data_file_shows(digest, make, save):
    path = save(make.bert(), save_as_external_data=True, location="w.bin", size_threshold=0)
    before = digest(path)
    data = path.parent / "w.bin"
    content = bytearray(data.read_bytes())
    content[12345] ^= 1
    data.write_bytes(bytes(content))
    assert digest(path) != before


def test_shapes_of_the_inputs_show(digest, make):
    assert digest(make.bert(), shape=("input_ids=1,8",)) != digest(make.bert())
    assert digest(make.bert(), shape=("input_ids=1,128",)) == digest(make.bert())


def test_digest_is_the_same_on_every_machine(digest, make):
    """A change of this number is a change of every hash that users have written down."""
    weights = {"w": np.arange(2048, dtype=np.float32)}
    graph = make.graph(
        [make.node("Add", ["x", "w"], ["y"])],
        [("x", "FLOAT", ["n", 2048])],
        [("y", "FLOAT", ["n", 2048])],
        weights,
    )
    assert digest(make.model(graph)) == (
        "fbd0192f7ad8735ac2b7660e50487dda1cebff42a97311cb79c989a12b0f9f5a"
    )
