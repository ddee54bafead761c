"""Put the thread that calls a model onto a core that no other thread of its process needs.

Standard library only, and nothing of turnkey: worker processes load this file by its path. A
runtime's threads spin while they wait for work. Where the caller shares a core with one of them,
each call takes twice as long, and the system often needs a second to move one of the two.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Set
from contextlib import suppress
from pathlib import Path

_TASKS = Path("/proc/self/task")
_CPUS = Path("/sys/devices/system/cpu")
_STATE, _LAST_CPU = 0, 36
"""Fields of a thread's ``stat`` after its name."""


def place_caller() -> bool:
    """Move the calling thread to a core of its own; tell whether it had to be moved.

    From cores to which other threads are pinned it stays away from now on. From one on which
    another thread happens to be, it is moved once. Called while the runtime's threads are awake.
    """
    if not hasattr(os, "sched_setaffinity"):
        return False
    caller = threading.get_native_id()
    others = _threads() - {caller}
    moved = _leave_pinned(caller, others)
    running = _running(others | {caller})
    here = running.pop(caller, None)
    taken = set(running.values())
    if here not in taken:
        return moved
    allowed = os.sched_getaffinity(caller)
    free = allowed - taken
    if not free:
        return moved
    alone = {cpu for cpu in free if not _siblings(cpu) & taken}
    os.sched_setaffinity(caller, {min(alone or free)})
    os.sched_setaffinity(caller, allowed)
    return True


def caller_cores() -> list[int]:
    """Give the cores on which the calling thread may run; none where that is not known."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _leave_pinned(caller: int, others: Set[int]) -> bool:
    allowed = os.sched_getaffinity(caller)
    pinned: set[int] = set()
    for thread in others:
        # A thread may end at any time.
        with suppress(OSError):
            cores = os.sched_getaffinity(thread)
            if cores < allowed:
                pinned |= cores
    if not pinned & allowed or not allowed - pinned:
        return False
    os.sched_setaffinity(caller, allowed - pinned)
    return True


def _threads() -> set[int]:
    with suppress(OSError):
        return {int(path.name) for path in _TASKS.iterdir()}
    return set()


def _running(threads: Set[int]) -> dict[int, int]:
    """Give the cores of those threads that run or want to."""
    found = {}
    for thread in threads:
        with suppress(OSError, ValueError, IndexError):
            words = (_TASKS / str(thread) / "stat").read_text("ascii", "replace")
            fields = words.rpartition(")")[2].split()
            if fields[_STATE] == "R":
                found[thread] = int(fields[_LAST_CPU])
    return found


def _siblings(cpu: int) -> set[int]:
    """Give the logical processors that share a core with one, itself among them."""
    found = {cpu}
    with suppress(OSError, ValueError):
        text = (_CPUS / f"cpu{cpu}/topology/thread_siblings_list").read_text("ascii")
        for part in text.strip().split(","):
            first, _, last = part.partition("-")
            found |= set(range(int(first), int(last or first) + 1))
    return found
