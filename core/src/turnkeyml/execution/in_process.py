"""The executor `in-process`: one job after the other, in the process of the command itself."""

from __future__ import annotations

from collections.abc import Generator
from typing import ClassVar

from turnkeyml.cache.layout import Cache
from turnkeyml.execution.events import EVENTS, EventFile, JobEvent
from turnkeyml.execution.reports import JobReport
from turnkeyml.execution.telling import run_telling
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


class InProcessExecutor(Executor):
    """Run one input after the other, here. What a script does to its process it does to all."""

    isolates: ClassVar[bool] = False

    def run(
        self, queue: JobQueue, setup: ExecutorSetup, stopping: Stopping
    ) -> Generator[Started | Ended | None, None, None]:
        """Run jobs until none waits."""
        while not stopping.is_set() and (job := queue.take()) is not None:
            yield Started(job)
            yield Ended(job, JobEnd(Ending.REPORTED, report=_run(job, setup)))


def _run(job: JobSpec, setup: ExecutorSetup) -> JobReport:
    file = EventFile(job.folder / EVENTS) if job.folder.is_dir() else None

    def tell(event: JobEvent) -> None:
        if file is not None:
            file.tell(event)
        setup.tell(job, event)

    plan, cache = setup.plans[job.source.suffix], Cache(setup.cache_dir)
    return run_telling(job, plan, setup.registry, cache, tell, takes_turns=False)
