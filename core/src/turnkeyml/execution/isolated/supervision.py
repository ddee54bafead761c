"""Watches over one job: what it may use, how it ends, and that nothing is left of it."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from turnkeyml.execution.isolated.endings import (
    Watched,
    end_of,
    memory_end,
    output_end,
    timeout_end,
)
from turnkeyml.execution.isolated.logs import Logs, shorten
from turnkeyml.execution.isolated.memory import MemoryMeter
from turnkeyml.execution.isolated.messages import JobOrder
from turnkeyml.execution.isolated.processes import Descendants, kill_descendants
from turnkeyml.execution.isolated.system import OutOfMemoryKills
from turnkeyml.execution.job_folder import REPORT
from turnkeyml.executor import JobEnd

_LOOK_S = 0.25
"""Looking costs a benchmark on the same machine something; this is a thousandth of a core."""
_LOOK_WITH_LIMIT_S = 0.1
"""Memory can be taken quickly."""
_FIRST_LOOK_S = 0.05
_WAIT_WITHOUT_PIDFD_S = 0.02
_OTHERS_LEAVING_S = 0.5
_LEAVING_S = 10.0
"""What a process may take to end after it has left its report."""


@dataclass(frozen=True)
class Supervised:
    """What came of watching.

    Args:
        end: How the job ended.
        immortal: Processes of it that cannot be killed.
        is_abandoned: Whether the command that wanted it is gone.
    """

    end: JobEnd
    immortal: list[int] = field(default_factory=list)
    is_abandoned: bool = False


class Supervision:
    """Watches over a job from its first moment to its last.

    Args:
        order: The job.
        pid: Its process, a child of this one.
        output: A descriptor of its output file.
        command: A descriptor that can be read when the command is gone.
        cache_dir: Logs are in it.
        is_fork: Whether the process is a fork, and did not become another program.
        oom_before: The kernel's counters when it began.
    """

    def __init__(
        self,
        order: JobOrder,
        pid: int,
        output: int,
        *,
        command: int,
        cache_dir: str,
        is_fork: bool,
        oom_before: OutOfMemoryKills,
    ) -> None:
        self._order = order
        self._pid = pid
        self._output = output
        self._command = command
        self._is_fork = is_fork
        self._oom_before = oom_before
        self._parent = os.getppid()
        self._begun = time.monotonic()
        self._report = Path(order.folder, REPORT)
        self._reported: float | None = None
        self._descendants = Descendants(os.getpid())
        self._memory = MemoryMeter()
        self._logs = Logs(pid, output, cache_dir)
        self._status: int | None = None
        self._peak = 0

    def watch(self) -> Supervised:
        """Wait until the job has ended, or end it; afterwards nothing of it is left."""
        killed_for: JobEnd | None = None
        abandoned = False
        waiting = _Waiting(self._pid, self._command)
        try:
            # Many a job has ended before it is worth a look.
            waiting.wait(min(_FIRST_LOOK_S, self._pause()))
            while self._reap() and self._status is None:
                killed_for = self._excess()
                abandoned = waiting.is_abandoned or os.getppid() != self._parent
                if killed_for is not None or abandoned or self._lingers():
                    break
                waiting.wait(self._pause())
        finally:
            waiting.close()
        if killed_for is None and not abandoned:
            self._let_others_leave()
        longest, size = self._logs.longest()
        immortal = kill_descendants(os.getpid(), self._reap)
        if size > self._order.output_limit_bytes:
            # It may have ended by itself before anybody looked.
            killed_for = killed_for or output_end(longest, self._order.output_limit_bytes)
            shorten(longest)
        end = end_of(
            Watched(
                Path(self._order.folder),
                self._output,
                Path(self._order.output_file),
                self._status,
                killed_for,
                self._peak or None,
                self._oom_before,
            )
        )
        return Supervised(end, immortal, abandoned)

    def _let_others_leave(self) -> None:
        """Wait a moment for what a job that has ended by itself has left.

        Those who clean up after it, such as Python's tracker of shared memory, only begin then.
        """
        deadline = time.monotonic() + _OTHERS_LEAVING_S
        while self._status is not None and self._reap() and time.monotonic() < deadline:
            time.sleep(_WAIT_WITHOUT_PIDFD_S)

    def _excess(self) -> JobEnd | None:
        """Say what the job has used too much of, if anything."""
        limit_s, limit_bytes = self._order.timeout_s, self._order.memory_bytes
        if limit_s is not None and time.monotonic() - self._begun >= limit_s:
            return timeout_end(limit_s)
        used = self._memory.measure(self._descendants.find(), self._peak, limit_bytes)
        self._peak = max(self._peak, used)
        if limit_bytes is not None and used > limit_bytes:
            return memory_end(used, limit_bytes)
        path, size = self._logs.longest()
        if size > self._order.output_limit_bytes:
            return output_end(path, self._order.output_limit_bytes)
        return None

    def _lingers(self) -> bool:
        """Tell whether it is done for long, and yet does not end."""
        if self._reported is None and self._report.exists():
            self._reported = time.monotonic()
        return self._reported is not None and time.monotonic() - self._reported > _LEAVING_S

    def _pause(self) -> float:
        pause = _LOOK_S if self._order.memory_bytes is None else _LOOK_WITH_LIMIT_S
        if self._order.timeout_s is not None:
            left = self._begun + self._order.timeout_s - time.monotonic()
            pause = min(pause, max(left, 0.001))
        return pause

    def _reap(self) -> bool:
        """Take note of children that have ended; tell whether any is left."""
        with suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return True
                if pid == self._pid:
                    self._status = status
                    if self._is_fork:
                        # The kernel saw what came between two looks. (In kilobytes on Linux.)
                        self._peak = max(self._peak, usage.ru_maxrss * 1024)
        return False


class _Waiting:
    """Waits for the end of a process, the end of the command, or some time."""

    def __init__(self, pid: int, command: int) -> None:
        self._poll = select.poll()
        self._poll.register(command, select.POLLIN)
        self._command = command
        self._pidfd: int | None = None
        with suppress(AttributeError, OSError):
            self._pidfd = os.pidfd_open(pid)
            self._poll.register(self._pidfd, select.POLLIN)
        self.is_abandoned = False

    def wait(self, seconds: float) -> None:
        """Wait, and find out whether the command is gone: it says nothing while a job runs."""
        if self._pidfd is None:
            seconds = min(seconds, _WAIT_WITHOUT_PIDFD_S)
        for number, _ in self._poll.poll(seconds * 1000):
            self.is_abandoned = self.is_abandoned or number == self._command

    def close(self) -> None:
        """Give back what the system lent."""
        if self._pidfd is not None:
            os.close(self._pidfd)
