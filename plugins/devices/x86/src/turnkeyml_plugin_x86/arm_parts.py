"""Names of Arm cores by the numbers that they identify themselves with."""

from __future__ import annotations

from collections.abc import Mapping

PARTS: Mapping[int, Mapping[int, str]] = {
    # Arm
    0x41: {
        0xB76: "ARM1176",
        0xC07: "Cortex-A7",
        0xC08: "Cortex-A8",
        0xC09: "Cortex-A9",
        0xC0E: "Cortex-A17",
        0xC0F: "Cortex-A15",
        0xD01: "Cortex-A32",
        0xD03: "Cortex-A53",
        0xD04: "Cortex-A35",
        0xD05: "Cortex-A55",
        0xD07: "Cortex-A57",
        0xD08: "Cortex-A72",
        0xD09: "Cortex-A73",
        0xD0A: "Cortex-A75",
        0xD0B: "Cortex-A76",
        0xD0C: "Neoverse-N1",
        0xD0D: "Cortex-A77",
        0xD0E: "Cortex-A76AE",
        0xD40: "Neoverse-V1",
        0xD41: "Cortex-A78",
        0xD42: "Cortex-A78AE",
        0xD44: "Cortex-X1",
        0xD46: "Cortex-A510",
        0xD47: "Cortex-A710",
        0xD48: "Cortex-X2",
        0xD49: "Neoverse-N2",
        0xD4A: "Neoverse-E1",
        0xD4B: "Cortex-A78C",
        0xD4C: "Cortex-X1C",
        0xD4D: "Cortex-A715",
        0xD4E: "Cortex-X3",
        0xD4F: "Neoverse-V2",
    },
    # Cavium
    0x43: {0x0A1: "ThunderX", 0x0AF: "ThunderX2"},
    # Fujitsu
    0x46: {0x001: "A64FX"},
    # HiSilicon
    0x48: {0xD01: "Kunpeng-920"},
    # NVIDIA
    0x4E: {0x000: "Denver", 0x003: "Denver 2", 0x004: "Carmel"},
    # Applied Micro
    0x50: {0x000: "X-Gene"},
    # Qualcomm
    0x51: {
        0x800: "Falkor V1/Kryo",
        0x802: "Kryo 3XX Gold",
        0x803: "Kryo 3XX Silver",
        0x804: "Kryo 4XX Gold",
        0x805: "Kryo 4XX Silver",
        0xC00: "Falkor",
    },
    # Apple
    0x61: {
        0x022: "Icestorm (M1)",
        0x023: "Firestorm (M1)",
        0x024: "Icestorm (M1 Pro)",
        0x025: "Firestorm (M1 Pro)",
        0x028: "Icestorm (M1 Max)",
        0x029: "Firestorm (M1 Max)",
        0x032: "Blizzard (M2)",
        0x033: "Avalanche (M2)",
    },
    # Phytium
    0x70: {0x661: "FTC661", 0x662: "FTC662", 0x663: "FTC663"},
    # Ampere
    0xC0: {0xAC3: "Ampere-1", 0xAC4: "Ampere-1a"},
}
"""Implementers to parts to names."""


def core_name(implementer: str, part: str) -> str:
    """Name a core by what ``/proc/cpuinfo`` says; a number that is not known is shown as it is.

    Args:
        implementer: Such as ``0x41``; nothing if it is not given.
        part: Such as ``0xd0c``.
    """
    try:
        return PARTS.get(int(implementer, 16), {}).get(int(part, 16), f"Arm {implementer}:{part}")
    except ValueError:
        return ""
