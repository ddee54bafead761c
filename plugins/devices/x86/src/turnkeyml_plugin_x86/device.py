"""The processor that runs turnkey: its name and its state."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from turnkeyml.device import DeviceInfo

CPUINFO = Path("/proc/cpuinfo")
CPUFREQ = Path("/sys/devices/system/cpu/cpu0/cpufreq")


class HostProcessor(DeviceInfo):
    """What `x86` and `arm` have in common."""

    is_host = True
    machines: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def is_present(cls) -> bool:
        """Tell whether this machine is of the family."""
        return platform.machine().lower() in cls.machines

    @classmethod
    def full_name(cls) -> str:
        """Give the processor's name as the system reports it."""
        return processor_name(CPUINFO) or platform.processor() or platform.machine()

    @classmethod
    def state(cls) -> Mapping[str, Any]:
        """Give cores, frequency (MHz), governor and load (runnable processes, 1 minute)."""
        state: dict[str, Any] = {
            "cores": os.cpu_count(),
            "usable_cores": len(os.sched_getaffinity(0)),
            "load_average": round(os.getloadavg()[0], 2),
        }
        governor = _read(CPUFREQ / "scaling_governor")
        if governor:
            state["governor"] = governor
        frequency = _read(CPUFREQ / "scaling_cur_freq")
        if frequency.isdigit():
            state["frequency_mhz"] = int(frequency) / 1000
        return state


class X86(HostProcessor):
    """Intel and AMD processors."""

    machines = ("x86_64", "amd64", "i386", "i686")


class Arm(HostProcessor):
    """Arm processors."""

    machines = ("aarch64", "arm64", "armv7l", "armv8l")


def processor_name(cpuinfo: Path) -> str:
    """Find the name of the first processor in a file of the form of ``/proc/cpuinfo``.

    Returns:
        The name, or nothing if the file has none.
    """
    for line in _read(cpuinfo).splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model", "Hardware"):
            return " ".join(value.split())
    return ""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""
