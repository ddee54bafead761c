"""The processor that runs turnkey: its name and its state."""

from __future__ import annotations

import platform
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from turnkeyml.device import DeviceInfo
from turnkeyml_plugin_x86.cores import read_cores, usable_cpus
from turnkeyml_plugin_x86.files import cpuinfo_blocks, read_text
from turnkeyml_plugin_x86.frequency import read_frequency
from turnkeyml_plugin_x86.load import read_load
from turnkeyml_plugin_x86.naming import arm_name, x86_name

ROOT = Path("/")
INSTRUCTIONS = (
    "fma", "avx", "avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16",
    "amx_tile", "amx_bf16", "amx_int8", "amx_fp16",
    "asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme",
)  # fmt: skip
"""Instructions that decide how fast a model runs."""


class HostProcessor(DeviceInfo):
    """What `x86` and `arm` have in common."""

    is_host = True
    machines: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def is_present(cls) -> bool:
        """Tell whether this machine is of the family."""
        return platform.machine().lower() in cls.machines

    @classmethod
    @abstractmethod
    def read_name(cls, root: Path) -> str:
        """Find the processor's name below a root folder; nothing if it is not told there."""

    @classmethod
    def full_name(cls) -> str:
        """Give the processor's name as the system reports it."""
        return cls.read_name(ROOT) or platform.processor() or platform.machine()

    @classmethod
    def state(cls) -> Mapping[str, Any]:
        """Give cores, clocks, load, memory and limits; what the system does not tell is absent."""
        return state_of(ROOT, usable_cpus())


class X86(HostProcessor):
    """Intel and AMD processors."""

    machines = ("x86_64", "amd64", "i386", "i686")

    @classmethod
    def read_name(cls, root: Path) -> str:
        """Find the processor's name."""
        return x86_name(root)


class Arm(HostProcessor):
    """Arm processors."""

    machines = ("aarch64", "arm64", "armv6l", "armv7l", "armv8l")

    @classmethod
    def read_name(cls, root: Path) -> str:
        """Find the processor's name."""
        return arm_name(root)


def state_of(root: Path, usable: frozenset[int]) -> dict[str, Any]:
    """Read everything that decides how fast the processor is right now.

    Args:
        root: Where ``proc`` and ``sys`` are.
        usable: The logical processors that this process may run on.

    Returns:
        Values by the names of `Cores`, `Frequency` and `Load`, and ``virtual_machine`` and
        ``instructions``.
    """
    flags = _flags(root)
    found: dict[str, Any] = {
        **asdict(read_cores(root, usable)),
        **asdict(read_frequency(root, usable)),
        **asdict(read_load(root)),
    }
    if "hypervisor" in flags or read_text(root / "sys/hypervisor/type"):
        found["virtual_machine"] = True
    known = [name for name in INSTRUCTIONS if name in flags]
    if known:
        found["instructions"] = known
    return {name: value for name, value in found.items() if value is not None}


def _flags(root: Path) -> frozenset[str]:
    for block in cpuinfo_blocks(read_text(root / "proc/cpuinfo")):
        found = block.get("flags") or block.get("Features")
        if found:
            return frozenset(found.split())
    return frozenset()
