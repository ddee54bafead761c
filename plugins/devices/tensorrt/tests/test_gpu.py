"""Whether there is a GPU, and which: on the stand-ins, and for real where there is no driver."""

from __future__ import annotations

import importlib

import pytest

from turnkeyml_plugin_tensorrt.session.gpu import open_gpu, versions
from turnkeyml_plugin_tensorrt.session.library import load_library, reason_from
from turnkeyml_plugin_tensorrt.session.refusal import RefusalError

UUIDS = ["0a" * 16, "0b" * 16]
NVML_UUIDS = [f"GPU-{u[:8]}-{u[8:12]}-{u[12:16]}-{u[16:20]}-{u[20:]}" for u in UUIDS]


def without_driver():
    api = importlib.import_module("cuda.bindings.runtime")
    status, number = api.cudaDriverGetVersion()
    return not status and number == 0


def refused(**arguments):
    with pytest.raises(RefusalError) as caught:
        open_gpu(None, **arguments)
    return caught.value


@pytest.mark.skipif(not without_driver(), reason="this machine has NVIDIA's driver")
def test_real_bindings_without_a_driver_are_one_sentence():
    told = refused()
    assert told.message == "NVIDIA's driver is not installed: CUDA does not find it."
    assert "nvidia-smi" in told.hint


def test_driver_that_is_too_old_is_told_with_both_versions(fakes):
    fakes(driver=12040, fail={"cudaGetDeviceCount": 35})
    told = refused()
    assert "it serves CUDA up to 12.4, and the installed CUDA bindings are of CUDA 13.4" in str(
        told.message
    )
    assert "pip install 'cuda-python<13'" in told.hint


def test_driver_without_a_gpu_is_told(fakes):
    fakes(fail={"cudaGetDeviceCount": 100})
    told = refused()
    assert told.message == "NVIDIA's driver shows no GPU to this process."
    assert "CUDA_VISIBLE_DEVICES" in told.hint


def test_driver_that_fails_otherwise_is_told_with_the_call(fakes):
    fakes(fail={"cudaGetDeviceCount": 700})
    assert "CUDA's cudaGetDeviceCount failed: illegal access" in refused().message


def test_bindings_that_are_not_there_are_one_sentence():
    def load(name):
        raise ModuleNotFoundError("No module named 'cuda'")

    told = refused(load=load)
    assert told.message.startswith("CUDA's Python bindings cannot be imported: ModuleNotFound")
    assert told.hint == "Run pip install cuda-python."


@pytest.mark.parametrize(("wanted", "index"), [(None, 0), *zip(NVML_UUIDS, (0, 1), strict=True)])
def test_gpu_is_found_by_its_uuid(fakes, wanted, index):
    fakes(gpus=UUIDS)
    gpu = open_gpu(wanted)
    assert (gpu.index, gpu.api.CUDA.index) == (index, index)
    assert gpu.properties() == (f"Fake GPU {index}", "9.0")


def test_only_gpu_is_taken_whatever_it_is_called(fakes):
    fakes(gpus=UUIDS[:1])
    assert open_gpu("MIG-0f0f0f0f-0000-0000-0000-000000000000").index == 0


def test_gpu_that_cuda_does_not_show_is_named(fakes):
    fakes(gpus=UUIDS)
    missing = NVML_UUIDS[0].replace("0a", "0c")
    with pytest.raises(RefusalError, match=f"The GPU {missing} is not among the 2 that CUDA"):
        open_gpu(missing)


def test_versions_are_those_of_driver_and_bindings(fakes):
    fakes(driver=13020, own=13040)
    assert versions(open_gpu(None)) == ("13.2", "13.4")


def test_library_that_is_not_there_is_one_sentence(capfd):
    with pytest.raises(RefusalError) as caught:
        load_library("no_such_tensorrt", "TensorRT")
    assert caught.value.message.startswith("TensorRT cannot be imported: ModuleNotFoundError")
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "IRuntime::deserializeCudaEngine: Error Code 1: Cuda Runtime (In ScopedCudaStream at "
            "/_src/common/dispatch/cudaResources.cpp:25 (cudaError 35: CUDA driver version is "
            "insufficient for CUDA runtime version))",
            "CUDA driver version is insufficient for CUDA runtime version",
        ),
        (
            "[checkMacros.cpp::catchCudaError::250] Error Code 2: OutOfMemory (Requested size was "
            "9 bytes.)",
            "Requested size was 9 bytes",
        ),
        ("x.cpp:7: the GPU is full. In run at /_src/y.cpp:8", "the GPU is full"),
    ],
)
def test_first_error_is_put_in_plain_words(text, reason):
    assert reason_from([text, "and again"]) == reason


def test_library_that_says_nothing_is_told_so():
    assert reason_from([]) == "it does not say why"
