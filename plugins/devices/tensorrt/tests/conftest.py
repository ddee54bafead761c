"""A machine with a GPU that is made up, and engines that are descriptions of what they compute."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from turnkeyml.artifacts import INPUTS, TRT_ENGINE
from turnkeyml.device import Device
from turnkeyml.runtime import ModelInputs, RuntimeContext, RuntimeStats
from turnkeyml.worker.tensors import RawTensor, write_tensors
from turnkeyml_plugin_nvidia.device import NvidiaGpu

HERE = Path(__file__).parent
SITE, SITE_TENSORRT = HERE / "site", HERE / "site_tensorrt"
FAKED = ("cuda", "tensorrt", "tensorrt_rtx", "pynvml", "fake_cuda", "fake_trt")
RTX_VERSION = "1.7.1.116"


def engine_of(computes="add_relu", tensors=None, magic=b"vtrt", **told):
    """Give an engine's bytes; by default the model of the conformance kit."""
    if tensors is None:
        tensors = [
            ["x", "FLOAT", [2, 3], "INPUT", ""],
            ["y", "FLOAT", [2, 3], "OUTPUT", ""],
        ]
    told = {"version": RTX_VERSION, "tensors": tensors, "computes": computes, **told}
    return magic + json.dumps(told).encode()


def floats(*numbers, shape=None):
    """Make a captured tensor of float32."""
    return raw("f", "float32", numbers, shape)


def raw(code, dtype, numbers, shape=None):
    """Make a captured tensor."""
    import array

    data = memoryview(array.array(code, numbers)).cast("B")
    return RawTensor(dtype, tuple(shape if shape is not None else [len(numbers)]), data)


@pytest.fixture
def fakes(monkeypatch):
    """Install the stand-ins, here and for every process that is started."""

    def forget():
        for name in [name for name in sys.modules if name.partition(".")[0] in FAKED]:
            monkeypatch.delitem(sys.modules, name)

    forget()
    paths = [str(SITE), str(SITE_TENSORRT)]
    for path in reversed(paths):
        monkeypatch.syspath_prepend(path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def setting(**settings):
        monkeypatch.setenv("FAKE_CUDA", json.dumps(settings))
        forget()

    yield setting
    for name in [name for name in sys.modules if name.partition(".")[0] in FAKED]:
        del sys.modules[name]


def cuda():
    """Give the GPU that is made up, as this process uses it."""
    return sys.modules["cuda.bindings.runtime"].CUDA


@pytest.fixture
def context_for(tmp_path):
    """Makes the context in which an engine is measured."""

    def make(engine, tensors, *, iterations=12, info=NvidiaGpu, schedule=None, name="m.engine"):
        model = tmp_path / name
        model.write_bytes(engine)
        write_tensors(tmp_path / "inputs", tensors)
        return RuntimeContext(
            cache_dir=tmp_path,
            build_name="a_build",
            stats=RuntimeStats(),
            iterations=iterations,
            model=model,
            inputs=ModelInputs(tmp_path / "inputs", {name: name for name in tensors}),
            device=Device("nvidia"),
            device_info=info,
            runtime="trt",
            output_dir=tmp_path,
            schedule=schedule or {"warm_up": 2},
        )

    return make


def add_engine(state, engine=None):
    """Hand an engine and the conformance kit's inputs over to a state."""
    folder = state.folder("inputs")
    x = floats(1.0, -2.0, 3.0, 0.5, 0.25, -1.0, shape=(2, 3))
    files = write_tensors(folder, {"x": x})
    state.add(INPUTS, [folder / name for name in files], info={"folder": "inputs"})
    path = state.folder("engines") / "m.engine"
    path.write_bytes(engine_of() if engine is None else engine)
    info = {"inputs": {"x": "x"}, "inputs_folder": "inputs", "outputs": ["y"]}
    return state.add(TRT_ENGINE, [path], info=info)
