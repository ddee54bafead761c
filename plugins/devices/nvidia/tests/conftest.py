"""What the tests of this package share: a fake of `pynvml`."""

from __future__ import annotations

import sys
import types
from types import SimpleNamespace

import pynvml as real
import pytest

POWER_LIMIT = 0x4


class FakeNvml(types.ModuleType):
    """Two GPUs; `values` are the answers of functions, `errors` what they raise instead."""

    NVMLError = real.NVMLError

    def __init__(self):
        super().__init__("pynvml")
        self.open = 0
        self.asked = []
        self.errors = {}
        self.uuids = ["GPU-aaaa-1111", "GPU-bbbb-2222"]
        self.values = {
            "nvmlDeviceGetName": "NVIDIA H200",
            "nvmlSystemGetDriverVersion": "580.159.03",
            "nvmlSystemGetCudaDriverVersion_v2": 13020,
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=143771 << 20, used=1 << 30, free=0),
            "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=87, memory=40),
            "nvmlDeviceGetPerformanceState": 0,
            "nvmlDeviceGetComputeMode": 0,
            "nvmlDeviceGetPowerUsage": 412_500,
            "nvmlDeviceGetEnforcedPowerLimit": 700_000,
            "nvmlDeviceGetTemperatureV": 61,
            "nvmlDeviceGetCurrentClocksEventReasons": POWER_LIMIT,
            "nvmlDeviceGetPersistenceMode": 1,
            "nvmlDeviceGetEccMode": [1, 1],
            "nvmlDeviceGetMigMode": [0, 0],
            "nvmlDeviceGetCurrPcieLinkGeneration": 5,
            "nvmlDeviceGetCurrPcieLinkWidth": 16,
            "nvmlDeviceGetComputeRunningProcesses": [],
            "nvmlDeviceGetTotalEnergyConsumption": 1_000_000,
        }
        self.clocks = {
            ("nvmlDeviceGetClockInfo", real.NVML_CLOCK_SM): 1980,
            ("nvmlDeviceGetClockInfo", real.NVML_CLOCK_MEM): 3201,
            ("nvmlDeviceGetMaxClockInfo", real.NVML_CLOCK_SM): 1980,
            ("nvmlDeviceGetMaxClockInfo", real.NVML_CLOCK_MEM): 3201,
        }

    def __getattr__(self, name):
        if not hasattr(real, name):
            raise AttributeError(name)
        if name.startswith("NVML_"):
            return getattr(real, name)

        def function(*arguments):
            self.asked.append((name, *arguments))
            if name in self.errors:
                raise self.errors[name]
            return self._answer(name, arguments)

        return function

    def _answer(self, name, arguments):
        if name == "nvmlInit":
            self.open += 1
            return None
        assert self.open > 0, f"{name} was asked while NVML was closed"
        if name == "nvmlShutdown":
            self.open -= 1
            return None
        if name == "nvmlDeviceGetCount":
            return len(self.uuids)
        if name == "nvmlDeviceGetHandleByIndex":
            return f"handle {arguments[0]}"
        if name == "nvmlDeviceGetHandleByUUID":
            return f"handle of {arguments[0]}"
        if name == "nvmlDeviceGetUUID":
            return self.uuids[int(arguments[0][-1])]
        if name.endswith("ClockInfo"):
            return self.clocks[name, arguments[1]]
        value = self.values[name]
        return value() if callable(value) else value


@pytest.fixture
def nvml(monkeypatch):
    """A machine with a driver and two GPUs."""
    fake = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    yield fake
    assert fake.open == 0, "NVML was left open"
