"""The runtime, with its worker in a process of its own, on the stand-ins."""

from __future__ import annotations

import json
import struct
import threading

import pytest

from turnkeyml.errors import BuildError, PlanError
from turnkeyml.rt_args import convert_rt_args, parse_rt_args
from turnkeyml.runtime import opened
from turnkeyml.worker.tensors import read_tensors
from turnkeyml_plugin_nvidia.device import NvidiaGpu
from turnkeyml_plugin_tensorrt import runtime
from turnkeyml_plugin_tensorrt.runtime import TensorRt, bound_by

from .conftest import engine_of, floats

X = {"x": floats(1.0, -2.0, 3.0, 0.5, 0.25, -1.0, shape=(2, 3))}

pytestmark = pytest.mark.usefixtures("fakes")


@pytest.fixture(autouse=True)
def run_on_shortly(monkeypatch):
    monkeypatch.setattr(runtime, "RUN_ON_S", 0.3)


@pytest.fixture
def benchmark(context_for):
    """Measures an engine; gives what was found and the runtime's statistics."""

    def run(engine=None, *words, tensors=None, **more):
        context = context_for(engine or engine_of(), tensors or X, **more)
        given = convert_rt_args("trt", TensorRt, parse_rt_args(words))
        with opened(TensorRt, context, given) as made:
            return made.benchmark(), context.stats.values

    return run


def test_benchmark_times_each_iteration_with_its_transfers(benchmark):
    found, stats = benchmark()
    assert len(found.samples["timed_ns"]) == 12
    assert found.mean_latency > 0
    assert found.statistics["host_to_device_ms"] == pytest.approx(0.25)
    assert found.statistics["compute_ms"] == stats["compute_ms"] == pytest.approx(1.0)
    assert found.statistics["device_to_host_ms"] == pytest.approx(0.125)
    assert found.statistics["bound_by"] == "computing"
    assert found.statistics["device_memory_bytes"] > 0
    assert found.statistics["load_ms"] > 0
    assert found.device == "Fake GPU 0"
    assert found.runtime_version == "1.7.1.116 of TensorRT-RTX"


def test_facts_name_driver_and_what_was_asked_for(benchmark):
    found, _ = benchmark(None, "cuda_graph", "profile::0")
    assert found.facts["driver_version"] == "580.159.03"
    assert found.facts["cuda_driver_version"] == "13.0"
    assert found.facts["cuda_graph"] == "made by TensorRT-RTX"
    assert "ran_until_s" not in found.facts
    assert "numbers" not in found.facts
    json.dumps([found.facts, found.statistics], allow_nan=False)


def test_engine_of_tensorrt_is_run_with_tensorrt(benchmark):
    found, _ = benchmark(engine_of(magic=b"ftrt", version="10.16.1"), "cuda_graph")
    assert found.runtime_version == "10.16.1 of TensorRT"
    assert found.facts["cuda_graph"] == "recorded once"


def test_gpu_is_watched_while_the_model_is_timed_and_run_on(benchmark):
    found, _ = benchmark()
    used = found.statistics["device_while_timed"]
    assert used["samples"] >= 1
    assert used["mean_power_w"] == 300.0
    assert used["mean_sm_clock_mhz"] == 1900
    assert 0.3 <= used["duration_s"] < 5
    assert "error" not in used
    assert not [t for t in threading.enumerate() if t.name == "turnkey-gpu-sampler"]


def test_numbers_of_a_gpu_that_protected_itself_are_noisy(benchmark, monkeypatch):
    monkeypatch.setenv("FAKE_REASONS", str(0x40))
    found, _ = benchmark()
    assert found.verdict == "noisy"
    assert "the device was slowed down by heat, by the hardware" in found.verdict_reasons


def test_power_limit_is_told_and_no_reason_to_doubt(benchmark, monkeypatch):
    monkeypatch.setenv("FAKE_REASONS", str(0x4))
    found, _ = benchmark()
    assert found.statistics["device_while_timed"]["throttle_reasons"] == ["the power limit"]
    assert not [reason for reason in found.verdict_reasons if "slowed down" in reason]


def test_without_a_package_for_the_device_the_first_gpu_is_measured(benchmark):
    found, _ = benchmark(info=None)
    assert found.device == "Fake GPU 0"
    assert "device_while_timed" not in found.statistics
    assert "driver_version" not in found.facts


def test_gpu_is_the_one_that_its_device_package_names(benchmark, fakes):
    fakes(gpus=["22" * 16, "11" * 16])
    found, _ = benchmark()
    assert found.facts["gpu"] == found.device == "Fake GPU 1"


def test_outputs_are_kept_by_name_without_timing(context_for, tmp_path):
    with opened(TensorRt, context_for(engine_of(), X), {}) as made:
        told = made.outputs(tmp_path / "outputs")
    assert (told.unavailable, told.version) == ("", "1.7.1.116 of TensorRT-RTX")
    (y,) = read_tensors(tmp_path / "outputs").values()
    assert struct.unpack("<6f", y.data) == (1.5, 0.0, 4.5, 2.5, 0.25, 0.0)


def test_outputs_can_be_had_after_a_benchmark(context_for, tmp_path):
    with opened(TensorRt, context_for(engine_of(), X), {}) as made:
        made.benchmark()
        made.outputs(tmp_path / "outputs")
    assert list(read_tensors(tmp_path / "outputs")) == ["y"]


def test_refusal_of_the_worker_is_one_sentence_with_advice(benchmark):
    with pytest.raises(BuildError) as caught:
        benchmark(None, "profile::7")
    assert caught.value.message == "The engine has one profile, number 0, and none of the number 7."
    assert not [t for t in threading.enumerate() if t.name == "turnkey-gpu-sampler"]


def test_driver_that_is_missing_for_cuda_alone_is_one_sentence(benchmark, fakes):
    fakes(driver=0, fail={"cudaGetDeviceCount": 35})
    with pytest.raises(BuildError) as caught:
        benchmark()
    assert caught.value.message == "NVIDIA's driver is not installed: CUDA does not find it."
    assert "nvidia-smi" in caught.value.hint


def test_fault_in_the_middle_of_timing_is_one_sentence(benchmark, fakes):
    fakes(fail_late={"cudaStreamSynchronize": 700})
    with pytest.raises(BuildError, match="CUDA's cudaStreamSynchronize failed: illegal access"):
        benchmark()


def test_library_that_crashes_is_told(benchmark):
    with pytest.raises(BuildError, match="worker process was ended by SIGABRT"):
        benchmark(engine_of(crashes=1))


def test_device_that_is_lost_before_anything_runs_is_one_sentence(benchmark):
    class Lost(NvidiaGpu):
        @classmethod
        def state(cls):
            raise BuildError("The GPU is lost.", hint="Restart the machine.")

    with pytest.raises(BuildError, match="The GPU is lost"):
        benchmark(info=Lost)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((1, 5, 1, 2), "computing"),
        ((3, 5, 3, 2), "transfers"),
        ((1, 5, 1, 6), "launching kernels, by the processor"),
    ],
)
def test_slowest_part_is_named(parts, words):
    names = ("host_to_device_ms", "compute_ms", "device_to_host_ms", "enqueue_ms")
    assert bound_by(dict(zip(names, parts, strict=True))) == words


def test_profile_below_zero_is_refused():
    with pytest.raises(PlanError, match="profile is at least 0, not -1"):
        TensorRt(profile=-1)
