"""How many cores there are, how they belong together, and which of them this process may use."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from turnkeyml_plugin_x86.container import cpu_quota
from turnkeyml_plugin_x86.files import cpuinfo_blocks, cpus_from_text, read_int, read_text

_CPUS = Path("sys/devices/system/cpu")


@dataclass(frozen=True)
class Cores:
    """What a processor has and what of it a process gets.

    Args:
        cores: Logical ones that are online.
        physical_cores: Those that do not share one core with another.
        packages: Sockets.
        affinity_cores: Logical ones that this process may run on.
        quota_cores: What the container's quota amounts to; None: it has none.
        usable_cores: The smaller of the two.
        smt: Whether one core runs several threads.
        numa_nodes: Groups of cores with memory of their own.
        numa_nodes_used: Those that this process may run on.
    """

    cores: int
    physical_cores: int | None
    packages: int | None
    affinity_cores: int
    quota_cores: float | None
    usable_cores: float
    smt: bool | None
    numa_nodes: int | None
    numa_nodes_used: int | None


def usable_cpus() -> frozenset[int]:
    """Give the numbers of the logical processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def read_cores(root: Path, usable: frozenset[int]) -> Cores:
    """Read the cores.

    Args:
        root: Where ``proc`` and ``sys`` are.
        usable: As `usable_cpus` gives them.
    """
    online = cpus_from_text(read_text(root / _CPUS / "online")) or usable
    places = _places(root, online)
    physical = len(set(places.values())) or None
    nodes = _nodes(root)
    quota = cpu_quota(root)
    return Cores(
        cores=len(online),
        physical_cores=physical,
        packages=len({package for package, _ in places.values()}) or None,
        affinity_cores=len(usable),
        quota_cores=quota,
        usable_cores=len(usable) if quota is None else min(len(usable), quota),
        smt=_smt(root, len(places), physical),
        numa_nodes=len(nodes) or None,
        numa_nodes_used=sum(bool(node & usable) for node in nodes) or None,
    )


def _places(root: Path, online: frozenset[int]) -> dict[int, tuple[int, str]]:
    """Give each logical processor's package and core."""
    found = {}
    for cpu in online:
        folder = root / _CPUS / f"cpu{cpu}/topology"
        package, core = read_int(folder / "physical_package_id"), read_text(folder / "core_id")
        # Cores of different dies or clusters may have the same number.
        siblings = read_text(folder / "core_cpus_list") or read_text(
            folder / "thread_siblings_list"
        )
        if core and package is not None:
            found[cpu] = (package, siblings or core)
    if found:
        return found
    for block in cpuinfo_blocks(read_text(root / "proc/cpuinfo")):
        with suppress(KeyError, ValueError):
            found[int(block["processor"])] = (int(block["physical id"]), block["core id"])
    return found


def _smt(root: Path, logical: int, physical: int | None) -> bool | None:
    active = read_int(root / _CPUS / "smt/active")
    if active is not None:
        return bool(active)
    return logical > physical if physical else None


def _nodes(root: Path) -> list[frozenset[int]]:
    folders = (root / "sys/devices/system/node").glob("node[0-9]*")
    return [cpus_from_text(read_text(folder / "cpulist")) for folder in folders]
