"""Whether the real libraries have what the runtime uses, and what the stand-ins stand in for."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys

import pytest

from turnkeyml.errors import BuildError
from turnkeyml.plugins.registry import load_registry
from turnkeyml.runtime import opened
from turnkeyml.testing.feeding import begin_tool, make_state
from turnkeyml.testing.tiny_model import add_tiny_onnx
from turnkeyml_plugin_tensorrt.origin import find_origin
from turnkeyml_plugin_tensorrt.requirements import TENSORRT, TENSORRT_RTX
from turnkeyml_plugin_tensorrt.runtime import TensorRt

from .conftest import SITE, floats
from .test_gpu import without_driver

BUILDERS = [library for library in (TENSORRT, TENSORRT_RTX) if library.version() is not None]
needs_library = [
    pytest.mark.skipif(not BUILDERS, reason="neither tensorrt nor tensorrt-rtx is installed")
]
needs_rtx = [
    pytest.mark.skipif(TENSORRT_RTX.version() is None, reason="tensorrt-rtx is not installed"),
    pytest.mark.skipif(TENSORRT.version() is not None, reason="engines would be of tensorrt"),
]
STAND_INS = {
    "Runtime": "Runtime",
    "Engine": "ICudaEngine",
    "Context": "IExecutionContext",
}
OWN = {"shape_of", "read"}
"""Methods of the stand-ins that are for themselves."""


def test_stand_in_for_cuda_has_no_function_that_the_real_one_has_not():
    spec = importlib.util.spec_from_file_location("the_fake_cuda", SITE / "fake_cuda.py")
    fake = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fake)
    real = importlib.import_module("cuda.bindings.runtime")
    names = [name for name in dir(fake.FakeCuda) if name.startswith("cuda")]
    assert len(names) > 25
    assert [name for name in names if not hasattr(real, name)] == []
    for kind in ("cudaError_t", "cudaMemcpyKind", "cudaStreamCaptureMode"):
        for member in getattr(fake, kind):
            assert int(getattr(getattr(real, kind), member.name)) == int(member)


def test_real_cuda_takes_the_arguments_that_it_is_given():
    """Without a driver each gives its error, and none a TypeError."""
    code = """
from cuda.bindings import runtime as r
stream, event, graph = r.cudaStream_t(0), r.cudaEvent_t(0), r.cudaGraph_t(0)
ready = r.cudaGraphExec_t(0)
for name, *arguments in [
    ("cudaMalloc", 1), ("cudaFree", 0), ("cudaHostAlloc", 1, r.cudaHostAllocDefault),
    ("cudaMemcpyAsync", 1, 2, 0, r.cudaMemcpyKind.cudaMemcpyHostToDevice, stream),
    ("cudaStreamCreateWithFlags", r.cudaStreamNonBlocking),
    ("cudaEventCreateWithFlags", r.cudaEventDefault), ("cudaEventRecord", event, stream),
    ("cudaEventElapsedTime", event, event), ("cudaStreamSynchronize", stream),
    ("cudaStreamBeginCapture", stream, r.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal),
    ("cudaStreamEndCapture", stream), ("cudaGraphInstantiate", graph, 0),
    ("cudaGraphUpload", ready, stream), ("cudaGraphLaunch", ready, stream), ("cudaMemGetInfo",),
    ("cudaSetDevice", 0), ("cudaGetDeviceProperties", 0),
]:
    status, *_ = getattr(r, name)(*arguments)
    assert status and status.name == "cudaErrorInsufficientDriver", (name, status)
assert int(stream) == 0 and not r.cudaError_t.cudaSuccess
assert len(r.cudaDeviceProp().uuid.bytes) == 16
"""
    if not without_driver():
        pytest.skip("this machine has NVIDIA's driver, which such arguments may upset")
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(TENSORRT_RTX.version() is None, reason="tensorrt-rtx is not installed")
@pytest.mark.parametrize("name", STAND_INS)
def test_stand_in_for_tensorrt_has_no_method_that_the_real_one_has_not(fakes, name):
    fake = importlib.import_module("fake_trt")
    own = {n for n in vars(getattr(fake, name)) if not n.startswith("_")} - OWN
    code = (
        "import sys, tensorrt_rtx; kind = getattr(tensorrt_rtx, sys.argv[1]);"
        "print([n for n in sys.argv[2:] if not hasattr(kind, n)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, STAND_INS[name], *sorted(own)],
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(TENSORRT_RTX.version() is None, reason="tensorrt-rtx is not installed")
def test_real_tensorrt_rtx_has_the_names_and_takes_logger_and_allocator(tmp_path):
    """In a process of its own; the library without a driver gives None for an engine."""
    (tmp_path / "m.engine").write_bytes(b"junk" * 100)
    code = f"""
import mmap, sys, tensorrt_rtx as trt
from turnkeyml_plugin_tensorrt.session import library, blocks, engine
log = library.make_log(trt)
runtime = trt.Runtime(log)
file = open({str(tmp_path / "m.engine")!r}, "rb")
content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
assert runtime.deserialize_cuda_engine(content) is None
assert log.texts
assert engine._diagnostics(trt, runtime, content) == ("MALFORMED_ENGINE",)
class Output:
    def grow(self, size):
        return size
output = Output()
allocator = blocks.make_allocator(trt, output)
assert allocator.reallocate_output("y", 0, 7, 256) == 7
assert allocator.reallocate_output_async("y", 0, 8, 256, 0) == 8
allocator.notify_shape("y", trt.Dims([2, 3]))
assert output.shape == (2, 3)
assert set(engine._DTYPES) | {{"INT4", "FP4", "E8M0"}} == set(trt.DataType.__members__)
trt.TensorFormat.LINEAR, trt.TensorIOMode.INPUT, trt.TensorLocation.HOST
trt.EngineStat.TOTAL_WEIGHTS_SIZE, trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
trt.DynamicShapesKernelSpecializationStrategy.EAGER
trt.ICudaEngine.create_runtime_config
for name in ("cuda_graph_strategy", "dynamic_shapes_kernel_specialization_strategy"):
    assert isinstance(getattr(trt.IRuntimeConfig, name), property)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def built(tmp_path):
    """A build with an engine that tensorrt-rtx really made."""
    state = make_state(tmp_path)
    add_tiny_onnx(state)
    tool = load_registry().tool("build-trt-engine").ref.load()
    tool().run(state, begin_tool(state, tool))
    return state


class TestRealEngines:
    pytestmark = needs_rtx

    def test_origin_is_seen_from_the_file_and_from_the_state(self, built):
        artifact = built.newest("trt-engine")
        path = built.file_of(artifact)
        known = find_origin(built.build.cache, "no_such_build", path)
        assert (known.library, known.version) == (TENSORRT_RTX, None)
        built.save()
        known = find_origin(built.build.cache, built.name, path)
        assert (known.library, known.version) == (TENSORRT_RTX, TENSORRT_RTX.version())

    def test_without_a_driver_the_worker_refuses_before_anything_can_crash(
        self, built, context_for
    ):
        if not without_driver():
            pytest.skip("this machine has NVIDIA's driver")
        engine = built.file_of(built.newest("trt-engine")).read_bytes()
        x = floats(*range(6), shape=(2, 3))
        with opened(TensorRt, context_for(engine, {"x": x}, info=None), {}) as made:
            with pytest.raises(BuildError) as caught:
                made.benchmark()
        assert caught.value.message == ("NVIDIA's driver is not installed: CUDA does not find it.")
        assert "nvidia-smi" in caught.value.hint
