"""The runtime on a GPU, with the real libraries; skipped where there is none."""

from __future__ import annotations

import math
import struct
from dataclasses import replace

import pytest

from turnkeyml.cache.layout import BuildDirectory
from turnkeyml.plugins.registry import load_registry
from turnkeyml.runtime import ModelInputs, opened
from turnkeyml.testing import RuntimeConformance
from turnkeyml.testing.feeding import begin_tool, make_state
from turnkeyml.testing.tiny_model import Y, add_tiny_onnx
from turnkeyml.worker.tensors import read_tensors
from turnkeyml_plugin_nvidia.device import NvidiaGpu
from turnkeyml_plugin_tensorrt.requirements import TENSORRT
from turnkeyml_plugin_tensorrt.runtime import TensorRt
from turnkeyml_plugin_tensorrt.session.gpu import open_gpu
from turnkeyml_plugin_tensorrt.session.refusal import RefusalError

from .conftest import add_engine
from .test_interfaces import needs_library


def gpu_is_there():
    try:
        open_gpu(None)
    except RefusalError:
        return False
    return True


pytestmark = [
    *needs_library,
    pytest.mark.skipif(not gpu_is_there(), reason="this machine has no NVIDIA GPU"),
]


def add_built_engine(state):
    """Build the conformance kit's model for the GPU that is there."""
    add_tiny_onnx(state)
    tool = load_registry().tool("build-trt-engine").ref.load()
    options = tool.Options()
    if TENSORRT.version() is None:
        _, capability = open_gpu(None).properties()
        options = replace(options, compute_capability=(capability,))
    tool().run(state, begin_tool(state, tool, options))


class TestTrtOnAGpu(RuntimeConformance):
    runtime = "trt"
    device = "nvidia"
    rt_args_to_try = ((), ("cuda_graph",), ("profile::0",))

    def make_input(self, state):
        add_built_engine(state)

    def make_broken_input(self, state):
        add_engine(state, b"vtrt, and no more of an engine")


@pytest.fixture
def context(context_for, built_state):
    artifact = built_state.newest("trt-engine")
    engine = built_state.file_of(artifact).read_bytes()
    made = context_for(engine, {}, info=NvidiaGpu, iterations=200)
    folder = BuildDirectory(built_state.build.cache, built_state.name).path / "inputs"
    return replace(made, inputs=ModelInputs(folder, {"x": "x"}), schedule={})


@pytest.fixture
def built_state(tmp_path):
    state = make_state(tmp_path / "built")
    add_built_engine(state)
    return state


@pytest.mark.parametrize("arguments", [{}, {"cuda_graph": True}], ids=["launches", "graph"])
def test_outputs_are_those_of_the_model(context, arguments, tmp_path):
    with opened(TensorRt, context, arguments) as made:
        made.outputs(tmp_path / "outputs")
    (y,) = read_tensors(tmp_path / "outputs").values()
    found = struct.unpack("<6f", y.data)
    assert all(math.isclose(a, b, abs_tol=1e-3) for a, b in zip(found, Y, strict=True))


def test_parts_make_up_the_whole_and_the_gpu_tells_what_it_did(context):
    with opened(TensorRt, context, {}) as made:
        found = made.benchmark()
    numbers = found.statistics
    parts = [numbers[f"{name}_ms"] for name in ("host_to_device", "compute", "device_to_host")]
    assert all(part > 0 for part in parts)
    # Events between the parts take time themselves.
    assert sum(parts) < 2 * numbers["median_latency_ms"]
    assert numbers["device_while_timed"]["samples"] >= 3
    assert numbers["device_while_timed"]["mean_power_w"] > 1
    assert found.facts["gpu"] == NvidiaGpu.full_name()
