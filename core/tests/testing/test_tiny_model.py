"""The kit's own model."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from turnkeyml.artifacts import INPUTS, ONNX_MODEL
from turnkeyml.options import NoOptions
from turnkeyml.plugins.registry import Registry
from turnkeyml.testing import (
    add_onnx,
    add_tiny_onnx,
    begin_tool,
    float_tensor,
    make_state,
    tiny_onnx,
)
from turnkeyml.testing.tiny_model import IR_VERSION, OPSET, SHAPE, X, Y
from turnkeyml.tool import Tool
from turnkeyml.worker.tensors import read_tensors


@pytest.fixture
def state(tmp_path: Path):
    return make_state(tmp_path)


def test_tensor_of_plain_numbers_is_little_endian() -> None:
    tensor = float_tensor((2,), (1.0, -0.5))
    assert (tensor.dtype, tensor.shape) == ("float32", (2,))
    assert struct.unpack("<2f", tensor.data) == (1.0, -0.5)


def test_state_gets_the_model_its_inputs_and_how_to_call_it(state) -> None:
    artifact = add_tiny_onnx(state)
    assert state.newest(ONNX_MODEL) is artifact
    assert state.file_of(artifact).read_bytes() == tiny_onnx()
    folder = state.build.path / artifact.info["inputs_folder"]
    assert struct.unpack("<6f", read_tensors(folder)["x"].data) == X
    assert state.newest(INPUTS).info == {"folder": "inputs"}
    facts = {key: artifact.info[key] for key in ("opset", "ir_version", "inputs", "outputs")}
    assert facts == {
        "opset": OPSET,
        "ir_version": IR_VERSION,
        "inputs": {"x": "x"},
        "outputs": ["y"],
    }


def test_file_of_an_author_is_copied(state, tmp_path: Path) -> None:
    own = tmp_path / "own.onnx"
    own.write_bytes(b"model")
    inputs = {"a": float_tensor((1,), (3.0,))}
    artifact = add_onnx(state, own, inputs, outputs=["b"], opset=20, ir_version=10)
    assert state.file_of(artifact) != own
    assert state.file_of(artifact).read_bytes() == b"model"


class Count(Tool):
    """Count bytes."""

    name = "count"
    consumes = (ONNX_MODEL,)
    Options = NoOptions

    @classmethod
    def resolve(cls, options, registry):
        return (options, registry)

    def run(self, state, options):
        state.stats.save("bytes", state.input_file().stat().st_size)
        return state


def test_author_may_run_a_tool_on_a_state_without_a_chain(tmp_path: Path) -> None:
    registry = Registry()
    made = make_state(tmp_path, registry)
    add_tiny_onnx(made)
    options = begin_tool(made, Count)
    assert options == (NoOptions(), registry)
    assert Count().run(made, options) is made
    (entry,) = made.stats.steps.values()
    assert entry == {"tool": "count", "bytes": len(tiny_onnx())}


def test_onnx_itself_takes_it_and_computes_what_the_kit_says() -> None:
    onnx = pytest.importorskip("onnx")
    numpy = pytest.importorskip("numpy")
    from onnx.reference import ReferenceEvaluator

    model = onnx.load_from_string(tiny_onnx())
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, model.opset_import[0].version) == (IR_VERSION, OPSET)
    x = numpy.array(X, numpy.float32).reshape(SHAPE)
    (y,) = ReferenceEvaluator(model).run(None, {"x": x})
    assert tuple(y.ravel().tolist()) == Y
