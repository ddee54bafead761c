"""The processor's name, as its maker or its board gives it."""

from __future__ import annotations

from pathlib import Path

from turnkeyml_plugin_x86.arm_parts import core_name
from turnkeyml_plugin_x86.files import cpuinfo_blocks, read_text

_VIRTUAL_VENDORS = ("QEMU", "Xen", "VMware", "innotek", "To be filled", "Default")
"""Vendors of machines that say nothing about the processor."""


def x86_name(root: Path) -> str:
    """Name the processor by what it says itself; nothing if the system does not tell.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    for block in cpuinfo_blocks(read_text(root / "proc/cpuinfo")):
        if "model name" in block:
            return block["model name"]
    return ""


def arm_name(root: Path) -> str:
    """Name the kinds of cores, and the board; nothing if the system does not tell.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    blocks = cpuinfo_blocks(read_text(root / "proc/cpuinfo"))
    names = (core_name(b.get("CPU implementer", ""), b.get("CPU part", "")) for b in blocks)
    cores = " + ".join(dict.fromkeys(name for name in names if name))
    board = _board(root) or _first(blocks, "Model") or _first(blocks, "Hardware")
    if cores and board:
        return f"{cores} ({board})"
    return cores or board or _first(blocks, "model name")


def _board(root: Path) -> str:
    for place in ("proc/device-tree/model", "sys/firmware/devicetree/base/model"):
        found = read_text(root / place)
        if found:
            return found
    folder = root / "sys/devices/virtual/dmi/id"
    vendor, product = read_text(folder / "sys_vendor"), read_text(folder / "product_name")
    if not product or vendor.startswith(_VIRTUAL_VENDORS):
        return ""
    return product if product.startswith(vendor) else f"{vendor} {product}"


def _first(blocks: list[dict[str, str]], key: str) -> str:
    return next((block[key] for block in blocks if key in block), "")
