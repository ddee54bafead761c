"""The GPU as a device, with a driver that is a fake, and without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pynvml as real
import pytest

from turnkeyml.device import DeviceInfo
from turnkeyml.errors import BuildError
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import Provider
from turnkeyml_plugin_nvidia.device import NvidiaGpu
from turnkeyml_plugin_nvidia.nvml import opened
from turnkeyml_plugin_nvidia.plugin import implements
from turnkeyml_plugin_nvidia.reasons import REASONS, reasons_from_bits


def driver_is_missing():
    try:
        real.nvmlInit()
    except real.NVMLError_LibraryNotFound:
        return True
    except real.NVMLError:
        return False
    real.nvmlShutdown()
    return False


no_driver = pytest.mark.skipif(not driver_is_missing(), reason="this machine has NVIDIA's driver")


def test_mapping_is_accepted_and_names_the_default_runtimes():
    provider = Provider("turnkeyml-plugin-nvidia", "0", "nvidia", "plugin")
    (record,) = read_mapping(provider, implements).devices
    assert record.family == "nvidia"
    assert record.default_runtimes == ("trt", "torch-eager", "torch-compiled")
    assert record.ref.load_class(DeviceInfo) is NvidiaGpu
    assert not NvidiaGpu.is_host


def test_device_imports_nothing_heavy_and_no_nvml():
    code = (
        "import sys, turnkeyml_plugin_nvidia.device, turnkeyml_plugin_nvidia.plugin;"
        "print([m for m in ('torch', 'numpy', 'pynvml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@no_driver
def test_machine_without_a_driver_has_no_gpu():
    assert NvidiaGpu.is_present() is False


@no_driver
@pytest.mark.parametrize("ask", [NvidiaGpu.full_name, NvidiaGpu.state])
def test_machine_without_a_driver_gets_one_sentence(ask):
    with pytest.raises(BuildError) as caught:
        ask()
    assert caught.value.message == (
        "NVIDIA's driver is not installed: its library NVML is not found."
    )
    assert "nvidia-smi" in caught.value.hint


@no_driver
def test_watch_without_a_driver_says_so_and_raises_nothing():
    assert list(NvidiaGpu.watch()()) == ["error"]


def test_missing_bindings_are_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert NvidiaGpu.is_present() is False
    with pytest.raises(BuildError) as caught:
        NvidiaGpu.full_name()
    assert caught.value.hint == "Run pip install nvidia-ml-py."


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (real.NVML_ERROR_DRIVER_NOT_LOADED, "installed, and not loaded"),
        (real.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "the old one is still loaded"),
        (real.NVML_ERROR_NO_PERMISSION, "does not let this user ask"),
        (real.NVML_ERROR_UNKNOWN, "NVIDIA's driver refuses: Unknown Error."),
    ],
)
def test_driver_that_fails_is_one_sentence(nvml, error, told):
    nvml.errors["nvmlInit"] = real.NVMLError(error)
    assert NvidiaGpu.is_present() is False
    with pytest.raises(BuildError, match=told) as caught:
        NvidiaGpu.state()
    assert caught.value.hint


def test_driver_without_gpus_is_one_sentence(nvml):
    nvml.uuids.clear()
    assert NvidiaGpu.is_present() is False
    with pytest.raises(BuildError, match="finds no GPU"):
        NvidiaGpu.full_name()


def test_driver_that_does_anything_else_never_breaks_the_question_whether_it_is_there(nvml):
    nvml.errors["nvmlInit"] = OSError("wild")
    assert NvidiaGpu.is_present() is False


def test_gpu_is_present_and_has_its_name(nvml):
    assert NvidiaGpu.is_present()
    assert NvidiaGpu.full_name() == "NVIDIA H200"


def test_name_of_old_bindings_is_text_too(nvml):
    nvml.values["nvmlDeviceGetName"] = b"Tesla T4"
    assert NvidiaGpu.full_name() == "Tesla T4"


def test_state_has_everything_with_units_and_can_be_written(nvml):
    nvml.values["nvmlDeviceGetComputeRunningProcesses"] = [
        SimpleNamespace(pid=os.getpid()),
        SimpleNamespace(pid=1),
        SimpleNamespace(pid=1),
    ]
    state = NvidiaGpu.state()
    assert json.loads(json.dumps(state)) == state
    assert state == {
        "uuid": "GPU-aaaa-1111",
        "driver_version": "580.159.03",
        "cuda_driver_version": "13.2",
        "memory_bytes": 143771 << 20,
        "memory_used_bytes": 1 << 30,
        "sm_clock_mhz": 1980,
        "memory_clock_mhz": 3201,
        "max_sm_clock_mhz": 1980,
        "max_memory_clock_mhz": 3201,
        "power_w": 412.5,
        "power_limit_w": 700.0,
        "gpu_utilization_percent": 87,
        "memory_utilization_percent": 40,
        "temperature_c": 61,
        "performance_state": "P0",
        "throttle_reasons": ["the power limit"],
        "persistence_mode": True,
        "ecc": True,
        "mig": False,
        "compute_mode": "default",
        "pcie_generation": 5,
        "pcie_width": 16,
        "other_compute_processes": 1,
    }


def test_state_leaves_out_what_gpu_or_driver_do_not_tell(nvml):
    for name in [*nvml.values, "nvmlDeviceGetClockInfo", "nvmlDeviceGetMaxClockInfo"]:
        nvml.errors[name] = real.NVMLError(real.NVML_ERROR_NOT_SUPPORTED)
    for name in ("nvmlDeviceGetTemperature", "nvmlDeviceGetCurrentClocksThrottleReasons"):
        nvml.errors[name] = real.NVMLError(real.NVML_ERROR_FUNCTION_NOT_FOUND)
    assert NvidiaGpu.state() == {"uuid": "GPU-aaaa-1111"}
    assert NvidiaGpu.full_name() == "NVIDIA GPU"


def test_older_names_of_functions_are_asked_where_the_newer_are_not_there(nvml):
    missing = real.NVMLError(real.NVML_ERROR_FUNCTION_NOT_FOUND)
    nvml.errors["nvmlDeviceGetTemperatureV"] = missing
    nvml.errors["nvmlDeviceGetCurrentClocksEventReasons"] = missing
    nvml.values["nvmlDeviceGetTemperature"] = 70
    nvml.values["nvmlDeviceGetCurrentClocksThrottleReasons"] = 0x40
    state = NvidiaGpu.state()
    assert state["temperature_c"] == 70
    assert state["throttle_reasons"] == ["heat, by the hardware"]


def test_gpu_that_is_lost_is_one_sentence(nvml):
    nvml.errors["nvmlDeviceGetPowerUsage"] = real.NVMLError(real.NVML_ERROR_GPU_IS_LOST)
    with pytest.raises(BuildError, match="The GPU is lost"):
        NvidiaGpu.state()


@pytest.mark.parametrize(
    ("visible", "handle"),
    [
        (None, "handle 0"),
        ("", "handle 0"),
        ("1,0", "handle 1"),
        (" 1 ", "handle 1"),
        ("7", "handle 0"),
        ("GPU-bbbb", "handle 1"),
        ("GPU-cccc", "handle 0"),
        ("MIG-bbbb/1/0", "handle of MIG-bbbb/1/0"),
    ],
)
def test_gpu_is_the_first_that_cuda_sees(nvml, monkeypatch, visible, handle):
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with opened() as found:
        assert found.handle == handle


def test_nvml_is_closed_after_a_failure(nvml):
    with pytest.raises(ZeroDivisionError):
        with opened():
            raise ZeroDivisionError
    assert nvml.open == 0


def test_reasons_are_those_of_nvml():
    names = {
        "ApplicationsClocksSetting": "a setting of the application clocks",
        "SwPowerCap": "the power limit",
        "HwSlowdown": "a slowdown by the hardware, for heat or power",
        "SyncBoost": "another GPU of its sync boost group",
        "SwThermalSlowdown": "heat, by the driver",
        "HwThermalSlowdown": "heat, by the hardware",
        "HwPowerBrakeSlowdown": "a power brake from outside",
        "DisplayClockSetting": "the clocks of a display",
        "BoardLimit": "a limit of the board",
        "Reliability": "a limit for reliability",
    }
    bits = {getattr(real, f"nvmlClocksThrottleReason{name}"): text for name, text in names.items()}
    assert bits == REASONS


def test_several_reasons_are_all_told_and_idle_is_none():
    assert reasons_from_bits(0x1) == ()
    assert reasons_from_bits(0x1 | 0x4 | 0x20) == ("the power limit", "heat, by the driver")
    assert reasons_from_bits(0x4 | 0x8000) == ("the power limit", "reasons 0x8000")
