"""The way through the whole of TensorRT, with a stand-in for it and for the CUDA driver."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from turnkeyml.errors import BuildError, PlanError
from turnkeyml.worker.process import run_task
from turnkeyml_plugin_build_trt_engine import gpu_task
from turnkeyml_plugin_build_trt_engine.libraries import TENSORRT
from turnkeyml_plugin_build_trt_engine.tool import GPU_TASK

HERE = Path(__file__).parent
GPU = "NVIDIA H200"

pytestmark = pytest.mark.skipif(TENSORRT.version() is not None, reason="tensorrt is installed")


@pytest.fixture
def tensorrt(monkeypatch):
    """The stand-in for TensorRT 10, installed."""
    site = str(HERE / "site")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", site)
    yield
    assert "tensorrt" not in sys.modules


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """The stand-in for the CUDA driver, compiled."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    folder = tmp_path_factory.mktemp("driver")
    target = str(folder / gpu_task.DRIVER)
    source = str(HERE / "fake_driver.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", target, source], check=True)
    return str(folder)


@pytest.fixture
def gpu(driver, monkeypatch):
    """A GPU that is present for every process that is started."""
    monkeypatch.setenv("LD_LIBRARY_PATH", driver)
    monkeypatch.setenv("FAKE_GPU", GPU)


def test_gpu_is_named_as_the_driver_names_it(gpu):
    found = run_task(GPU_TASK, {})
    assert (found["name"], found["compute_capability"]) == (GPU, "9.0")


def test_driver_without_a_gpu_is_told(driver, monkeypatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", driver)
    assert run_task(GPU_TASK, {})["missing"] == "the NVIDIA driver finds no GPU"


def test_absent_driver_is_told():
    def load(name):
        raise OSError(f"{name}: cannot open shared object file")

    found = gpu_task.find_gpu(load)
    assert found == {"missing": "no NVIDIA driver is installed (libcuda.so.1 is not found)"}


def test_driver_that_does_not_start_is_told_with_its_error():
    class Driver:
        def cuInit(self, flags):
            return 803

    found = gpu_task.find_gpu(lambda name: Driver())
    assert found == {"missing": "the NVIDIA driver does not start (CUDA error 803)"}


def test_engine_is_for_the_gpu_that_is_there_and_its_name_is_an_option(linear, tensorrt, gpu):
    build = linear(batch="n")
    engine = build.run()
    assert engine.info["gpu"] == GPU
    assert engine.info["library"] == "tensorrt"
    assert build.statistics["target"] == GPU
    told = json.loads(build.state.file_of(engine).read_bytes())
    assert told["profiles"] == [{"x": [[4, 10], [4, 10], [4, 10]]}]


def test_engine_for_another_gpu_is_refused(linear, tensorrt, gpu):
    with pytest.raises(BuildError, match="is to be for NVIDIA A100, but the GPU here is NVIDIA H2"):
        linear().run(gpu="NVIDIA A100")


def test_plan_made_without_a_gpu_is_refused_where_one_is(linear, tensorrt, gpu, monkeypatch):
    monkeypatch.delenv("FAKE_GPU")
    build = linear()
    given = build.resolved()
    assert given.gpu is None
    monkeypatch.setenv("FAKE_GPU", GPU)
    with pytest.raises(BuildError, match="planned where no GPU is") as caught:
        build.run_resolved(given)
    assert f"--gpu '{GPU}'" in caught.value.hint


def test_machine_without_a_gpu_is_told_of_the_library_that_needs_none(linear, tensorrt):
    with pytest.raises(
        BuildError, match="only on the GPU that they are for, and there is"
    ) as caught:
        linear().run()
    assert "--library tensorrt-rtx" in caught.value.hint


def test_driver_that_the_library_does_not_start_with_is_one_sentence(
    linear, tensorrt, gpu, monkeypatch
):
    monkeypatch.setenv("FAKE_TENSORRT", "no-driver")
    build = linear()
    with pytest.raises(BuildError, match=r"TensorRT 10\.16\.1 does not start: CUDA init"):
        build.run()
    assert build.engines == []


def test_engine_that_cannot_be_built_is_one_sentence(linear, tensorrt, gpu, monkeypatch):
    monkeypatch.setenv("FAKE_TENSORRT", "no-engine")
    with pytest.raises(BuildError) as caught:
        linear().run()
    assert caught.value.message == (
        "TensorRT 10.16.1 cannot build this engine: Could not find any implementation for node "
        "product due to insufficient workspace."
    )


def test_compute_capabilities_are_not_for_it(linear, tensorrt):
    with pytest.raises(PlanError, match="--compute-capability is for tensorrt-rtx"):
        linear().resolved(compute_capability=("8.6",))


def test_optimization_level_has_a_limit(linear, tensorrt):
    with pytest.raises(PlanError, match="takes 0 to 5, not 6"):
        linear().resolved(optimization_level=6)
