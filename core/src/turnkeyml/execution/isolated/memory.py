"""What memory the processes of a job have, as far as that can be known without harm to them."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping

from turnkeyml.execution.isolated.processes import Process, read_start

_PAGE = os.sysconf("SC_PAGE_SIZE")
_STATM_BYTES = 512
_SMAPS_BYTES = 1 << 12
_LEFT_ALONE, _LEFT_ALONE_IN_GROWTH = 50, 10
"""So many times as long as the kernel took to say what is shared, it is not asked again: it takes
some 10 ms for a process of 1 to 3 GB, and processes that want memory wait meanwhile."""
_LEFT_ALONE_AT_MOST_S = 5.0
_GROWTH = 1.05


class MemoryMeter:
    """Tells what memory the processes of a job have together.

    What several of them share counts once. How much that is, the kernel is asked only now and
    then, and whenever it decides whether a limit is kept; in between, each process is taken to
    share what it shared last. A peak of less than a few tenths of a second may go unseen.
    """

    def __init__(self) -> None:
        self._shared: dict[int, int] = {}
        self._asked = self._took = 0.0

    def measure(
        self, processes: Collection[Process], known_peak: int, limit: int | None = None
    ) -> int:
        """Give the resident memory of processes in bytes.

        Args:
            processes: Which.
            known_peak: The most that was seen so far. Up to there the sum of all is given, shared
                or not, because it is no new peak either way; more than that only if it is so.
            limit: What they may have.
        """
        resident = {process.pid: _resident(process) for process in processes}
        total = sum(resident.values())
        if len(resident) < 2 or total <= known_peak:
            return total
        likely = total - sum(min(self._shared.get(pid, 0), size) for pid, size in resident.items())
        if (limit is None or likely <= limit) and not self._is_time(likely, known_peak):
            return min(likely, known_peak)
        return self._ask(processes, resident)

    def _is_time(self, likely: int, known_peak: int) -> bool:
        """Tell whether the kernel may be asked: sooner if there seems to be something new."""
        times = _LEFT_ALONE_IN_GROWTH if likely > _GROWTH * known_peak else _LEFT_ALONE
        pause = min(times * self._took, _LEFT_ALONE_AT_MOST_S)
        return time.monotonic() - self._asked >= pause

    def _ask(self, processes: Collection[Process], resident: Mapping[int, int]) -> int:
        start = time.monotonic()
        shares = {process.pid: _share(process) for process in processes}
        self._asked = time.monotonic()
        self._took = self._asked - start
        self._shared = {pid: max(size - shares[pid], 0) for pid, size in resident.items()}
        return sum(shares.values())


def _resident(process: Process) -> int:
    if process.resident_bytes is not None:
        return process.resident_bytes
    fields = read_start(f"/proc/{process.pid}/statm", _STATM_BYTES).split()
    return int(fields[1]) * _PAGE if len(fields) > 1 else 0


def _share(process: Process) -> int:
    """Give a process's proportional share of the memory that it has with others."""
    for line in read_start(f"/proc/{process.pid}/smaps_rollup", _SMAPS_BYTES).splitlines():
        name, _, value = line.partition(b":")
        if name == b"Pss":
            return int(value.split()[0]) * 1024
    return _resident(process)
