"""An executor whose jobs come to their end as they are told."""

from __future__ import annotations

import os
import signal
import time
import traceback
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import ClassVar

from turnkeyml.errors import UsageError
from turnkeyml.execution.events import EventFile, JobEvent
from turnkeyml.execution.job_folder import write_report
from turnkeyml.execution.job_process import run_folder
from turnkeyml.execution.reports import JobReport
from turnkeyml.executor import (
    Ended,
    Ending,
    Executor,
    ExecutorSetup,
    JobEnd,
    JobQueue,
    JobSpec,
    Started,
    Stopping,
)

DIARY = "puppet.txt"
"""In the folder of the command: a line for each job that was begun."""


class Puppet(Executor):
    """Runs each job in a process that is forked from this one.

    Args:
        ending: What is told of the jobs that are harmed.
        after: They are killed when they have told of so many events; by default they are not.
        of: Harm only the input of this name.
        attempts: Harm only so many attempts at a job.
        leaves: What a harmed job leaves as its report: nothing, or these bytes.
        message: What is said of it.
    """

    def __init__(
        self,
        ending: str = "crashed",
        after: int | None = None,
        of: str = "",
        attempts: int = 1000,
        leaves: str | None = None,
        message: str = "It was a puppet.",
    ) -> None:
        self._end = JobEnd(Ending(ending), message, "Cut the strings.", 12345)
        self._after = after
        self._of = of
        self._attempts = attempts
        self._leaves = leaves

    def check(self, setup: ExecutorSetup) -> None:
        if self._of == "nothing":
            raise UsageError("The puppet has no theatre.", hint="Build one.")

    def run(
        self, queue: JobQueue, setup: ExecutorSetup, stopping: Stopping
    ) -> Generator[Started | Ended | None, None, None]:
        while not stopping.is_set() and (job := queue.take()) is not None:
            with (setup.folder / DIARY).open("a") as diary:
                diary.write(f"{job.title} {job.attempt} {' '.join(job.without)}\n")
            is_harmed = self._of in ("", job.title) and job.attempt <= self._attempts
            yield Started(job)
            child = self._fork(job, setup, is_harmed=is_harmed)
            while os.waitpid(child, os.WNOHANG) == (0, 0):
                time.sleep(0.005)
                yield None
            if is_harmed and self._leaves is not None:
                (job.folder / "report.json").write_bytes(os.fsencode(self._leaves))
            yield Ended(job, self._end if is_harmed else JobEnd(Ending.REPORTED))

    def _fork(self, job: JobSpec, setup: ExecutorSetup, *, is_harmed: bool) -> int:
        with warnings.catch_warnings():
            # Of threads that fork: here they only wait.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child:
            return child
        try:
            if is_harmed and self._after is not None:
                _die_after(self._after)
            run_folder(job.folder, setup.registry)
        except BaseException:  # noqa: BLE001 - it must not return to where it was forked
            traceback.print_exc()
        finally:
            os._exit(0)


def _die_after(count: int) -> None:
    tell, left = EventFile.tell, count

    def counted(self: EventFile, event: JobEvent) -> None:
        nonlocal left
        tell(self, event)
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    EventFile.tell = counted  # type: ignore[method-assign]
    if not count:
        os.kill(os.getpid(), signal.SIGKILL)


class Remembering(Executor):
    """Lets its jobs live on, and gives the reports that it finds when the command comes again."""

    can_reattach: ClassVar[bool] = True

    def run(
        self, queue: JobQueue, setup: ExecutorSetup, stopping: Stopping
    ) -> Generator[Started | Ended | None, None, None]:
        jobs = []
        while (job := queue.take()) is not None:
            yield Started(job, "far away")
            with (setup.folder / DIARY).open("a") as diary:
                diary.write(f"{job.title}\n")
            jobs.append(job)
        if not Path("ready").exists():
            raise KeyboardInterrupt
        for job in jobs:
            write_report(job.folder, JobReport(job.source, notes=("It had lived on.",)))
            yield Ended(job, JobEnd(Ending.REPORTED))
