"""Weights in the file, beside it, sparse, cut off, and where they must not be."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.errors import BuildError
from turnkeyml_plugin_load_onnx.weights import Place, count_parameters, settle_weights


def external(proto, **entries):
    """Make the weight of a model a reference; return the bytes that it had."""
    tensor = proto.graph.initializer[0]
    content = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))
    return content


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../w.bin", "a/../../w.bin", "sub/../../x/w.bin", "", "w\0.bin"]
)
def test_data_outside_the_folder_is_refused(fails, make, save, tmp_path, location):
    proto = make.linear([1, 64])
    (tmp_path / "w.bin").write_bytes(external(proto, location=location))
    text = fails(save(proto, "inner/net.onnx"))
    assert "The weight 'w' is in " in text
    assert "outside the folder of the model." in text


def test_link_that_leads_outside_is_refused(fails, make, save, tmp_path):
    proto = make.linear([1, 64])
    secret = tmp_path / "secret"
    secret.write_bytes(external(proto, location="w.bin"))
    path = save(proto, "inner/net.onnx")
    (path.parent / "w.bin").symlink_to(secret)
    assert "outside the folder of the model." in fails(path)
    (path.parent / "w.bin").unlink()
    (path.parent / "sub").symlink_to(tmp_path)
    proto.graph.initializer[0].external_data[0].value = "sub/secret"
    assert "outside the folder of the model." in fails(save(proto, "inner/net.onnx"))


def test_data_in_a_folder_below_or_behind_a_link_inside_is_read(load, make, save, tmp_path):
    proto = make.linear([1, 64])
    content = external(proto, location="link.bin")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "w.bin").write_bytes(content)
    (tmp_path / "link.bin").symlink_to("data/w.bin")
    result = load(proto)
    w = np.frombuffer(content, np.float32).reshape(64, 32)
    np.testing.assert_allclose(result.run()[0], result.arrays["x"] @ w, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("entries", "size", "sentence"),
    [
        ({}, None, "is in 'w.bin', which is not there. Put that file beside the model."),
        ({}, 8191, "ends at byte 8192 of w.bin, which has only 8191 bytes."),
        ({"offset": 4}, 8192, "ends at byte 8196 of w.bin, which has only 8192 bytes."),
        ({"offset": -8}, 9000, "has 8192 bytes of data at byte -8 of w.bin"),
        ({"length": 8000}, 8192, "has 8000 bytes of data at byte 0 of w.bin, but its shape takes"),
        ({"offset": "zero"}, 8192, "has an offset or a length that is no number"),
        ({"length": 8192, "offset": 10**19}, 8192, "which has only 8192 bytes"),
    ],
)
def test_data_that_is_not_all_there_is_refused(fails, make, tmp_path, entries, size, sentence):
    proto = make.linear([1, 64])
    external(proto, location="w.bin", **entries)
    if size is not None:
        (tmp_path / "w.bin").write_bytes(bytes(size))
    assert sentence in fails(proto)


def test_data_that_is_a_folder_is_refused(fails, make, tmp_path):
    proto = make.linear([1, 64])
    external(proto, location="w.bin")
    (tmp_path / "w.bin").mkdir()
    assert "is in 'w.bin', which is no file." in fails(proto)


def test_data_that_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(BuildError, match=r"w\.bin cannot be read: No such file"):
        list(Place(tmp_path / "w.bin", 0, 8).blocks())


def test_offset_and_length_are_kept_to(load, make, tmp_path):
    proto = make.linear([1, 64])
    content = external(proto, location="w.bin", offset=100, length=8192)
    (tmp_path / "w.bin").write_bytes(bytes(100) + content + bytes(50))
    result = load(proto)
    w = np.frombuffer(content, np.float32).reshape(64, 32)
    np.testing.assert_allclose(result.run()[0], result.arrays["x"] @ w, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("location", [".", "*/_ORT_MEM_ADDR_/*"])
def test_marks_that_readers_use_among_themselves_reach_no_memory(fails, make, location):
    proto = make.linear([1, 64])
    external(proto, location=location, offset=1 << 40, length=8192)
    assert "which has only" in (text := fails(proto)) or "which is not there" in text


def test_small_data_in_another_file_comes_along(load, make, tmp_path):
    weights = {"w": np.arange(3, dtype=np.float32)}
    graph = make.graph(
        [make.node("Add", ["x", "w"], ["y"])], [("x", "FLOAT", [3])], [("y", "FLOAT", [3])], weights
    )
    proto = make.model(graph)
    (tmp_path / "w.bin").write_bytes(external(proto, location="w.bin"))
    result = load(proto)
    (tmp_path / "w.bin").unlink()
    np.testing.assert_array_equal(result.run()[0], result.arrays["x"] + weights["w"])


def test_empty_data_in_another_file_comes_along(load, make, tmp_path):
    weights = {"w": np.zeros((0, 3), np.float32)}
    graph = make.graph(
        [make.node("Concat", ["x", "w"], ["y"], axis=0)],
        [("x", "FLOAT", [2, 3])],
        [("y", "FLOAT", [2, 3])],
        weights,
    )
    proto = make.model(graph)
    external(proto, location="w.bin")
    (tmp_path / "w.bin").touch()
    assert load(proto).run()[0].shape == (2, 3)


def test_constants_and_inner_graphs_in_another_file_come_along(load, make, tmp_path):
    big = numpy_helper.from_array(np.arange(2048, dtype=np.float32), "big")
    (tmp_path / "w.bin").write_bytes(big.raw_data)
    big.ClearField("raw_data")
    big.data_location = TensorProto.EXTERNAL
    big.external_data.add(key="location", value="w.bin")
    constant = make.node("Constant", [], ["c"], value=big)
    branches = [
        make.graph([make.node("Identity", ["big"], [n])], [], [(n, "FLOAT", [2048])], {"big": big})
        for n in ("yes", "no")
    ]
    nodes = [
        constant,
        make.node("If", ["flag"], ["i"], then_branch=branches[0], else_branch=branches[1]),
        make.node("Add", ["c", "i"], ["y"]),
    ]
    proto = make.model(make.graph(nodes, [("flag", "BOOL", [])], [("y", "FLOAT", [2048])]))
    result = load(proto)
    (tmp_path / "w.bin").unlink()
    np.testing.assert_array_equal(result.run()[0], 2 * np.arange(2048))


def test_inline_data_of_the_wrong_size_is_refused(fails, make):
    proto = make.linear([1, 64])
    proto.graph.initializer[0].dims[0] = 63
    assert "has 8192 bytes of data at byte" in fails(proto)
    small = make.graph(
        [make.node("Add", ["x", "w"], ["y"])],
        [("x", "FLOAT", [3])],
        [("y", "FLOAT", [3])],
        {"w": helper.make_tensor("w", TensorProto.FLOAT, [3], np.zeros(3, "f4").tobytes(), True)},
    )
    small.initializer[0].dims[0] = 4
    assert "has 12 bytes of data, but its shape takes 16." in fails(make.model(small))
    small.initializer[0].CopyFrom(helper.make_tensor("w", TensorProto.FLOAT, [3], [0.0] * 3))
    small.initializer[0].dims[0] = 4
    assert "has fewer or more values than its shape takes." in fails(make.model(small))
    small.initializer[0].dims[0] = -3
    assert "has a negative dimension" in fails(make.model(small))
    small.initializer[0].data_type = 99
    small.initializer[0].dims[0] = 3
    assert "has an element type that onnx-ir does not know" in fails(make.model(small))


def test_weights_of_one_name_are_refused(fails, make):
    proto = make.linear([1, 64])
    proto.graph.initializer.append(proto.graph.initializer[0])
    assert "The model has 2 weights of the name 'w'." in fails(proto)


@pytest.mark.parametrize("dtype", ["FLOAT", "DOUBLE", "FLOAT16", "INT32", "INT64", "BOOL", "UINT8"])
def test_values_written_one_by_one_come_along(load, make, dtype):
    number = getattr(TensorProto, dtype)
    w = helper.make_tensor("w", number, [600], [i % 2 for i in range(600)])
    graph = make.graph([make.node("Identity", ["w"], ["y"])], [], [("y", dtype, [600])], {"w": w})
    np.testing.assert_array_equal(load(make.model(graph)).run()[0], np.arange(600) % 2)


def test_text_comes_along(load, make):
    w = helper.make_tensor(
        "w", TensorProto.STRING, [600], [f"word {i}".encode() for i in range(600)]
    )
    graph = make.graph(
        [make.node("Gather", ["w", "i"], ["y"])],
        [("i", "INT64", [2])],
        [("y", "STRING", [2])],
        {"w": w},
    )
    result = load(make.model(graph))
    assert result.run()[0].tolist() == [f"word {i}" for i in result.arrays["i"]]


def sparse_of(make, indices, dims=(4, 3), values=(1.0, 2.0)):
    return helper.make_sparse_tensor(
        helper.make_tensor("w", TensorProto.FLOAT, [len(values)], values),
        numpy_helper.from_array(np.array(indices, np.int64), "w_indices"),
        dims,
    )


@pytest.mark.parametrize("indices", [[1, 9], [[0, 1], [3, 0]]])
def test_sparse_weights_are_written_out(load, make, indices):
    graph = make.graph(
        [make.node("MatMul", ["x", "w"], ["y"])],
        [("x", "FLOAT", [1, 4])],
        [("y", "FLOAT", [1, 3])],
        sparse_initializer=[sparse_of(make, indices)],
    )
    result = load(make.model(graph))
    w = np.zeros((4, 3), np.float32)
    w[0, 1], w[3, 0] = 1, 2
    np.testing.assert_allclose(result.run()[0], result.arrays["x"] @ w, rtol=1e-6)


def test_sparse_constants_are_written_out(load, make):
    node = make.node("Constant", [], ["w"], sparse_value=sparse_of(make, [1, 9]))
    graph = make.graph(
        [node, make.node("MatMul", ["x", "w"], ["y"])],
        [("x", "FLOAT", [1, 4])],
        [("y", "FLOAT", [1, 3])],
    )
    assert load(make.model(graph)).run()[0].shape == (1, 3)


@pytest.mark.parametrize(
    ("sparse", "sentence"),
    [
        ({"indices": [1, 99]}, "has values outside its shape"),
        ({"indices": [-1, 3]}, "has values outside its shape"),
        ({"indices": [[0, 1], [4, 0]]}, "has values outside its shape"),
        ({"indices": [1, 2, 3]}, "has values outside its shape"),
        ({"indices": [1, 2], "dims": (1 << 20, 1 << 20)}, "is too large to write out"),
    ],
)
def test_sparse_weights_that_do_not_fit_are_refused(fails, make, sparse, sentence):
    graph = make.graph(
        [make.node("Identity", ["w"], ["y"])],
        [],
        [("y", "FLOAT", None)],
        sparse_initializer=[sparse_of(make, **sparse)],
    )
    text = fails(make.model(graph))
    assert "The sparse weight 'w'" in text
    assert sentence in text


@pytest.mark.parametrize("part", ["values", "indices"])
def test_sparse_weights_in_another_file_are_refused(fails, make, tmp_path, monkeypatch, part):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.bin").write_bytes(bytes(16))
    sparse = sparse_of(make, [1, 9])
    tensor = getattr(sparse, part)
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="w.bin")
    node = make.node("Identity", ["w"], ["y"])
    graph = make.graph([node], [], [("y", "FLOAT", None)], sparse_initializer=[sparse])
    assert "is in another file, which turnkey does not read." in fails(make.model(graph))


def test_four_bit_weights_come_along(load, make, tmp_path):
    w = helper.make_tensor("w", TensorProto.INT4, [4096], np.arange(4096) % 8)
    scale = np.float32(0.5)
    graph = make.graph(
        [make.node("DequantizeLinear", ["w", "scale"], ["y"])],
        [],
        [("y", "FLOAT", [4096])],
        {"w": w, "scale": np.array(scale)},
    )
    result = load(make.model(graph, opset=21, ir_version=10))
    np.testing.assert_array_equal(result.run()[0], (np.arange(4096) % 8) * 0.5)
    assert result.state.model.parameter_count == 4097
    assert result.state.model.parameter_bytes == 2048 + 4


def test_parameters_are_weights_and_no_shapes(make):
    graph = make.graph(
        [],
        [],
        [("y", "FLOAT", [1])],
        {
            "float": np.zeros(10, np.float32),
            "half": np.zeros(10, np.float16),
            "quantized": np.zeros(10, np.int8),
            "shape": np.zeros(10, np.int64),
        },
    )
    found = count_parameters(make.model(graph))
    assert (found.count, found.bytes) == (30, 70)


def test_file_that_becomes_shorter_while_it_is_read_is_an_error(tmp_path):
    path = tmp_path / "w.bin"
    path.write_bytes(bytes(10))
    with pytest.raises(BuildError, match=r"w\.bin was cut off while it was read"):
        list(Place(path, 4, 8).blocks())


@pytest.mark.parametrize("size", [1, 1023, 1024, 1025])
def test_every_weight_of_a_file_reads_back_the_same(read, make, size):
    """Sizes around the one from which weights stay in the file."""
    w = np.arange(size, dtype=np.float32)
    file = read(
        make.model(
            make.graph(
                [make.node("Identity", ["w"], ["y"])], [], [("y", "FLOAT", [size])], {"w": w}
            )
        )
    )
    places = settle_weights(file)
    assert ("w" in places) == (4 * size >= 4096)
    if places:
        assert b"".join(places["w"].blocks()) == w.tobytes()
    else:
        tensor = ir.from_proto(file.proto.graph.initializer[0])
        np.testing.assert_array_equal(tensor.numpy(), w)


def test_onnx_reads_what_was_written(load, make):
    onnx.checker.check_model(str(load(make.bert()).file), full_check=True)


def test_sparse_weights_that_are_malformed_are_refused(fails, make):
    sparse = sparse_of(make, [1, 9])
    sparse.values.dims[0] = 5
    node = make.node("Identity", ["w"], ["y"])
    graph = make.graph([node], [], [("y", "FLOAT", None)], sparse_initializer=[sparse])
    assert "The sparse weight 'w' is malformed." in fails(make.model(graph))


def test_text_in_another_file_is_refused(fails, make):
    text = TensorProto(name="w", data_type=TensorProto.STRING, dims=[2])
    text.data_location = TensorProto.EXTERNAL
    text.external_data.add(key="location", value="w.bin")
    node = make.node("Identity", ["w"], ["y"])
    graph = make.graph([node], [], [("y", "STRING", [2])], {"w": text})
    wanted = "The weight 'w' is text in another file, which ONNX does not allow."
    assert wanted in fails(make.model(graph))


def test_data_whose_name_the_system_refuses_is_an_error(fails, make):
    proto = make.linear([1, 64])
    external(proto, location="w" * 300)
    assert "which cannot be read: File name too long." in fails(proto)
