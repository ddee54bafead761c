"""A job that was handed to Slurm, and how it is found out what became of it."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from turnkeyml.errors import UsageError
from turnkeyml.execution.isolated.messages import end_from_json
from turnkeyml.execution.reports import JobReport
from turnkeyml.executor import Ending, JobEnd, JobSpec
from turnkeyml_plugin_slurm.slurm import REST, Slurm, SlurmAwayError, TaskState
from turnkeyml_plugin_slurm.states import (
    cancelled_end,
    end_from_state,
    hopeless_reason,
    is_alive,
    lost_end,
)

if TYPE_CHECKING:
    from turnkeyml_plugin_slurm.background import Background
    from turnkeyml_plugin_slurm.observer import Observer
    from turnkeyml_plugin_slurm.settings import Patience
    from turnkeyml_plugin_slurm.submission import Submission

_ASK = {"FAILED", "COMPLETED"}
"""States in which Slurm is asked for all that it knows."""

_PERHAPS_SLURM = {Ending.LOST, Ending.CRASHED, Ending.EXITED}
"""How a job ends whose processes Slurm signalled: all of them, one after the other, so that those
of the job may be dead before the one that watches over them knows why."""


@dataclass
class Task:
    """A job that was handed to Slurm.

    Args:
        job: The job.
        submission: Of which array it is a task.
        index: Which one.
        since: When it was submitted.
        is_running: Whether somebody was told that it runs.
        said_at: When it was read that it has ended, where Slurm is to say why.
        said: How it ended if Slurm knows nothing of it; None if somebody else ended it.
        gone_at: When Slurm first said that it has ended, or that it does not know it.
    """

    job: JobSpec
    submission: Submission
    index: int
    since: float
    is_running: bool = False
    said_at: float | None = None
    said: JobEnd | None = None
    gone_at: float | None = None

    @property
    def label(self) -> str:
        """What messages call it."""
        number = self.submission.number
        return "The job" if number is None else f"Slurm's job {number}_{self.index}"

    @property
    def where(self) -> str:
        """Where it runs, once it does."""
        started = self.submission.started.get(self.index, {})
        return f"Slurm job {started.get('array_id')}_{self.index} on {started.get('node')}"


@dataclass(frozen=True)
class Finding:
    """How a task ended.

    Args:
        end: As the command is told.
        by_itself: Whether the job said so itself, and not only Slurm.
    """

    end: JobEnd
    by_itself: bool


class Judge:
    """Finds out how tasks ended: from what they left, else from what Slurm says.

    Args:
        slurm: Its commands.
        background: Where they are called.
        observer: What Slurm said last.
        patience: How long is waited for what.
    """

    def __init__(
        self, slurm: Slurm, background: Background, observer: Observer, patience: Patience
    ) -> None:
        self._slurm = slurm
        self._background = background
        self._observer = observer
        self._patience = patience

    def judge(
        self, task: Task, *, has_left: bool, is_stopped: bool
    ) -> Generator[None, None, Finding | None]:
        """Say how a task ended; None if it has not, or if nobody knows yet.

        Args:
            task: The task.
            has_left: Whether it has left a file that says so.
            is_stopped: Whether this command has cancelled what waited.

        Raises:
            UsageError: It will never begin.
            SlurmSilentError: Slurm does not answer any more.
        """
        if has_left and task.said_at is None:
            end = _read_end(task)
            if end is not None and end.ending not in _PERHAPS_SLURM:
                return Finding(end, by_itself=True)
            task.said_at, task.said = time.monotonic(), end
        if self._observer.taken_at <= task.since:
            return None
        return (yield from self._ask(task, is_stopped=is_stopped))

    def _ask(self, task: Task, *, is_stopped: bool) -> Generator[None, None, Finding | None]:
        """Let Slurm say what became of a task, if it has ended."""
        state = self._last_of(task)
        if state is not None and is_alive(state):
            task.gone_at = None
            refuse_hopeless(state)
            waited_s = 0.0 if task.said_at is None else time.monotonic() - task.said_at
            return _as_it_said(task) if waited_s > self._patience.completed_s else None
        if task.gone_at is None:
            task.gone_at = self._observer.taken_at
        is_ours = is_stopped and not task.is_running
        is_ours = is_ours and (state is None or state.state == "CANCELLED")
        if not is_ours and self._observer.taken_at - task.gone_at < self._wait_s(task, state):
            return None
        if task.said_at is None and (state is None or state.state in _ASK):
            try:
                state = (yield from self._explained(task)) or state
            except SlurmAwayError as error:
                self._observer.bear_silence(error)
                return None
            if task.index in task.submission.ended() or (state is not None and is_alive(state)):
                # It came while Slurm was asked.
                return None
        if is_ours:
            return Finding(JobEnd(Ending.INTERRUPTED), by_itself=False)
        if task.said_at is not None and (state is None or state.state in _ASK):
            return _as_it_said(task)
        if state is None:
            end = cancelled_end(task.label) if self._is_missing(task) else lost_end(task.label)
            return Finding(end, by_itself=False)
        end = end_from_state(state, task.label, has_begun=task.is_running)
        return Finding(end, by_itself=False)

    def _last_of(self, task: Task) -> TaskState | None:
        states, name = self._observer.states, task.submission.name
        state = states.get((name, task.index))
        return states.get((name, REST)) if state is None and not task.is_running else state

    def _is_missing(self, task: Task) -> bool:
        """Tell whether Slurm knows other tasks of an array, and not this one, which has not begun.

        It forgets at once what is cancelled before it has begun.
        """
        name = task.submission.name
        return not task.is_running and any(known == name for known, _ in self._observer.states)

    def _explained(self, task: Task) -> Generator[None, None, TaskState | None]:
        name, number, index = task.submission.name, task.submission.number or 0, task.index
        return (yield from self._background.wait(lambda: self._slurm.explain(name, number, index)))

    def _wait_s(self, task: Task, state: TaskState | None) -> float:
        """Say how long what a task left may take to be seen here."""
        if task.said_at is not None:
            return 0.0
        if state is None:
            is_missing = self._is_missing(task)
            return self._patience.settle_s if is_missing else self._patience.lost_s
        is_well = state.state == "COMPLETED"
        return self._patience.completed_s if is_well else self._patience.settle_s


def _read_end(task: Task) -> JobEnd | None:
    """Read how a task said that it ended; None if it only said that somebody else wanted it to."""
    try:
        content = task.submission.end(task.index)
        if content.get("signalled"):
            return None
        end = end_from_json(content["end"])
        report = content.get("report")
        found = None if report is None else JobReport.from_json(report)
        return JobEnd(end.ending, end.message, end.hint, end.peak_memory_bytes, found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return JobEnd(Ending.LOST, f"What {task.label} left cannot be read: {error!r}.")


def _as_it_said(task: Task) -> Finding:
    """Believe what a task said, as Slurm has nothing to add."""
    return Finding(task.said or cancelled_end(task.label), by_itself=True)


def refuse_hopeless(state: TaskState) -> None:
    """See that a job may begin some day.

    Raises:
        UsageError: It waits for what will not come.
    """
    hint = hopeless_reason(state)
    if hint is not None:
        raise UsageError(f"Slurm will never begin the jobs ({state.reason}).", hint=hint)
