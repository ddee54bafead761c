"""Run jobs with the executor `isolated`, as a command would: started with a file of JSON.

``sources`` (paths), ``steps``, ``folder`` (where everything goes), ``arguments`` (of the executor),
``timeout_s``, ``memory_bytes``, ``jobs``, ``close_after`` (close the generator when so many jobs
have begun). Prints a line of JSON for each event, and one with ``waits``: the longest time
without any, in seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from threading import Event
from typing import Any

from turnkeyml.errors import TurnkeyError
from turnkeyml.execution.isolated.executor import IsolatedExecutor
from turnkeyml.execution.job_folder import read_report, write_job
from turnkeyml.execution.job_process import plan_for
from turnkeyml.executor import Ended, ExecutorSetup, JobSpec, Limits, Started
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import load_registry
from turnkeyml.request import GlobalOptions, RunRequest


class ListQueue:
    """Jobs in order, written down when they are taken."""

    def __init__(self, jobs: list[JobSpec]) -> None:
        self._jobs = jobs

    def take(self) -> JobSpec | None:
        if not self._jobs:
            return None
        job = self._jobs.pop(0)
        write_job(job)
        return job

    def __len__(self) -> int:
        return len(self._jobs)


def say(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def say_event(event: Started | Ended) -> None:
    name = event.job.source.path.name
    if isinstance(event, Started):
        say(started=name)
        return
    end = event.end
    try:
        report = read_report(event.job.folder)
    except TurnkeyError:
        report = None
    say(
        ended=name,
        key=event.job.key,
        ending=end.ending.value,
        message=end.message,
        hint=end.hint,
        peak=end.peak_memory_bytes,
        failed=None if report is None else report.failed,
        error=None if report is None or report.error is None else report.error.message,
    )


def main() -> None:
    order = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    folder = Path(order["folder"])
    registry = load_registry()
    request = RunRequest(GlobalOptions(cache_dir=folder / "cache"), order["steps"])
    limits = Limits(order.get("timeout_s"), order.get("memory_bytes"))
    sources = [Source(Path(path)) for path in order["sources"]]
    jobs = [
        JobSpec(f"{n}", folder / "cache" / f"job {n}", source, request, limits)
        for n, source in enumerate(sources)
    ]
    plans = {s.suffix: plan_for(request, s.suffix, registry) for s in sources}
    setup = ExecutorSetup(
        registry, plans, folder / "cache", folder / "cache" / "run", order.get("jobs")
    )
    executor = IsolatedExecutor(**order.get("arguments", {}))
    executor.check(setup)
    events = executor.run(ListQueue(jobs), setup, Event())
    begun, longest, before = 0, 0.0, time.monotonic()
    try:
        for event in events:
            longest = max(longest, time.monotonic() - before)
            if event is not None:
                say_event(event)
            begun += isinstance(event, Started)
            if begun == order.get("close_after"):
                break
            before = time.monotonic()
    except TurnkeyError as error:
        say(failed=str(error))
    start = time.monotonic()
    events.close()
    say(waits=longest, closing=time.monotonic() - start)


if __name__ == "__main__":
    main()
