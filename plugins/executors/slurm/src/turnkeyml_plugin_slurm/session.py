"""The jobs of one command on a cluster, from the first submission to the last result."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from itertools import groupby
from typing import TypeVar

from turnkeyml.errors import UsageError
from turnkeyml.execution.job_folder import write_job
from turnkeyml.executor import (
    Ended,
    Ending,
    ExecutorSetup,
    JobEnd,
    JobQueue,
    JobSpec,
    Limits,
    Started,
    Stopping,
)
from turnkeyml_plugin_slurm.background import Background, pause
from turnkeyml_plugin_slurm.earlier import EarlierJobs
from turnkeyml_plugin_slurm.observer import Observer, SlurmSilentError
from turnkeyml_plugin_slurm.probing import Probe
from turnkeyml_plugin_slurm.settings import SCRIPT, Settings
from turnkeyml_plugin_slurm.slurm import (
    Slurm,
    SlurmAwayError,
    SlurmFullError,
    SlurmRefusedError,
)
from turnkeyml_plugin_slurm.states import is_alive
from turnkeyml_plugin_slurm.submission import Entry, Submission, earlier_submissions
from turnkeyml_plugin_slurm.submitting import refusal, submit_words
from turnkeyml_plugin_slurm.tasks import Finding, Judge, Task
from turnkeyml_plugin_slurm.throttle import Throttle

FOLDER = "slurm"
_MOST_LOST = 1
_CANCEL_LOOK_S = 0.3

T = TypeVar("T")
Events = Generator[Started | Ended | None, None, None]


class Session:
    """Runs the jobs of a queue on a cluster.

    Args:
        slurm: Its commands.
        settings: How the jobs are run.
        queue: The jobs that wait.
        setup: What the command says of itself.
        stopping: Whether the user wants the command to end.
    """

    def __init__(
        self,
        slurm: Slurm,
        settings: Settings,
        queue: JobQueue,
        setup: ExecutorSetup,
        stopping: Stopping,
    ) -> None:
        self._slurm = slurm
        self._settings = settings
        self._patience = settings.patience
        self._queue = queue
        self._setup = setup
        self._stopping = stopping
        self._root = setup.folder / FOLDER
        self._background = Background()
        self._observer = Observer(slurm, self._background, self._patience)
        self._judge = Judge(slurm, self._background, self._observer, self._patience)
        self._throttle = Throttle(settings.max_running)
        self._earlier = EarlierJobs()
        self._tasks: list[Task] = []
        self._submissions: dict[str, Submission] = {}
        self._again: deque[JobSpec] = deque()
        self._tries: Counter[tuple[str, Ending]] = Counter()
        self._chunk = settings.chunk
        self._is_ready = False
        self._is_stopped = False
        self._not_before = float("-inf")

    def run(self) -> Events:
        """Run jobs until none waits and none runs.

        Raises:
            UsageError: Slurm takes no such jobs, or its nodes do not see the cache.
            SlurmSilentError: Its controller does not answer any more; jobs that run go on.
        """
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            yield from self._recover()
            while True:
                yield from self._fill()
                yield from self._look()
                if not self._tasks and not self._has_waiting():
                    break
                yield from pause(self._patience.look_s)
            unwanted = [*self._earlier.forget(), *self._submissions.values()]
            for submission in {one.name: one for one in unwanted}.values():
                yield from self._drop(submission)
        except SlurmSilentError:
            raise
        except BaseException:
            self._abandon()
            raise
        finally:
            self._background.close()
            self._slurm.close()

    def _has_waiting(self) -> bool:
        if self._stopping.is_set():
            return bool(self._again)
        return bool(self._again) or len(self._queue) > 0

    def _recover(self) -> Events:
        """Look which jobs of an earlier command still run, or have ended meanwhile."""
        for folder in self._earlier.read(self._root):
            yield from self._drop(Submission(folder, ()))
        names = self._earlier.names
        if not names:
            return
        known = yield from self._insist(lambda: self._slurm.tasks(names))
        self._earlier.compare(known)
        for submission in self._earlier.unclaimed(set()):
            yield from self._drop(submission)

    # Submitting

    def _fill(self) -> Events:
        """Submit what waits, as far as there is room."""
        if self._stopping.is_set():
            yield from self._stop()
            return
        self._throttle.widen(self._tasks, self._slurm, self._background)
        if time.monotonic() < self._not_before:
            return
        fresh: list[JobSpec] = []
        room = self._throttle.room(len(self._tasks), self._chunk)
        while len(fresh) < room and (job := self._next()) is not None:
            yield Started(job)
            if not self._attach(job):
                fresh.append(job)
        for limits, group in groupby(fresh, key=lambda job: job.limits):
            yield from self._submit(list(group), limits)

    def _next(self) -> JobSpec | None:
        return self._again.popleft() if self._again else self._queue.take()

    def _attach(self, job: JobSpec) -> bool:
        """Take up a job that an earlier command has submitted; tell whether there is one."""
        found = self._earlier.claim(job)
        if found is None:
            return False
        submission, index = found
        self._submissions[submission.name] = submission
        self._tasks.append(Task(job, submission, index, time.monotonic()))
        return True

    def _prepare(self, job: JobSpec, limits: Limits) -> Events:
        """Do what is done once, before the first submission."""
        size = yield from self._insist(self._slurm.array_size)
        self._chunk = max(1, min(self._chunk, size))
        if self._settings.probe:
            probe = Probe(self._slurm, self._settings, self._background, self._observer)
            yield from probe.run(job, limits, self._setup.cache_dir, self._root)
        self._is_ready = True

    def _submit(self, jobs: list[JobSpec], limits: Limits) -> Events:
        if not self._is_ready:
            yield from self._prepare(jobs[0], limits)
        rest = jobs[self._chunk :]
        self._again.extend(rest)
        jobs = jobs[: self._chunk]
        for job in jobs:
            write_job(job)
            yield None
        extra = {
            "cache_dir": str(self._setup.cache_dir),
            "output_limit_mb": self._settings.output_limit_mb,
            "watch_s": self._patience.watch_s,
        }
        submission = Submission.write(self._root, [Entry.of(job) for job in jobs], extra)
        self._submissions[submission.name] = submission
        places = self._throttle.for_new(len(self._tasks))
        words = submit_words(submission, self._settings.arguments.of(limits), SCRIPT, places)
        try:
            number = yield from self._background.wait(lambda: self._slurm.submit(words))
        except (SlurmAwayError, SlurmFullError) as error:
            yield from self._take_back(submission, jobs)
            self._bear(error)
            return
        except SlurmRefusedError as error:
            raise refusal(error) from error
        self._observer.heard()
        submission.keep_number(number)
        self._throttle.keep(submission, places)
        now = time.monotonic()
        self._tasks += [Task(job, submission, index, now) for index, job in enumerate(jobs)]

    def _take_back(self, submission: Submission, jobs: Iterable[JobSpec]) -> Events:
        """Put jobs back of which it is not known whether Slurm has them.

        If it has, they find no manifest when they begin, and end at once.
        """
        self._again.extend(jobs)
        self._not_before = time.monotonic() + self._patience.retry_s
        yield from self._drop(submission)

    def _bear(self, error: SlurmAwayError | SlurmFullError) -> None:
        if isinstance(error, SlurmAwayError):
            self._observer.bear_silence(error)
        elif self._tasks or self._chunk > 1:
            self._chunk = max(1, self._chunk // 2)
        else:
            raise UsageError(
                f"Slurm takes no more jobs of yours: {error.message}",
                hint="Wait until others of your jobs have ended, or name another account.",
            ) from error

    # Looking

    def _look(self) -> Events:
        """See which jobs have begun and ended."""
        submissions = {task.submission.name: task.submission for task in self._tasks}
        ended = {name: submission.ended() for name, submission in submissions.items()}
        self._observer.look(submissions)
        for task in list(self._tasks):
            if not task.is_running and task.index in task.submission.started:
                task.is_running = True
                yield Started(task.job, task.where)
            has_left = task.index in ended[task.submission.name]
            finding = yield from self._judge.judge(
                task, has_left=has_left, is_stopped=self._is_stopped
            )
            if finding is not None:
                yield from self._finish(task, finding)
        busy = {task.submission.name for task in self._tasks}
        for name in submissions.keys() - busy:
            if not self._earlier.is_awaited(name):
                yield from self._drop(self._submissions.pop(name))

    def _finish(self, task: Task, finding: Finding) -> Events:
        self._tasks.remove(task)
        if finding.by_itself or not self._has_try_left(task, finding.end.ending):
            yield Ended(task.job, finding.end)
            return
        task.submission.revoke(task.index)
        self._again.append(task.job)
        with suppress(SlurmAwayError, SlurmRefusedError):
            yield from self._background.wait(lambda: self._cancel(task))

    def _has_try_left(self, task: Task, ending: Ending) -> bool:
        """Tell whether a job is begun anew, because it is not to blame."""
        most = {
            Ending.NODE_FAILED: self._settings.requeues,
            Ending.PREEMPTED: self._settings.requeues,
            Ending.LOST: min(_MOST_LOST, self._settings.requeues),
        }.get(ending, 0)
        self._tries[task.job.key, ending] += 1
        return self._tries[task.job.key, ending] <= most

    # Ending

    def _cancel(self, task: Task) -> None:
        name, number = task.submission.name, task.submission.number
        if number is not None:
            self._slurm.cancel([name], task=f"{number}_{task.index}")

    def _stop(self) -> Events:
        """Cancel what has not begun, because the user wants no more of it."""
        while self._again:
            yield Ended(self._again.popleft(), JobEnd(Ending.INTERRUPTED))
        names = {task.submission.name for task in self._tasks}
        if self._is_stopped or not names:
            return
        # If Slurm does not answer, it is tried again with the next look.
        with suppress(SlurmAwayError, SlurmRefusedError):
            yield from self._background.wait(lambda: self._slurm.cancel(names, only_waiting=True))
            self._is_stopped = True

    def _drop(self, submission: Submission) -> Events:
        """Cancel what is left of a submission, and forget it as soon as Slurm knows that."""
        submission.void()
        # Else its jobs find no manifest, and the next command tries again.
        with suppress(SlurmAwayError, SlurmRefusedError):
            yield from self._background.wait(lambda: self._slurm.cancel([submission.name]))
            submission.remove()

    def _insist(self, call: Callable[[], T]) -> Generator[None, None, T]:
        """Make a call until it is answered."""
        while True:
            try:
                answer = yield from self._background.wait(call)
            except SlurmAwayError as error:
                self._observer.bear_silence(error)
                yield from pause(self._patience.retry_s)
            else:
                self._observer.heard()
                return answer

    def _abandon(self) -> None:
        """End all jobs of this command, and wait until they have ended.

        If Slurm cannot be told, they end all the same, as they find that nobody wants them.
        """
        submissions, given_up = earlier_submissions(self._root)
        for submission in submissions:
            submission.void()
        folders = [*(submission.folder for submission in submissions), *given_up]
        names = [folder.name for folder in folders]
        until = time.monotonic() + self._patience.cancel_s
        # What is being submitted now can only be cancelled afterwards.
        self._background.drain(self._patience.cancel_s)
        while names and time.monotonic() < until:
            with suppress(SlurmAwayError, SlurmRefusedError):
                self._slurm.cancel(names)
                states = self._slurm.tasks(names)
                if not any(is_alive(state) for state in states.values()):
                    for folder in folders:
                        Submission(folder, ()).remove()
                    return
            time.sleep(_CANCEL_LOOK_S)
