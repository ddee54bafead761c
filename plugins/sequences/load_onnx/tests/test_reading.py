"""Files of all kinds, most of which are refused with one sentence."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from turnkeyml.errors import BuildError
from turnkeyml_plugin_load_onnx.reading import NEWEST_IR_VERSION, read_onnx, shown


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"hello, this is text and no model at all\n", "is no ONNX file, or it is damaged"),
        (b"<html><body>404</body></html>", "is no ONNX file"),
        (b"PK\x03\x04" + bytes(100), "is no ONNX file"),
        (bytes(100), "is no ONNX file"),
        (b"\x08", "is no ONNX file"),
        (b"\x08\x08", "it has no format version or no graph"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            "is a pointer of Git LFS",
        ),
    ],
)
def test_file_that_is_no_model_is_named_as_such(fails, tmp_path, content, sentence):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    assert sentence in fails(path)


def test_missing_and_unreadable_files_are_named(fails, tmp_path):
    assert "The file cannot be read: No such file" in fails(tmp_path / "net.onnx")


@pytest.mark.parametrize("part", [0.05, 0.5, 0.9, 0.999])
def test_truncated_file_is_refused(fails, make, save, part):
    path = save(make.linear())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    assert "is no ONNX file, or it is damaged or cut off" in fails(path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_flipped_byte_gives_a_sentence_or_a_model_and_no_other_error(load, make, tmp_path, data):
    content = bytearray(make.bert().SerializeToString())
    # The weights are most of the bytes, and the least interesting ones.
    start = bytes(content).index(b"pytorch")
    table = bytes(content).index(np.random.default_rng(0).normal(size=8).astype("f4").tobytes())
    places = [*range(start, table), *range(table + 32000, len(content))]
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.sampled_from(places))] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "net.onnx"
    path.write_bytes(bytes(content))
    try:
        load(path)
    except BuildError as error:
        assert "\n" not in str(error)


@st.composite
def edits(draw, size):
    """Make a function that cuts out, repeats, moves or overwrites pieces of bytes."""
    made = []
    for _ in range(draw(st.integers(1, 4))):
        start, other = (draw(st.integers(0, size)) for _ in range(2))
        length = draw(st.sampled_from([1, 2, 4, 8, 100, 1000]))
        new = draw(st.binary(max_size=12))
        made.append((draw(st.sampled_from("xrmo")), start, other, length, new))

    def edit(content):
        for how, start, other, length, new in made:
            piece = content[start : start + length]
            if how == "x":
                content = content[:start] + content[start + length :]
            elif how == "r":
                content = content[:start] + piece * 3 + content[start + length :]
            elif how == "m":
                content = content[:other] + piece + content[other:]
            else:
                content = content[:start] + new + content[start + len(new) :]
        return content

    return edit


def reads_or_refuses(load, path, content):
    path.write_bytes(content)
    try:
        load(path)
    except BuildError as error:
        assert "\n" not in str(error)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_edited_file_gives_a_sentence_or_a_model_and_no_other_error(load, make, tmp_path, data):
    proto = make.linear()
    proto.graph.initializer[0].raw_data = bytes(64 * 32 * 4)
    content = proto.SerializeToString()
    edit = data.draw(edits(len(content) if data.draw(st.booleans()) else 60))
    reads_or_refuses(load, tmp_path / "net.onnx", edit(content))


@pytest.mark.slow
@settings(
    max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_often_edited_file_gives_a_sentence_or_a_model(load, make, tmp_path, data):
    content = make.bert().SerializeToString()
    edit = data.draw(edits(data.draw(st.sampled_from([100, 1000, len(content)]))))
    reads_or_refuses(load, tmp_path / "net.onnx", edit(content))


@pytest.mark.parametrize(
    ("opset", "hint"), [(6, "raise it with"), (27, "lower it with"), (99, "older opset")]
)
def test_opset_that_no_runtime_takes_is_refused(fails, make, opset, hint):
    proto = make.linear()
    proto.opset_import[0].version = opset
    text = fails(proto)
    assert f"The file has opset {opset}; opsets from 7 to 26 work." in text
    assert hint in text


@pytest.mark.parametrize("opset", [7, 13, 26])
def test_opsets_within_the_limits_load(load, make, opset):
    proto = make.linear([1, 64])
    proto.opset_import[0].version = opset
    result = load(proto)
    assert result.info["opset"] == opset
    if opset <= onnx.defs.onnx_opset_version():
        result.run()


def test_standard_domain_by_its_long_name_is_understood(load, make):
    proto = make.linear([1, 64])
    proto.opset_import[0].domain = "ai.onnx"
    assert load(proto).info["opset"] == 17


def test_file_that_names_no_opset_is_refused(fails, make):
    proto = make.linear()
    del proto.opset_import[:]
    assert "does not say which opset its operators are of" in fails(proto)
    proto.ir_version = 2
    assert "The file has opset 1;" in fails(proto)


def test_file_of_other_domains_only_needs_no_opset(load, make):
    node = make.node("Normalizer", ["x"], ["y"], domain="ai.onnx.ml", norm="L2")
    proto = make.model(
        make.graph([node], [("x", "FLOAT", [2, 3])], [("y", "FLOAT", [2, 3])]),
        domains=["ai.onnx.ml"],
    )
    del proto.opset_import[0]
    result = load(proto)
    assert result.run()[0].shape == (2, 3)
    assert result.stats["domains"] == {"ai.onnx.ml": 1}
    assert result.stats["custom_operators"] == {}


KNOWS_IR_14 = pytest.mark.skipif(
    onnx.IR_VERSION <= NEWEST_IR_VERSION, reason="the installed onnx does not know IR version 14"
)


@KNOWS_IR_14
def test_newer_ir_version_is_lowered_where_only_the_number_is_new(load, make):
    proto = make.linear([1, 64])
    proto.ir_version = NEWEST_IR_VERSION + 1
    result = load(proto)
    assert result.info["ir_version"] == NEWEST_IR_VERSION
    assert result.notes == [
        "The IR version 14 is written as 13: nothing in the file needs the newer one."
    ]
    result.run()


@KNOWS_IR_14
def test_newer_ir_version_that_the_file_needs_is_refused(fails, make):
    proto = make.linear([1, 64])
    proto.ir_version = NEWEST_IR_VERSION + 1
    cast = helper.make_node("Cast", ["x"], ["z"], to=TensorProto.FLOAT6E2M3)
    proto.graph.node.append(cast)
    assert "has IR version 14; the newest that works is 13." in fails(proto)


def test_ir_version_that_nobody_knows_is_refused(fails, make):
    proto = make.linear()
    proto.ir_version = max(onnx.IR_VERSION, NEWEST_IR_VERSION) + 1
    assert f"has IR version {proto.ir_version}; the newest that works is 13." in fails(proto)


def test_model_without_outputs_is_refused(fails, make):
    proto = make.linear()
    del proto.graph.output[:]
    assert "has no outputs" in fails(proto)


def test_malformed_graph_is_refused(fails, make):
    proto = make.linear()
    proto.graph.node.append(proto.graph.node[0])
    assert "The graph is malformed: ValueError: Output 'y' is redeclared" in fails(proto)


def test_operator_that_uses_what_nothing_gives_is_refused(fails, make):
    proto = make.linear()
    proto.graph.node[0].input[1] = "v"
    assert "malformed: MatMul uses 'v', which nothing gives." in fails(proto)


def test_names_that_are_no_text_are_refused(fails, make, save):
    path = save(make.bert())
    path.write_bytes(path.read_bytes().replace(b"attention_mask", b"attention\xffmask"))
    assert "The file is damaged: a name in it is no text." in fails(path)


def test_functions_of_the_file_are_kept_and_no_custom_operators(load, make):
    body = helper.make_function(
        "mine",
        "Twice",
        ["a"],
        ["b"],
        [make.node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 17)],
    )
    node = make.node("Twice", ["x"], ["y"], domain="mine")
    proto = make.model(
        make.graph([node], [("x", "FLOAT", ["n", 2])], [("y", "FLOAT", ["n", 2])]),
        domains=["mine"],
        functions=[body],
    )
    result = load(proto)
    np.testing.assert_array_equal(result.run()[0], 2 * result.arrays["x"])
    assert result.stats["custom_operators"] == {}


def test_control_codes_of_a_file_do_not_reach_the_terminal(load, make):
    proto = make.linear([1, 64])
    proto.producer_name = "\x1b[31mred\n"
    proto.graph.name = "\x1b]0;title\x07"
    text = load(proto).state.model.class_name
    assert text == "?]0;title? (opset 17, IR 8, producer ?[31mred)"
    assert shown("a" * 100) == "a" * 79 + "…"


def test_weights_are_not_read_with_the_file(make, save):
    w = np.zeros((512, 1024), np.float32)
    proto = make.model(
        make.graph(
            [make.node("MatMul", ["x", "w"], ["y"])],
            [("x", "FLOAT", [1, 512])],
            [("y", "FLOAT", [1, 1024])],
            {"w": w},
        )
    )
    file = read_onnx(save(proto))
    assert file.proto.ByteSize() < 1000


def test_file_that_no_reader_can_load_is_refused_with_what_helps(fails, make, save, monkeypatch):
    from turnkeyml_plugin_load_onnx import reading

    monkeypatch.setattr(reading, "_LARGEST_MESSAGE", 100)
    text = fails(make.linear())
    assert "The file holds more than 2 GiB besides its weights" in text
    assert "Write it with its weights as external data." in text
