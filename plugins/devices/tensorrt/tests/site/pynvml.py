"""A stand-in for NVML with one GPU; what it has not is not known."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0
UUID = "GPU-" + "-".join("1" * length for length in (8, 4, 4, 4, 12))


class NVMLError(Exception):
    pass


def _answers(**values):
    return {name: (lambda *arguments, value=value: value) for name, value in values.items()}


globals().update(
    _answers(
        nvmlInit=None,
        nvmlShutdown=None,
        nvmlDeviceGetCount=1,
        nvmlDeviceGetHandleByIndex="handle",
        nvmlDeviceGetUUID=UUID,
        nvmlDeviceGetName="Fake GPU 0",
        nvmlSystemGetDriverVersion="580.159.03",
        nvmlDeviceGetPowerUsage=300_000,
        nvmlDeviceGetClockInfo=1900,
        nvmlDeviceGetUtilizationRates=SimpleNamespace(gpu=90, memory=20),
        nvmlDeviceGetTemperature=60,
        nvmlDeviceGetCurrentClocksEventReasons=json.loads(os.environ.get("FAKE_REASONS", "0")),
    )
)
