"""What Linux offers to those who watch over other processes; elsewhere none of it has an effect."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.execution.isolated.processes import IS_LINUX

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_OOM_SCORE = Path("/proc/self/oom_score_adj")
_PREFERRED_VICTIM = "500"
"""As if it had half of the machine's memory more than it has."""
_CGROUP = Path("/sys/fs/cgroup")
_VMSTAT = Path("/proc/vmstat")
_OWN_GROUPS = Path("/proc/self/cgroup")


class Process:
    """Settings of the calling process. Made before a fork, since it loads a library."""

    def __init__(self) -> None:
        self._prctl: Any = ctypes.CDLL(None).prctl if IS_LINUX else None

    def adopt_orphans(self) -> None:
        """Become the parent of all descendants whose own parents end."""
        if self._prctl is not None:
            self._prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def die_with_parent(self, parent: int, signal: int) -> bool:
        """Get a signal when the parent ends; tell whether it is still there."""
        if self._prctl is not None:
            self._prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0)
        return os.getppid() == parent


def prefer_as_victim() -> None:
    """Let the kernel end this process, and not its parents, where memory runs out."""
    with suppress(OSError):
        _OOM_SCORE.write_text(_PREFERRED_VICTIM, "ascii")


@dataclass(frozen=True)
class OutOfMemoryKills:
    """How many processes the kernel has ended because memory ran out.

    Args:
        here: In the group of processes that has a limit together with this one.
        anywhere: On the machine.
    """

    here: int = 0
    anywhere: int = 0

    @classmethod
    def count(cls) -> OutOfMemoryKills:
        """Read the kernel's counters."""
        if not IS_LINUX:
            return cls()
        return cls(_counter(_group_files()), _counter([_VMSTAT]))


def _group_files() -> list[Path]:
    """Name the files of this process's control groups, of either version, that have a counter."""
    files = []
    with suppress(OSError):
        for line in _OWN_GROUPS.read_text("utf-8", "replace").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                folders = [_CGROUP, _CGROUP / "unified"]
                name = "memory.events"
            elif "memory" in controllers.split(","):
                folders, name = [_CGROUP / "memory"], "memory.oom_control"
            else:
                continue
            # In a container the path may be that of the host, and its own group the root.
            files += [folder / path.lstrip("/") / name for folder in folders]
            files += [folder / name for folder in folders]
    return files


def _counter(files: Iterable[Path]) -> int:
    for file in files:
        with suppress(OSError, ValueError):
            values: Mapping[str, str] = dict(
                line.split(maxsplit=1) for line in file.read_text("ascii", "replace").splitlines()
            )
            if "oom_kill" in values:
                return int(values["oom_kill"])
    return 0
