"""How fast the cores run: base, current, largest; and who decides it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from turnkeyml_plugin_x86.files import cpuinfo_blocks, read_int, read_text

_CPUS = Path("sys/devices/system/cpu")
_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "x86_pkg_temp", "cpu-thermal")


@dataclass(frozen=True)
class Frequency:
    """The clocks of the cores that a process may use; None where the system does not tell.

    Args:
        frequency_mhz: Now, the mean of the cores.
        slowest_core_mhz: Now, of the slowest.
        base_frequency_mhz: What the maker promises for all cores under load.
        max_frequency_mhz: The largest that the system allows.
        governor: What chooses the frequency, such as ``performance``; several are joined.
        energy_preference: What it is told to prefer.
        frequency_driver: What sets it.
        turbo: Whether frequencies above the base are allowed.
        temperature_c: Of the hottest sensor of the processor.
    """

    frequency_mhz: float | None
    slowest_core_mhz: float | None
    base_frequency_mhz: float | None
    max_frequency_mhz: float | None
    governor: str | None
    energy_preference: str | None
    frequency_driver: str | None
    turbo: bool | None
    temperature_c: float | None


def read_frequency(root: Path, usable: frozenset[int]) -> Frequency:
    """Read the clocks.

    Args:
        root: Where ``proc`` and ``sys`` are.
        usable: The logical processors that count.
    """
    folders = [root / _CPUS / f"cpu{cpu}/cpufreq" for cpu in sorted(usable)]
    now = _now(root, folders, usable)
    return Frequency(
        frequency_mhz=round(statistics.fmean(now), 1) if now else None,
        slowest_core_mhz=round(min(now), 1) if now else None,
        base_frequency_mhz=_base(root, folders),
        max_frequency_mhz=max(_mhz(folders, "cpuinfo_max_freq"), default=None),
        governor=_words(folders, "scaling_governor"),
        energy_preference=_words(folders, "energy_performance_preference"),
        frequency_driver=_words(folders, "scaling_driver"),
        turbo=_turbo(root),
        temperature_c=max(_temperatures(root), default=None),
    )


def _now(root: Path, folders: list[Path], usable: frozenset[int]) -> list[float]:
    found = _mhz(folders, "scaling_cur_freq")
    if found:
        return found
    for block in cpuinfo_blocks(read_text(root / "proc/cpuinfo")):
        try:
            if int(block["processor"]) in usable:
                found.append(float(block["cpu MHz"]))
        except (KeyError, ValueError):
            continue
    return found


def _base(root: Path, folders: list[Path]) -> float | None:
    found = _mhz(folders, "base_frequency")
    if found:
        return max(found)
    nominal = [read_int(folder.parent / "acpi_cppc/nominal_freq") for folder in folders]
    return max((float(mhz) for mhz in nominal if mhz), default=None)


def _mhz(folders: list[Path], name: str) -> list[float]:
    found = (read_int(folder / name) for folder in folders)
    return [khz / 1000 for khz in found if khz]


def _words(folders: list[Path], name: str) -> str | None:
    return ", ".join(sorted({read_text(folder / name) for folder in folders} - {""})) or None


def _turbo(root: Path) -> bool | None:
    off = read_int(root / _CPUS / "intel_pstate/no_turbo")
    if off is not None:
        return not off
    boost = read_int(root / _CPUS / "cpufreq/boost")
    return None if boost is None else bool(boost)


def _temperatures(root: Path) -> Iterator[float]:
    sensors = [
        *((zone / "type", zone, "temp") for zone in (root / "sys/class/thermal").glob("thermal_*")),
        *((chip / "name", chip, "temp*_input") for chip in (root / "sys/class/hwmon").glob("*")),
    ]
    for kind, folder, names in sensors:
        if read_text(kind).startswith(_SENSORS):
            for path in folder.glob(names):
                thousandths = read_int(path)
                if thousandths is not None:
                    yield thousandths / 1000
