"""Which CPU a file is for that ONNX Runtime lays out for one."""

from __future__ import annotations

import platform
from pathlib import Path

# The widths that ONNX Runtime chooses the blocks of its layout by, widest first.
_WIDTHS = ("avx512f", "avx")
_CPU_INFO = Path("/proc/cpuinfo")


def cpu_kind(cpu_info: Path = _CPU_INFO) -> str:
    """Name this machine's CPU by what decides the layout, such as ``x86_64-avx512f``.

    Args:
        cpu_info: The kernel's description of the CPUs; where there is none, the architecture alone
            is the name.
    """
    machine = platform.machine() or "unknown"
    try:
        text = cpu_info.read_text("utf-8", "replace")
    except OSError:
        return machine
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    width = next((name for name in _WIDTHS if name in flags), None)
    return f"{machine}-{width}" if width else machine
