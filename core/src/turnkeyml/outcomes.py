"""How builds and steps end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Status(Enum):
    """How far a build or a step has come."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    SKIPPED = "skipped"

    @property
    def is_good(self) -> bool:
        """Whether there is nothing to complain about."""
        return self in (Status.SUCCESSFUL, Status.SKIPPED)


@dataclass(frozen=True)
class StepOutcome:
    """How a step ended.

    Args:
        status: ``SUCCESSFUL``, ``FAILED`` or ``INTERRUPTED``.
        seconds: Wall time.
        error: What went wrong, in one sentence.
        traceback: Where, if it was no error that the tool reported itself.
        reused: Whether the step was not run, because an earlier run of it made the same.
    """

    status: Status
    seconds: float
    error: str | None = None
    traceback: str | None = None
    reused: bool = False


@dataclass(frozen=True)
class Failure:
    """A step that failed on a model.

    Args:
        step: Its tool.
        error: Why, in one sentence.
        log: Where more is written, if anywhere.
        traceback: Where it happened, if it was no error that the tool reported itself.
    """

    step: str
    error: str
    log: Path | None = None
    traceback: str | None = None
