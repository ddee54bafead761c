"""Weights that are converted while they are written."""

from __future__ import annotations

import io

import numpy as np
import onnx_ir as ir
import pytest

from turnkeyml_onnx.widening import BLOCK, FLOAT
from turnkeyml_plugin_convert_fp16.half import Losses, halve
from turnkeyml_plugin_convert_fp16.weights import HalvedTensor, halve_weights


def external(folder, values, *, offset=0, dtype=ir.DataType.FLOAT16, name="w", length=None):
    path = folder / "w.data"
    content = path.read_bytes() if path.exists() else b""
    path.write_bytes(
        content[:offset].ljust(offset, b"\0") + values.tobytes() + content[offset + values.nbytes :]
    )
    return ir.ExternalTensor(
        "w.data", offset, length or values.nbytes, dtype,
        shape=ir.Shape(values.shape), name=name, base_dir=folder,
    )  # fmt: skip


@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_blocks_are_put_together_and_their_losses_added(tmp_path, size):
    values = np.random.default_rng(0).normal(size=size).astype(np.float32)
    values[[0, -1]] = 1e6, 1e-9
    tensor = HalvedTensor(external(tmp_path, values, offset=64), FLOAT)
    file = io.BytesIO()
    tensor.tofile(file)
    expected, losses = halve(values)
    assert file.getvalue() == expected.tobytes() == tensor.tobytes()
    assert tensor.losses == losses
    assert tensor.nbytes == len(file.getvalue())


def test_array_has_the_shape(tmp_path):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    tensor = HalvedTensor(external(tmp_path, values), FLOAT)
    np.testing.assert_array_equal(tensor.numpy(), values.astype(np.float16))


def test_file_that_ends_too_early_is_an_error(tmp_path):
    source = external(tmp_path, np.ones(100, np.float32))
    (tmp_path / "w.data").write_bytes(bytes(100))
    with pytest.raises(OSError, match="shorter than the weights"):
        HalvedTensor(source, FLOAT).tofile(io.BytesIO())


def model_of(*tensors):
    graph = ir.Graph([], [], nodes=[], opset_imports={"": 20})
    for tensor in tensors:
        graph.register_initializer(ir.Value(name=tensor.name, const_value=tensor))
    return ir.Model(graph, ir_version=10)


def test_tied_weights_are_one_tensor(tmp_path):
    values = np.ones((32, 32), np.float32)
    model = model_of(
        external(tmp_path, values, name="a"),
        external(tmp_path, values, name="b"),
        external(tmp_path, values, name="c", offset=4096),
    )
    assert list(halve_weights(model, 1024, {})) == ["a", "c"]
    found = model.graph.initializers
    assert found["a"].const_value is found["b"].const_value
    assert found["a"].const_value is not found["c"].const_value


def test_what_is_float16_or_float32_already_is_left_alone(tmp_path):
    halves = external(tmp_path, np.ones(1024, np.float16), name="half")
    whole = external(tmp_path, np.ones(1024, np.float32), name="whole", dtype=ir.DataType.FLOAT)
    model = model_of(halves, whole, ir.tensor(np.ones(4, np.float16), name="inside"))
    assert halve_weights(model, 1024, {}) == {}
    assert model.graph.initializers["half"].const_value is halves


def test_weights_that_become_small_are_put_into_the_model(tmp_path):
    values = np.full(300, 1e6, np.float32)
    model = model_of(external(tmp_path, values))
    (tensor,) = halve_weights(model, 1024, {}).values()
    assert isinstance(model.graph.initializers["w"].const_value, ir.Tensor)
    assert tensor.losses == Losses(clamped=300)
