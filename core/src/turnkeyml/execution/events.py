"""What happens in a job, told as it happens: to the console here, or to whoever reads a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.cache.atomic import append
from turnkeyml.execution.json_values import MALFORMED, flag, items, maybe, number, text, whole
from turnkeyml.execution.reports import ModelReport
from turnkeyml.outcomes import Status, StepOutcome
from turnkeyml.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from turnkeyml.inputs import Source
    from turnkeyml.plan import PlannedStep
    from turnkeyml.state import State


EVENTS = "events.jsonl"
"""The file of a job's folder that its events are written to."""


class What(Enum):
    """What happened."""

    JOB_STARTED = "job_started"
    MODELS_FOUND = "models_found"
    STEP_STARTED = "step_started"
    STEP_FINISHED = "step_finished"
    MODEL_FINISHED = "model_finished"
    JOB_FINISHED = "job_finished"


@dataclass(frozen=True)
class StepEvent:
    """The step that an event is about.

    Args:
        number: Its place in the chain, from 1.
        name: Its tool.
        occurrence: How often the tool has come up to here, from 1.
        identity: As in the plan.
        build: The build that it works on; None for the step that starts the chain.
        model: The name and hash of the model, as shown.
    """

    number: int
    name: str
    occurrence: int
    identity: str
    build: str | None = None
    model: str = ""


@dataclass(frozen=True)
class JobEvent:
    """One thing that happened.

    Args:
        what: In one word.
        step: The step, of events that are about one.
        outcome: How it ended.
        models: Those that were found, or the one that has ended.
    """

    what: What
    step: StepEvent | None = None
    outcome: StepOutcome | None = None
    models: tuple[ModelReport, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        data: dict[str, Any] = {"what": self.what.value}
        if self.step is not None:
            data["step"] = vars(self.step)
        if self.outcome is not None:
            outcome = self.outcome
            data["outcome"] = {
                "status": outcome.status.value,
                "seconds": outcome.seconds,
                "error": outcome.error,
                "reused": outcome.reused,
            }
        if self.models:
            data["models"] = [model.to_json() for model in self.models]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JobEvent:
        """Read back what `to_json` gave.

        Raises:
            MALFORMED: It is something else.
        """
        return cls(
            What(data["what"]),
            maybe(_step_from_json, data.get("step")),
            maybe(_outcome_from_json, data.get("outcome")),
            items(ModelReport.from_json, data.get("models", [])),
        )


def _step_from_json(data: Mapping[str, Any]) -> StepEvent:
    return StepEvent(
        whole(data["number"]),
        text(data["name"]),
        whole(data["occurrence"]),
        text(data["identity"]),
        maybe(text, data["build"]),
        text(data["model"]),
    )


def _outcome_from_json(data: Mapping[str, Any]) -> StepOutcome:
    return StepOutcome(
        Status(data["status"]),
        number(data["seconds"]),
        maybe(text, data["error"]),
        reused=flag(data["reused"]),
    )


Tell = Callable[[JobEvent], None]


class EventListener:
    """Listens to the hooks of a job that runs in this process, and tells of them as events."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    @hookimpl
    def turnkey_job_started(self, source: Source) -> None:
        """Tell that the work has begun."""
        self._tell(JobEvent(What.JOB_STARTED))

    @hookimpl
    def turnkey_models_found(self, source: Source, states: Sequence[State]) -> None:
        """Tell which models there are."""
        models = tuple(ModelReport.of(state) for state in states)
        self._tell(JobEvent(What.MODELS_FOUND, models=models))

    @hookimpl
    def turnkey_step_started(self, state: State | None, source: Source, step: PlannedStep) -> None:
        """Tell which step runs on which model."""
        self._tell(JobEvent(What.STEP_STARTED, _step_event(state, step)))

    @hookimpl
    def turnkey_step_finished(
        self, state: State | None, source: Source, step: PlannedStep, outcome: StepOutcome
    ) -> None:
        """Tell how it ended."""
        self._tell(JobEvent(What.STEP_FINISHED, _step_event(state, step), outcome))

    @hookimpl
    def turnkey_build_finished(self, state: State) -> None:
        """Tell how a model fared."""
        self._tell(JobEvent(What.MODEL_FINISHED, models=(ModelReport.of(state),)))

    @hookimpl
    def turnkey_job_finished(self, source: Source) -> None:
        """Tell that all has ended."""
        self._tell(JobEvent(What.JOB_FINISHED))


def _step_event(state: State | None, step: PlannedStep) -> StepEvent:
    model = "" if state is None else f"{state.model.name} {state.model.short_hash}"
    build = None if state is None else state.name
    return StepEvent(step.number, step.name, step.occurrence, step.identity, build, model)


class EventFile:
    """Writes events into a file, a line each, for a reader who follows it meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tell(self, event: JobEvent) -> None:
        """Add an event. The file is opened each time, since scripts may close what is open.

        On a full disk, or when a script has deleted the folder, the event is lost; the job goes on.
        """
        # A line that was cut off by a full disk does not spoil the next one.
        line = b"\n" + json.dumps(event.to_json()).encode() + b"\n"
        with suppress(OSError):
            append(self._path, line)


class EventReader:
    """Reads what is added to a file of events; a line that is not whole yet waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[JobEvent]:
        """Give the events that were added since the last time; what is none is left out."""
        if not self._path.is_file():
            return []
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                added = file.read()
        except OSError:
            return []
        whole, newline, _ = added.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        return [event for event in map(_parse, whole.splitlines()) if event is not None]


def _parse(line: bytes) -> JobEvent | None:
    try:
        return JobEvent.from_json(json.loads(line))
    except MALFORMED:
        return None
