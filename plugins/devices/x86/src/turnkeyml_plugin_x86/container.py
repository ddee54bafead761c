"""What control groups leave of the machine: a quota of processor time, a limit of memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from turnkeyml_plugin_x86.files import read_int, read_text

_ROOT = Path("sys/fs/cgroup")


def cpu_quota(root: Path) -> float | None:
    """Give the processor time that is left, in cores; None: as much as there is.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    found = []
    for group in _groups(root, "cpu"):
        quota, _, period = read_text(group / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit() and int(period):
            found.append(int(quota) / int(period))
        old_quota = read_int(group / "cpu.cfs_quota_us")
        old_period = read_int(group / "cpu.cfs_period_us")
        if old_quota is not None and old_quota > 0 and old_period:
            found.append(old_quota / old_period)
    return round(min(found), 3) if found else None


def memory_limit(root: Path, total: int | None) -> int | None:
    """Give the limit of memory in bytes; None: as much as there is.

    Args:
        root: Where ``proc`` and ``sys`` are.
        total: The machine's memory in bytes, if it is known; what is above it limits nothing.
    """
    found = []
    for group in _groups(root, "memory"):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            limit = read_int(group / name)
            if limit is not None and (total is None or limit < total):
                found.append(limit)
    return min(found) if found else None


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Give the control groups of this process and all above them, both kinds of hierarchies."""
    for line in read_text(root / "proc/self/cgroup").splitlines():
        _, controllers, inside = (line.split(":", 2) + ["", ""])[:3]
        if not controllers:
            mounts = [root / _ROOT, root / _ROOT / "unified"]
        elif controller in controllers.split(","):
            mounts = [root / _ROOT / controller, root / _ROOT / controllers]
        else:
            continue
        path = PurePosixPath(inside.lstrip("/"))
        if ".." in path.parts:
            path = PurePosixPath()
        for mount in mounts:
            # In a container the path may be the host's; the mount itself is the container's then.
            for part in (path, *path.parents):
                yield mount / part
