"""Model files read without their weights."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from turnkeyml_plugin_load_onnx.wire import LIFTED_FROM, OWN_FILE, without_weights

LIMIT = LIFTED_FROM // 4


def restored(path):
    """Put the weights back where `without_weights` took them out."""
    content = path.read_bytes()
    proto = onnx.ModelProto.FromString(without_weights(path))
    for tensor in proto.graph.initializer:
        place = {entry.key: entry.value for entry in tensor.external_data}
        if place.get("location") == OWN_FILE:
            start = int(place["offset"])
            tensor.raw_data = content[start : start + int(place["length"])]
            tensor.ClearField("data_location")
            del tensor.external_data[:]
    return proto


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from([0, 1, LIMIT - 1, LIMIT, LIMIT + 1, 40_000]), max_size=6))
def test_nothing_but_large_weights_is_left_out(make, save, sizes):
    weights = {f"w{i}": np.full(n, i, np.float32) for i, n in enumerate(sizes)}
    nodes = [make.node("Identity", [name], [f"y{i}"]) for i, name in enumerate(weights)]
    path = save(make.model(make.graph(nodes, [], [("y0", "FLOAT", None)], weights), doc_string="d"))
    assert restored(path) == onnx.ModelProto.FromString(path.read_bytes())
    lifted = sum(n >= LIMIT for n in sizes)
    proto = onnx.ModelProto.FromString(without_weights(path))
    assert sum(len(tensor.external_data) == 3 for tensor in proto.graph.initializer) == lifted


def test_last_of_several_data_fields_counts(tmp_path):
    first, last = np.zeros(LIMIT, np.float32), np.ones(LIMIT, np.float32)
    tensor = numpy_helper.from_array(first, "w").SerializeToString()
    tensor += onnx.TensorProto(raw_data=last.tobytes()).SerializeToString()
    path = tmp_path / "net.onnx"
    path.write_bytes(field(7, field(5, tensor)))
    (w,) = restored(path).graph.initializer
    np.testing.assert_array_equal(numpy_helper.to_array(w), last)


def field(number, content):
    length, size = len(content), bytearray()
    while length >= 0x80:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *size, length]) + content


def test_graph_in_two_parts_is_one_graph(make, save):
    """Protobuf joins a message that occurs twice."""
    proto = make.linear([1, 64])
    path = save(proto)
    extra = onnx.GraphProto()
    extra.initializer.append(numpy_helper.from_array(np.ones(2 * LIMIT, np.float32), "v"))
    path.write_bytes(path.read_bytes() + onnx.ModelProto(graph=extra).SerializeToString())
    assert [t.name for t in restored(path).graph.initializer] == ["w", "v"]
    assert len(without_weights(path)) < 1000


@pytest.mark.parametrize(
    "content", [b"\x3a\xff\xff\x01", b"\x08", b"\x08" + b"\x80" * 11, b"\x0b\x0c", b"\x02\x00"]
)
def test_what_is_no_message_is_an_error(tmp_path, content):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"field|number"):
        without_weights(path)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_value_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(content)
    try:
        result = without_weights(path)
    except ValueError:
        return
    assert result == content
