"""The tool `load-onnx`: from a file to a state."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from turnkeyml.artifacts import INPUTS, ONNX_MODEL
from turnkeyml.errors import PlanError
from turnkeyml.plugins.registry import Registry
from turnkeyml_plugin_load_onnx.tool import LoadOnnx, LoadOnnxOptions


def test_file_becomes_a_state_with_a_model_that_runs_on_its_inputs(load, make):
    result = load(make.bert())
    (y,) = result.run()
    assert y.shape == (1, 128, 8)
    assert result.notes == [
        "Dynamic dimensions are fixed: batch=1, sequence=128; choose others, as in "
        "--shape input_ids=1,128, or keep them with --dynamic."
    ]


def test_model_info_shows_what_the_file_says_of_itself(load, make, tmp_path):
    model = load(make.bert()).state.model
    assert (model.name, model.model_type) == ("net", "ONNX")
    assert model.class_name == "net (opset 17, IR 8, producer pytorch 2.1)"
    assert model.location == str(tmp_path / "net.onnx")
    assert (model.parameter_count, model.parameter_bytes) == (8000, 32000)
    assert model.input_shapes == {"input_ids": (1, 128), "attention_mask": (1, 128)}
    assert len(model.digest) == 64


def test_artifacts_carry_what_later_tools_need(load, make):
    result = load(make.bert())
    assert result.info == {
        "opset": 17,
        "ir_version": 8,
        "inputs": {"input_ids": "input_ids", "attention_mask": "attention_mask"},
        "inputs_folder": "inputs",
        "outputs": ["y"],
    }
    files = [record.path for record in result.state.newest(ONNX_MODEL).files]
    assert files[0] == "onnx/load-onnx-12345678.onnx"
    inputs = result.state.newest(INPUTS)
    assert inputs.info == {"folder": "inputs"}
    assert [record.path for record in inputs.files] == ["inputs/inputs.json", "inputs/inputs.bin"]


def test_statistics_say_what_is_in_the_file(load, make):
    node = make.node("Strange", ["x"], ["y"], domain="my.ops")
    proto = make.model(
        make.graph([node], [("x", "FLOAT", [2])], [("y", "FLOAT", [2])]),
        domains=["my.ops"],
        producer_name="hand",
    )
    result = load(proto)
    wanted = {
        "opset": 17,
        "ir_version": 8,
        "operators": {"my.ops::Strange": 1},
        "producer": "hand",
        "domains": {"my.ops": 1},
        "custom_operators": {"my.ops::Strange": 1},
    }
    assert wanted.items() <= result.stats.items()
    assert result.stats["size_bytes"] == result.file.stat().st_size
    assert result.notes == ["The file has operators that ONNX Runtime does not: my.ops::Strange."]


def test_build_lives_on_without_the_original(load, make, save):
    path = save(
        make.linear([1, 64]), save_as_external_data=True, location="w.bin", size_threshold=0
    )
    result = load(path)
    expected = onnx.load(path).graph.initializer[0].raw_data
    path.unlink()
    (path.parent / "w.bin").unlink()
    (y,) = result.run()
    w = np.frombuffer(expected, np.float32).reshape(64, 32)
    np.testing.assert_allclose(y, result.arrays["x"] @ w, rtol=1e-4, atol=1e-5)


def test_static_file_is_taken_as_it_is(load, make):
    proto = make.linear([4, 64])
    result = load(proto)
    assert result.notes == []
    assert onnx.load(result.file, load_external_data=False).graph.node == proto.graph.node
    assert result.arrays["x"].shape == (4, 64)


def test_hash_selects_and_the_others_write_nothing(load, make):
    digest = load(make.bert()).state.model.digest
    assert load(make.bert(), hashes=(digest[:8],)).state.selected
    other = load(make.linear(), hashes=(digest[:8],))
    assert not other.state.selected
    assert other.state.artifacts == []
    assert other.notes == []
    assert not (other.state.build.path / "onnx").exists()


def test_two_runs_make_the_same_bytes(load, make):
    first = load(make.bert())
    bytes_before = {p: p.read_bytes() for p in first.state.build.path.glob("*/*")}
    second = load(make.bert())
    assert second.state.name == first.state.name
    assert bytes_before == {p: p.read_bytes() for p in second.state.build.path.glob("*/*")}


def test_model_without_inputs_runs(load, make):
    weights = {"w": np.arange(4, dtype=np.float32)}
    node = make.node("Identity", ["w"], ["y"])
    result = load(make.model(make.graph([node], [], [("y", "FLOAT", [4])], weights)))
    assert result.raw == {}
    assert result.run()[0].tolist() == [0, 1, 2, 3]


def test_dynamic_keeps_the_dimensions_and_gives_inputs_sizes(load, make):
    result = load(make.bert(), dynamic=True, shape=("input_ids=2,7",))
    shapes = onnx.load(result.file, load_external_data=False).graph.input
    assert [d.dim_param for d in shapes[0].type.tensor_type.shape.dim] == ["batch", "sequence"]
    assert result.run()[0].shape == (2, 7, 8)
    assert result.notes == []
    ids = np.zeros((3, 5), np.int64)
    assert result.run({"input_ids": ids, "attention_mask": ids})[0].shape == (3, 5, 8)


def test_dynamic_says_what_the_inputs_are_made_with(load, make):
    assert load(make.bert(), dynamic=True).notes == [
        "The inputs are made with batch=1, sequence=128; choose others, as in "
        "--shape input_ids=1,128."
    ]


@pytest.mark.parametrize(
    "words", [("x",), ("x=1,a",), ("=1,2",), ("x=1,-2",), ("x=1.5",), ("x=1,",), ("x=9999999999",)]
)
def test_shape_in_another_form_is_refused_before_anything_runs(words):
    with pytest.raises(PlanError, match="is no name with whole numbers"):
        LoadOnnx.resolve(LoadOnnxOptions(shape=words), Registry())


def test_shape_of_one_input_twice_is_refused():
    with pytest.raises(PlanError, match="gives the input 'x' twice"):
        LoadOnnx.resolve(LoadOnnxOptions(shape=("x=1", "x=2")), Registry())


def test_inputs_that_are_no_file_are_refused_before_anything_runs(tmp_path):
    with pytest.raises(PlanError, match="there is no file"):
        LoadOnnx.resolve(LoadOnnxOptions(inputs=tmp_path / "no.npz"), Registry())
    text = tmp_path / "text.npz"
    text.write_text("hello")
    with pytest.raises(PlanError, match=r"is no \.npz file"):
        LoadOnnx.resolve(LoadOnnxOptions(inputs=text), Registry())


def test_relative_file_of_inputs_is_resolved_when_planned(tmp_path, monkeypatch):
    np.savez(tmp_path / "x.npz", x=np.zeros(1))
    monkeypatch.chdir(tmp_path)
    options = LoadOnnx.resolve(LoadOnnxOptions(inputs=Path("x.npz")), Registry())
    assert options.inputs == tmp_path / "x.npz"


def test_help_page_and_plan_need_no_heavy_package():
    code = """
import sys
from turnkeyml.options import click_options
from turnkeyml.plugins.registry import Registry
from turnkeyml_plugin_load_onnx.tool import LoadOnnx, LoadOnnxOptions

click_options(LoadOnnxOptions)
LoadOnnx.resolve(LoadOnnxOptions(shape=("x=1",)), Registry())
print([m for m in ("numpy", "onnx", "onnx_ir", "torch", "onnxruntime") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
