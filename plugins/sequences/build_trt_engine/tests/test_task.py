"""The branches for a TensorRT that cannot run here, against a stand-in with its interface."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from turnkeyml_plugin_build_trt_engine import task
from turnkeyml_plugin_build_trt_engine.task import EngineError, Order

SITE = Path(__file__).parent / "site"


@pytest.fixture
def trt():
    """The stand-in, loaded under no name that anybody else would import."""
    spec = importlib.util.spec_from_file_location("fake", SITE / "tensorrt/__init__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def order(tmp_path):
    model = tmp_path / "m.onnx"
    model.touch()

    def make(**more):
        captured = {"x": {"shape": [4, 10], "dtype": "float32"}}
        return Order("tensorrt", str(model), str(tmp_path / "e"), captured=captured, **more)

    return make


def told(order):
    return json.loads(Path(order.engine).read_bytes())


def test_network_keeps_types_and_batch_dimension_with_an_older_version(trt, order):
    one = order()
    assert task.build(trt, one)["version"] == "10.16.1"
    assert told(one)["flags"] == 0b11


def test_flags_that_a_newer_version_has_dropped_are_not_needed(trt):
    trt.NetworkDefinitionCreationFlag = object()
    assert task.creation_flags(trt) == 0
    del trt.NetworkDefinitionCreationFlag
    assert task.creation_flags(trt) == 0


def test_defaults_are_left_to_the_library(trt, order):
    one = order()
    task.build(trt, one)
    assert told(one) == {
        "tf32": True,
        "workspace": None,
        "profiles": [{"x": [[4, 10], [4, 10], [4, 10]]}],
        "level": 3,
        "flags": 3,
    }


def test_options_reach_the_library(trt, order):
    one = order(workspace_mib=64, optimization_level=5, tf32=False)
    task.build(trt, one)
    found = told(one)
    assert (found["workspace"], found["level"], found["tf32"]) == (64 << 20, 5, False)


def test_builder_that_is_not_given_hands_back_the_log(trt, order, monkeypatch):
    monkeypatch.setenv("FAKE_TENSORRT", "no-driver")
    with pytest.raises(EngineError) as caught:
        task.build(trt, order())
    assert caught.value.failure["phase"] == "start"
    assert ["WARNING", "Unable to determine GPU memory usage"] in caught.value.failure["log"]


def test_engine_that_is_not_given_hands_back_the_log(trt, order, monkeypatch):
    monkeypatch.setenv("FAKE_TENSORRT", "no-engine")
    with pytest.raises(EngineError) as caught:
        task.build(trt, order())
    assert caught.value.failure["phase"] == "build"
    assert "insufficient workspace" in caught.value.failure["log"][0][1]


def test_profile_that_the_library_refuses_hands_back_the_log(trt, order):
    def refuse(self, profile):
        return -1

    trt.Config.add_optimization_profile = refuse
    with pytest.raises(EngineError) as caught:
        task.build(trt, order())
    assert caught.value.failure["phase"] == "build"


def test_profile_that_the_bindings_raise_on_hands_back_why(trt, order):
    def refuse(self, *args):
        raise RuntimeError("max input provided is inconsistent")

    trt.Profile.set_shape = refuse
    with pytest.raises(EngineError) as caught:
        task.build(trt, order())
    assert caught.value.failure["log"][-1] == ["ERROR", "max input provided is inconsistent"]


def test_library_that_cannot_be_imported_is_a_fact(tmp_path, monkeypatch):
    (tmp_path / "tensorrt_halfway.py").write_text(
        "raise ImportError('libnvinfer.so.10: cannot open shared object file')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = task.run({"module": "tensorrt_halfway", "model": "m", "engine": "e"})
    assert found["failure"]["phase"] == "import"
    assert "libnvinfer.so.10" in found["failure"]["detail"]


def test_writer_remembers_the_first_error_and_writes_nothing_after_it(trt):
    written = []

    def write(data):
        if data == b"2":
            raise OSError(28, "No space left on device")
        written.append(data)
        return len(data)

    writer = task.make_writer(trt.ILogger, write)
    assert [writer.write(piece) for piece in (b"1", b"2", b"3")] == [1, 0, 0]
    assert written == [b"1"]
    assert writer.error.strerror == "No space left on device"
