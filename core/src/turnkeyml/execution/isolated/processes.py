"""The processes of this machine: who descends from whom, and their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

IS_LINUX = sys.platform == "linux"

Reap = Callable[[], bool]

_PROC = "/proc"
_STATE, _PARENT, _GROUP = 0, 1, 2
"""Fields of a process's ``stat`` after its name."""
_STAT_BYTES = 512
_PS = ("ps", "-axo", "pid=,ppid=,pgid=,rss=")

_KILLING_S = 10.0
"""What is still there after so long cannot be killed: it waits in the kernel, or is not ours."""
_PAUSE_S = 0.002
_QUIET_LOOKS, _QUIET_PAUSE_S = 5, 0.02


@dataclass(frozen=True)
class Process:
    """A process as it was when it was looked at.

    Args:
        pid: Its number.
        parent: That of its parent.
        group: That of its process group.
        resident_bytes: Its memory, where the system says it in the same breath.
    """

    pid: int
    parent: int
    group: int
    resident_bytes: int | None = None


class Descendants:
    """Finds the descendants of a process, and remembers who is none, because looking has a price.

    Who descends from the process does so for ever: it adopts those whose parents end.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._strangers: set[int] = set()

    def find(self) -> list[Process]:
        """Give all that are there now."""
        if not IS_LINUX:
            table = _table_of_ps()
            return [table[pid] for pid in _below(self._root, table)[0]]
        numbers = _numbers()
        self._strangers &= numbers
        table = _table(numbers - self._strangers - {self._root})
        found, self._strangers = _below(self._root, table, self._strangers)
        return [table[pid] for pid in found]


def _below(
    root: int, table: dict[int, Process], strangers: Collection[int] = ()
) -> tuple[list[int], set[int]]:
    """Tell the descendants of a process from the others.

    One whose parent ended while the table was made is neither: it has been adopted meanwhile.
    """
    below: dict[int, bool | None] = {root: True, **dict.fromkeys(strangers, False)}
    for start in table:
        way, pid = [], start
        while pid not in below and pid in table:
            way.append(pid)
            pid = table[pid].parent
        verdict = below.get(pid, False if pid == 0 else None)
        below.update(dict.fromkeys(way, verdict))
    found = [pid for pid in table if below[pid] and pid != root]
    return found, {pid for pid, verdict in below.items() if verdict is False}


def _numbers() -> set[int]:
    return {int(name) for name in os.listdir(_PROC) if name.isdigit()}  # noqa: PTH208


def _table(numbers: Iterable[int]) -> dict[int, Process]:
    found = {}
    for pid in numbers:
        fields = _stat(pid)
        if fields is not None:
            found[pid] = Process(pid, int(fields[_PARENT]), int(fields[_GROUP]))
    return found


def _stat(pid: int) -> list[bytes] | None:
    """Read the fields of a process after its name, which may have blanks and parentheses."""
    text = read_start(f"{_PROC}/{pid}/stat", _STAT_BYTES)
    fields = text.rpartition(b")")[2].split()
    return fields if len(fields) > _GROUP else None


def read_start(path: str, size: int) -> bytes:
    """Read the beginning of a file of the kernel; empty if the process has ended."""
    try:
        number = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(number, size)
    except OSError:
        return b""
    finally:
        os.close(number)


def _table_of_ps() -> dict[int, Process]:
    """Ask the program that every Unix has."""
    done = subprocess.run(_PS, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    found = {}
    for line in done.stdout.splitlines():
        pid, parent, group, kilobytes = map(int, line.split())
        found[pid] = Process(pid, parent, group, kilobytes * 1024)
    return found


def is_stopped(pid: int) -> bool:
    """Tell whether a signal has stopped a process, so that it does nothing until it may go on."""
    fields = _stat(pid) if IS_LINUX else None
    return fields is not None and fields[_STATE] == b"T"


def kill_descendants(root: int, reap: Reap) -> list[int]:
    """Kill all descendants of this process, also those that go on starting others.

    Args:
        root: This process.
        reap: Takes note of children that have ended, and tells whether any is left.

    Returns:
        Those that cannot be killed.
    """
    deadline = time.monotonic() + _KILLING_S
    while reap():
        # A fresh look each time: what was remembered could be wrong, and nobody may slip through.
        found = Descendants(root).find()
        if time.monotonic() > deadline:
            return [process.pid for process in found]
        _kill(found, os.getpgrp())
        time.sleep(_PAUSE_S)
    return []


def _kill(processes: Collection[Process], own_group: int) -> None:
    # A group is killed in one go, so that those in it cannot hop away by forking. All members of
    # a group have one session, and so descend from the job, unless it is our own.
    for group in {process.group for process in processes} - {own_group}:
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    for process in processes:
        with suppress(OSError):
            os.kill(process.pid, signal.SIGKILL)


def kill_marked(mark: str) -> None:
    """Kill all processes that were started with an environment variable of this name.

    For those whose supervisor is gone, so that nobody knows any more from whom they descend.
    """
    needle = f"{mark}=".encode()
    deadline = time.monotonic() + _KILLING_S
    quiet = 0
    # Several times: one may have started another while they were being looked through, and for a
    # moment one that becomes another program has no variables.
    while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
        found = [pid for pid in _numbers() if _has_variable(pid, needle)] if IS_LINUX else []
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        quiet = 0 if found else quiet + 1
        time.sleep(_QUIET_PAUSE_S if quiet else _PAUSE_S)


def _has_variable(pid: int, needle: bytes) -> bool:
    try:
        text = Path(_PROC, str(pid), "environ").read_bytes()
    except OSError:
        return False
    return text.startswith(needle) or b"\0" + needle in text
