"""How much memory this process needed for one step."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_RESET_PEAK = "5"
_OWN = Path("/proc/self")


def reset_peak() -> None:
    """Start counting anew; without effect where the system does not offer it."""
    with suppress(OSError):
        (_OWN / "clear_refs").write_text(_RESET_PEAK, "ascii")


def peak_bytes() -> int | None:
    """Give the most memory that was resident since `reset_peak`; None where it is not known."""
    try:
        lines = (_OWN / "status").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * 1024
    return None
