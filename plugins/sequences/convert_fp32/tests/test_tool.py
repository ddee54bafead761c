"""Converting ONNX files of bfloat16 and float16 to float32."""

from __future__ import annotations

import subprocess
import sys

import ml_dtypes
import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.artifacts import INPUTS, ONNX_MODEL
from turnkeyml.cache import Cache
from turnkeyml.context import RunContext
from turnkeyml.errors import BuildError
from turnkeyml.inputs import Source
from turnkeyml.options import NoOptions
from turnkeyml.plugins.registry import Registry, load_registry
from turnkeyml.state import ModelInfo
from turnkeyml.worker.tensors import RawTensor, read_tensors, write_tensors
from turnkeyml_onnx import write_model
from turnkeyml_plugin_convert_fp32.tool import ConvertFp32

DTYPES = {
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float16": np.dtype(np.float16),
    "float32": np.dtype(np.float32),
}
KINDS = {
    "bfloat16": TensorProto.BFLOAT16,
    "float16": TensorProto.FLOAT16,
    "float32": TensorProto.FLOAT,
}
NARROW = pytest.mark.parametrize("dtype", ["bfloat16", "float16"])


@pytest.fixture
def state(tmp_path):
    """A layer whose weights lie in a data file, with captured inputs."""

    def make(dtype):
        random = np.random.default_rng(0)
        w = (random.normal(size=(32, 64)) / 4).astype(DTYPES[dtype])
        b = random.normal(size=64).astype(DTYPES[dtype])
        x = random.normal(size=(2, 32)).astype(DTYPES[dtype])
        graph = helper.make_graph(
            [
                helper.make_node("MatMul", ["x", "w"], ["a"]),
                helper.make_node("Add", ["a", "b"], ["y"]),
            ],
            "g",
            [
                helper.make_tensor_value_info("x", KINDS[dtype], [2, 32]),
                helper.make_tensor_value_info("ids", TensorProto.INT64, [2]),
            ],
            [helper.make_tensor_value_info("y", KINDS[dtype], [2, 64])],
            [numpy_helper.from_array(w, "w"), numpy_helper.from_array(b, "b")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        context = RunContext(Registry(), Cache(tmp_path / "cache"), first_step=("load", "00000000"))
        made = context.new_state(Source(tmp_path / "s.onnx"), ModelInfo("m", "cd" * 32, "ONNX"))
        written = write_model(ir.from_proto(model), made.folder("onnx"), "source.onnx")
        ids = np.array([3, 4])
        tensors = {
            "given.x": RawTensor(dtype, x.shape, memoryview(x.tobytes())),
            "given.ids": RawTensor("int64", ids.shape, memoryview(ids.tobytes())),
        }
        inputs = made.folder("inputs")
        made.add(INPUTS, [inputs / name for name in write_tensors(inputs, tensors)])
        made.add(
            ONNX_MODEL,
            written.files,
            info={
                "opset": written.opset,
                "ir_version": written.ir_version,
                "inputs": {"x": "given.x", "ids": "given.ids"},
                "inputs_folder": "inputs",
                "outputs": written.outputs,
            },
        )
        made.begin_step("convert-fp32", "12345678", (ONNX_MODEL,))
        made.expected = {"x": x, "w": w, "b": b}
        return made

    return make


def converted(state):
    ConvertFp32().run(state, NoOptions())
    return state.newest(ONNX_MODEL)


@NARROW
def test_a_model_becomes_one_that_onnx_runtime_runs_in_float32(state, dtype):
    made = state(dtype)
    wide = {name: value.astype(np.float32) for name, value in made.expected.items()}
    artifact = converted(made)
    path = made.file_of(artifact)
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, wide[tensor.name])
    captured = read_tensors(made.build.path / artifact.info["inputs_folder"])
    assert {name: raw.dtype for name, raw in captured.items()} == {
        "given.x": "float32",
        "given.ids": "int64",
    }
    x = np.frombuffer(captured["given.x"].data, np.float32).reshape(captured["given.x"].shape)
    np.testing.assert_array_equal(x, wide["x"])
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": x, "ids": np.array([3, 4])})
    np.testing.assert_allclose(y, wide["x"] @ wide["w"] + wide["b"], rtol=1e-5, atol=1e-5)
    assert made.stats.model["operators"] == {"Add": 1, "MatMul": 1}
    assert artifact.info["inputs_folder"] == "inputs-convert-fp32-12345678"
    assert made.newest(INPUTS).info["folder"] == artifact.info["inputs_folder"]


@NARROW
def test_the_source_stays_and_nothing_temporary_does(state, dtype):
    made = state(dtype)
    source = made.input
    before = {r.path: (made.build.path / r.path).read_bytes() for r in source.files}
    converted(made)
    assert {name: (made.build.path / name).read_bytes() for name in before} == before
    assert [p for p in made.folder("onnx").iterdir() if p.name.startswith(".tmp")] == []


def test_a_model_of_float32_goes_on_as_it_is(state):
    made = state("float32")
    source = made.input
    artifact = converted(made)
    assert artifact is not source
    assert (artifact.files, artifact.info) == (source.files, source.info)
    (note,) = made.context.notes
    assert "there is nothing to convert to float32" in note


def test_a_damaged_file_is_one_sentence(state):
    made = state("float16")
    path = made.input_file()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BuildError, match=r"source\.onnx is no ONNX model, or is damaged"):
        converted(made)


def test_weights_that_are_gone_are_named(state):
    made = state("bfloat16")
    (made.build.path / made.input.files[1].path).unlink()
    with pytest.raises(BuildError, match=r"weight 'w' of source\.onnx .* cannot be read"):
        converted(made)


def test_inputs_of_another_type_than_the_model_s_are_refused(state):
    made = state("bfloat16")
    folder = made.build.path / "inputs"
    tensors = dict(read_tensors(folder))
    tensors["given.x"] = tensors["given.ids"]
    write_tensors(folder, tensors)
    with pytest.raises(BuildError, match=r"input given\.x is int64, where one of .*bfloat16"):
        converted(made)


def test_a_folder_that_cannot_be_written_is_one_sentence(state, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    made = state("float16")
    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(BuildError, match="cannot be written: No space left on device") as caught:
        converted(made)
    assert "Make room" in caught.value.hint


def test_tool_is_registered_under_both_names():
    tool = load_registry().tools["convert-fp32"]
    assert tool.ref.load() is ConvertFp32
    assert tool.aliases == ("fp32",)


def test_help_page_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from turnkeyml.cli.main import main\n"
        "sys.argv = ['turnkey', 'fp32', '-h']\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "finally:\n"
        "    heavy = {'torch', 'onnx', 'onnx_ir', 'onnxruntime', 'numpy'} & set(sys.modules)\n"
        "    print('heavy:', sorted(heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text = " ".join(done.stdout.split())
    assert "before optimize-onnx where a model computes in bfloat16" in text
    assert text.endswith("heavy: []")
