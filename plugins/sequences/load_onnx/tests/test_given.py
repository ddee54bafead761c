"""Inputs from a file of NumPy's."""

from __future__ import annotations

import zipfile

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper


@pytest.fixture
def npz(tmp_path):
    def run(name="in.npz", compressed=False, **arrays):
        path = tmp_path / name
        (np.savez_compressed if compressed else np.savez)(path, **arrays)
        return path

    return run


def ids(*shape):
    return np.arange(np.prod(shape)).reshape(shape) % 1000


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_are_taken_and_fill_the_dimensions(load, make, npz, compressed):
    path = npz(compressed=compressed, input_ids=ids(2, 9), attention_mask=ids(2, 9) * 0)
    result = load(make.bert(), inputs=path)
    assert result.notes == []
    assert result.state.model.input_shapes["input_ids"] == (2, 9)
    np.testing.assert_array_equal(result.arrays["input_ids"], ids(2, 9))
    assert (result.run()[0] == 0).all()


def test_other_byte_orders_and_layouts_are_understood(load, make, npz):
    x = np.arange(128, dtype=">f4").reshape(2, 64)
    result = load(make.linear(), inputs=npz(x=np.asfortranarray(x)))
    np.testing.assert_array_equal(result.arrays["x"], x)


def test_single_numbers_stay_single(load, make, npz):
    graph = make.graph([make.node("Neg", ["x"], ["y"])], [("x", "FLOAT", [])], [("y", "FLOAT", [])])
    result = load(make.model(graph), inputs=npz(x=np.float32(3)))
    assert result.arrays["x"].shape == ()
    assert result.run()[0] == -3


def test_types_that_numpy_lacks_are_taken_as_bytes(load, make, npz):
    value = helper.make_tensor_value_info
    graph = make.graph(
        [make.node("Identity", ["x"], ["y"])],
        [value("x", TensorProto.BFLOAT16, ["n"])],
        [value("y", TensorProto.BFLOAT16, ["n"])],
    )
    x = np.array([1, 2.5, -3], ml_dtypes.bfloat16)
    raw = load(make.model(graph), inputs=npz(x=x)).raw["x"]
    assert (raw.dtype, raw.shape, bytes(raw.data)) == ("bfloat16", (3,), x.tobytes())


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"input_ids": ids(1, 2)}, "has no array for the input attention_mask."),
        (
            {"input_ids": ids(1, 2), "attention_mask": ids(1, 2), "more": ids(1)},
            "has arrays that are no inputs: more.",
        ),
        (
            {"ids": ids(1, 2), "attention_mask": ids(1, 2)},
            "has no array for the input input_ids and has arrays that are no inputs: ids. "
            "The model takes input_ids[batch, sequence], attention_mask[batch, sequence].",
        ),
        (
            {"input_ids": ids(1, 2).astype("i4"), "attention_mask": ids(1, 2)},
            "has input_ids as int32, but the model takes int64.",
        ),
        (
            {"input_ids": ids(1, 2, 3), "attention_mask": ids(1, 2)},
            "gives input_ids the shape [1, 2, 3], but the model takes",
        ),
        (
            {"input_ids": ids(1, 2), "attention_mask": ids(1, 3)},
            "'sequence' is 2 by in.npz for input_ids, but 3 by in.npz for attention_mask.",
        ),
        (
            {"input_ids": np.array([{}], object), "attention_mask": ids(1, 2)},
            "in.npz is damaged, or has arrays of objects.",
        ),
    ],
)
def test_arrays_that_do_not_fit_the_model_are_refused(fails, make, npz, arrays, sentence):
    assert sentence in fails(make.bert(), inputs=npz(**arrays))


def test_arrays_that_contradict_the_shape_option_are_refused(fails, make, npz):
    path = npz(input_ids=ids(1, 2), attention_mask=ids(1, 2))
    text = fails(make.bert(), inputs=path, shape=("input_ids=1,3",))
    assert "in.npz gives input_ids the shape [1, 2], but it was given [1, 3] before." in text


def test_damaged_file_is_refused(fails, make, npz):
    path = npz(compressed=True, input_ids=ids(1, 200), attention_mask=ids(1, 200))
    content = bytearray(path.read_bytes())
    content[120] ^= 0xFF
    path.write_bytes(bytes(content))
    assert "in.npz is damaged" in fails(make.bert(), inputs=path)


def test_file_of_something_else_is_refused(fails, make, tmp_path):
    path = tmp_path / "in.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("input_ids", "words")
        archive.writestr("attention_mask", "words")
    assert "in.npz is damaged" in fails(make.bert(), inputs=path)


def test_file_that_would_fill_memory_is_refused(fails, make, npz, monkeypatch):
    from turnkeyml_plugin_load_onnx import given

    path = npz(compressed=True, input_ids=ids(1, 200), attention_mask=ids(1, 200) * 0)
    monkeypatch.setattr(given, "LARGEST_BYTES", 2000)
    assert "The arrays in in.npz would take" in fails(make.bert(), inputs=path)


def test_file_that_cannot_be_read_is_an_error(fails, make, npz, monkeypatch):
    from turnkeyml_plugin_load_onnx import given

    def refuse(*args):
        raise OSError(5, "Input/output error")

    path = npz(input_ids=ids(1, 200), attention_mask=ids(1, 200))
    monkeypatch.setattr(given.zipfile, "ZipFile", refuse)
    assert fails(make.bert(), inputs=path).startswith("in.npz cannot be read: Input/output error.")
