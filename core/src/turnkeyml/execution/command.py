"""Hand the jobs of a command to an executor, and collect what becomes of them."""

from __future__ import annotations

import hashlib
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from turnkeyml.errors import CacheError
from turnkeyml.execution.choosing import Execution
from turnkeyml.execution.deaths import is_death, judge, trace_of
from turnkeyml.execution.events import EVENTS, EventReader
from turnkeyml.execution.job_folder import read_report, write_job
from turnkeyml.execution.journal import Journal
from turnkeyml.execution.reports import JobError, JobReport, ModelReport
from turnkeyml.executor import (
    Ended,
    Ending,
    ExecutorSetup,
    JobEnd,
    JobSpec,
    Started,
    Stopping,
)
from turnkeyml.inputs import Source
from turnkeyml.progress import View
from turnkeyml.request import RunRequest

JOBS = "jobs"


def make_job(source: Source, request: RunRequest, folder: Path, execution: Execution) -> JobSpec:
    """Make the job of an input.

    Args:
        source: The input.
        request: The command.
        folder: The command's own.
        execution: How it is run.
    """
    try:
        stat = source.path.stat()
        version = [stat.st_size, stat.st_mtime_ns]
    except OSError:
        version = []
    parts = [str(source.path), source.hashes, sorted(source.parameters.items()), version]
    key = hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    # Inputs and limits are the job's own.
    options = replace(request.options, input_files=())
    own = replace(request, options=options)
    return JobSpec(key, folder / JOBS / key, source, own, execution.limits)


class WaitingJobs:
    """The jobs that wait.

    Args:
        jobs: In order.
        prepare: Called with each before it is handed out.
    """

    def __init__(self, jobs: Iterable[JobSpec], prepare: Callable[[JobSpec], None]) -> None:
        self._jobs = deque(jobs)
        self._prepare = prepare

    def take(self) -> JobSpec | None:
        """Give the next job, whose folder is ready; None if none waits."""
        if not self._jobs:
            return None
        job = self._jobs.popleft()
        self._prepare(job)
        return job

    def add(self, job: JobSpec) -> None:
        """Put a job at the head, because the user waits for the rest of its input."""
        self._jobs.appendleft(job)

    def __len__(self) -> int:
        return len(self._jobs)


@dataclass(frozen=True)
class Ends:
    """How the jobs of a command have ended.

    Args:
        reports: By key, of all that have ended, in earlier commands too.
        left: How many were not run, because the user stopped the command.
    """

    reports: dict[str, JobReport]
    left: int


@dataclass(frozen=True)
class Telling:
    """Who is told how a command comes along.

    Args:
        view: Shows how far it has come.
        show: Called with the report of each job as it ends.
        warn: Says a sentence to the user.
    """

    view: View
    show: Callable[[JobReport], None]
    warn: Callable[[str], None]


class CommandRun:
    """One command on its way.

    Args:
        execution: How it is run.
        setup: What the executor is told.
        journal: Where it is noted what has ended; None: nothing is noted, and nothing is gone on
            with.
        telling: Who is told of it.
    """

    def __init__(
        self,
        execution: Execution,
        setup: ExecutorSetup,
        journal: Journal | None,
        telling: Telling,
    ) -> None:
        self._execution = execution
        self._journal = journal
        self._telling = telling
        self._view = telling.view
        self._setup = replace(setup, tell=telling.view.tell)
        self._known: dict[str, dict[str, ModelReport]] = {}
        self._readers: dict[str, tuple[JobSpec, EventReader]] = {}
        self._attached: set[str] = set()
        self._total = 0
        self.reports: dict[str, JobReport] = {}

    def run(self, jobs: Sequence[JobSpec], stopping: Stopping) -> Ends:
        """Run all jobs that have not ended yet.

        Raises:
            TurnkeyError: The executor can run no job.
            KeyboardInterrupt: The user stopped the command at once.
        """
        self._total = len(jobs)
        waiting = [again for job in jobs if (again := self._resume(job)) is not None]
        queue = WaitingJobs(waiting, self._prepare)
        with closing(self._execution.executor.run(queue, self._setup, stopping)) as events:
            for event in events:
                self._poll()
                if isinstance(event, Started):
                    self._begin(event)
                elif isinstance(event, Ended):
                    again = self._end(event.job, event.end)
                    if again is not None:
                        queue.add(again)
        left = sum(job.key not in self.reports for job in jobs)
        if not left:
            self._note(Journal.finished)
        return Ends(self.reports, left)

    def _resume(self, job: JobSpec) -> JobSpec | None:
        """Give what is left to do of a job, after what an earlier command has done of it."""
        if self._journal is None:
            return job
        if job.key in self._journal.ended:
            self.reports[job.key] = self._journal.ended[job.key][1]
            return None
        if job.key not in self._journal.begun:
            return job
        known = self._journal.known.get(job.key, {})
        self._known[job.key] = known
        job = replace(job, without=tuple(known), attempt=self._journal.begun[job.key])
        with suppress(CacheError):
            report = read_report(job.folder)
            if report is not None:
                # It had ended, and nobody was there any more to note it.
                self._conclude(job, Ending.REPORTED, report.with_models(known))
                return None
        if self._execution.executor.can_reattach:
            self._attached.add(job.key)
            return job
        ended = trace_of(EventReader(job.folder / EVENTS).read()).ended
        self._known[job.key] = {**known, **ended}
        return replace(job, without=tuple(self._known[job.key]))

    def _prepare(self, job: JobSpec) -> None:
        is_needed = self._execution.executor.isolates
        if job.key in self._attached:
            self._attached.discard(job.key)
            return
        known = self._known.get(job.key, {})
        if known:
            # What is known of an earlier attempt is in its folder until it is noted here.
            self._note(lambda journal: journal.job_begun(job, known))
        if is_needed or self._journal is not None:
            try:
                write_job(job)
            except CacheError as error:
                if is_needed:
                    raise
                self._give_up_noting(error)
        if not known:
            # And what is there of an earlier command must be gone before.
            self._note(lambda journal: journal.job_begun(job, known))

    def _begin(self, event: Started) -> None:
        job = event.job
        self._view.started(job, event.where)
        if self._execution.executor.isolates:
            self._readers[job.key] = (job, EventReader(job.folder / EVENTS))

    def _poll(self) -> None:
        for job, reader in self._readers.values():
            for happened in reader.read():
                self._view.tell(job, happened)

    def _end(self, job: JobSpec, end: JobEnd) -> JobSpec | None:
        """Take in how a job ended; give it again if models of it are left to be run."""
        self._readers.pop(job.key, None)
        if end.ending is Ending.INTERRUPTED:
            return None
        known = self._known.get(job.key, {})
        report, end = _report_of(job, end)
        if report is None and is_death(end):
            verdict = judge(job, end, known)
            if verdict.again is not None:
                self._known[job.key] = dict(verdict.known)
                return verdict.again
            report = verdict.report
        if report is None:
            report = JobReport(job.source, error=JobError(end.message, end.hint, end.ending.value))
        self._conclude(job, end.ending, report.with_models(known))
        return None

    def _conclude(self, job: JobSpec, ending: Ending, report: JobReport) -> None:
        self.reports[job.key] = report
        self._note(lambda journal: journal.job_ended(job, ending, report))
        _tidy(job, ending)
        self._view.ended(job, report)
        self._view.pause()
        self._telling.show(report)
        if len(self.reports) < self._total:
            self._view.resume()

    def _note(self, write: Callable[[Journal], None]) -> None:
        """Write into the journal; a full disk must not end what can still go on."""
        if self._journal is None:
            return
        try:
            write(self._journal)
        except CacheError as error:
            self._give_up_noting(error)

    def _give_up_noting(self, error: CacheError) -> None:
        self._journal = None
        self._telling.warn(f"Warning: {error} What has ended is not noted any more.")


def _report_of(job: JobSpec, end: JobEnd) -> tuple[JobReport | None, JobEnd]:
    """Give the report that a job left, and how it ended if it left none that can be read."""
    if end.report is not None:
        return end.report, end
    try:
        report = read_report(job.folder)
    except CacheError as error:
        return None, JobEnd(Ending.LOST, str(error))
    if report is None and end.ending is Ending.REPORTED:
        return None, JobEnd(Ending.LOST, "It ended without leaving a report.")
    return report, end if report is None else replace(end, ending=Ending.REPORTED)


def _tidy(job: JobSpec, ending: Ending) -> None:
    """Take away a job's folder, unless something in it explains how it ended."""
    with suppress(OSError):
        if ending is not Ending.REPORTED:
            return
        output = job.output_file
        if not output.exists() or not output.stat().st_size:
            shutil.rmtree(job.folder)
