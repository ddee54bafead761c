"""What decides how fast a GPU is right now."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from turnkeyml_plugin_nvidia.nvml import Nvml
from turnkeyml_plugin_nvidia.reasons import reasons_from_bits

SM, MEMORY = "NVML_CLOCK_SM", "NVML_CLOCK_MEM"
_COMPUTE_MODES = ("default", "exclusive thread", "prohibited", "exclusive process")


@dataclass(frozen=True)
class GpuState:
    """A GPU at one moment; None where GPU or driver do not tell.

    Args:
        uuid: Which GPU it is.
        driver_version: Of NVIDIA's driver.
        cuda_driver_version: The newest CUDA that the driver can serve.
        memory_bytes: What it has.
        memory_used_bytes: What is in use, by anybody.
        sm_clock_mhz: Of the multiprocessors.
        memory_clock_mhz: Of the memory.
        max_sm_clock_mhz: The largest.
        max_memory_clock_mhz: The largest.
        power_w: What it draws; on many GPUs the mean of the last second.
        power_limit_w: What it may draw.
        gpu_utilization_percent: Of the last second or less, how long anything ran.
        memory_utilization_percent: Likewise, how long memory was read or written.
        temperature_c: Of the chip.
        performance_state: From ``P0``, the fastest, to ``P15``.
        throttle_reasons: What holds its clocks down, in words.
        persistence_mode: Whether the driver stays loaded when nobody uses the GPU.
        ecc: Whether the memory corrects errors.
        mig: Whether it is divided into instances.
        compute_mode: Who may use it.
        pcie_generation: Of the link as it is; it drops when the GPU is idle.
        pcie_width: Lanes of the link as it is.
        other_compute_processes: Programs that have it open, without this one.
    """

    uuid: str | None
    driver_version: str | None
    cuda_driver_version: str | None
    memory_bytes: int | None
    memory_used_bytes: int | None
    sm_clock_mhz: int | None
    memory_clock_mhz: int | None
    max_sm_clock_mhz: int | None
    max_memory_clock_mhz: int | None
    power_w: float | None
    power_limit_w: float | None
    gpu_utilization_percent: int | None
    memory_utilization_percent: int | None
    temperature_c: int | None
    performance_state: str | None
    throttle_reasons: tuple[str, ...] | None
    persistence_mode: bool | None
    ecc: bool | None
    mig: bool | None
    compute_mode: str | None
    pcie_generation: int | None
    pcie_width: int | None
    other_compute_processes: int | None


def read_state(nvml: Nvml) -> GpuState:
    """Read the state of the GPU.

    Raises:
        BuildError: The GPU cannot be used any more.
    """
    ask = nvml.ask
    memory = ask("nvmlDeviceGetMemoryInfo")
    utilization = ask("nvmlDeviceGetUtilizationRates")
    level = ask("nvmlDeviceGetPerformanceState")
    mode = ask("nvmlDeviceGetComputeMode")
    return GpuState(
        uuid=_text(ask("nvmlDeviceGetUUID")),
        driver_version=driver_version(nvml),
        cuda_driver_version=_cuda_version(nvml.ask_system("nvmlSystemGetCudaDriverVersion_v2")),
        memory_bytes=None if memory is None else int(memory.total),
        memory_used_bytes=None if memory is None else int(memory.used),
        sm_clock_mhz=clock_mhz(nvml, SM),
        memory_clock_mhz=clock_mhz(nvml, MEMORY),
        max_sm_clock_mhz=clock_mhz(nvml, SM, "nvmlDeviceGetMaxClockInfo"),
        max_memory_clock_mhz=clock_mhz(nvml, MEMORY, "nvmlDeviceGetMaxClockInfo"),
        power_w=power_w(nvml),
        power_limit_w=_thousandths(ask("nvmlDeviceGetEnforcedPowerLimit")),
        gpu_utilization_percent=None if utilization is None else int(utilization.gpu),
        memory_utilization_percent=None if utilization is None else int(utilization.memory),
        temperature_c=temperature_c(nvml),
        performance_state=f"P{level}" if level in range(16) else None,
        throttle_reasons=throttle_reasons(nvml),
        persistence_mode=_flag(ask("nvmlDeviceGetPersistenceMode")),
        ecc=_flag(_current(ask("nvmlDeviceGetEccMode"))),
        mig=_flag(_current(ask("nvmlDeviceGetMigMode"))),
        compute_mode=_COMPUTE_MODES[mode] if mode in range(len(_COMPUTE_MODES)) else None,
        pcie_generation=ask("nvmlDeviceGetCurrPcieLinkGeneration"),
        pcie_width=ask("nvmlDeviceGetCurrPcieLinkWidth"),
        other_compute_processes=_others(ask("nvmlDeviceGetComputeRunningProcesses")),
    )


def driver_version(nvml: Nvml) -> str | None:
    """Give the version of NVIDIA's driver."""
    return _text(nvml.ask_system("nvmlSystemGetDriverVersion"))


def full_name(nvml: Nvml) -> str:
    """Name the GPU as NVIDIA does."""
    return _text(nvml.ask("nvmlDeviceGetName")) or "NVIDIA GPU"


def clock_mhz(nvml: Nvml, clock: str, function: str = "nvmlDeviceGetClockInfo") -> int | None:
    """Give a clock in MHz.

    Args:
        nvml: The GPU.
        clock: `SM` or `MEMORY`.
        function: NVML's; by default for the clock right now.
    """
    found: int | None = nvml.ask(function, getattr(nvml.library, clock))
    return found


def power_w(nvml: Nvml) -> float | None:
    """Give what the GPU draws, in W."""
    return _thousandths(nvml.ask("nvmlDeviceGetPowerUsage"))


def temperature_c(nvml: Nvml) -> int | None:
    """Give the temperature of the chip."""
    sensor = nvml.library.NVML_TEMPERATURE_GPU
    # The second is the older one, which will go.
    found: int | None = nvml.ask("nvmlDeviceGetTemperatureV", sensor)
    return found if found is not None else nvml.ask("nvmlDeviceGetTemperature", sensor)


def throttle_reasons(nvml: Nvml) -> tuple[str, ...] | None:
    """Say what holds the clocks down, in words."""
    bits = nvml.ask("nvmlDeviceGetCurrentClocksEventReasons")
    if bits is None:
        bits = nvml.ask("nvmlDeviceGetCurrentClocksThrottleReasons")
    return None if bits is None else reasons_from_bits(int(bits))


def _text(value: Any) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _thousandths(value: int | None) -> float | None:
    return None if value is None else value / 1000


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _current(pair: Any) -> int | None:
    return None if pair is None else pair[0]


def _cuda_version(number: int | None) -> str | None:
    return None if number is None else f"{number // 1000}.{number % 1000 // 10}"


def _others(processes: Any) -> int | None:
    if processes is None:
        return None
    return len({process.pid for process in processes} - {os.getpid()})
