"""Jobs, events and reports that were never run, for tests of what is done with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from turnkeyml.cache.layout import BuildDirectory
from turnkeyml.execution.events import JobEvent, StepEvent, What
from turnkeyml.execution.reports import JobReport, ModelReport
from turnkeyml.executor import JobSpec
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Failure, Status, StepOutcome
from turnkeyml.request import GlobalOptions, RunRequest
from turnkeyml.sequence import Step
from turnkeyml.state import ModelInfo


def job_of(name: str = "a.toy", folder: Path = Path("/nowhere"), **more: Any) -> JobSpec:
    """Make a job of an input that need not be there."""
    request = RunRequest(GlobalOptions(), [Step("find"), Step("compile")], title="find compile")
    source = Source(Path("/x", name))
    return JobSpec(**{"key": name, "folder": folder, "source": source, "request": request} | more)


def model_of(name: str, status: Status = Status.SUCCESSFUL, **more: Any) -> ModelReport:
    """Make a report of a model, whose build has its name."""
    build = BuildDirectory(more.pop("cache", Path("/cache")), name)
    info = ModelInfo(name, f"{len(name):064x}", "Toy")
    return ModelReport(**{"build": build, "model": info, "selected": True, "status": status} | more)


def failed_model(name: str, step: str = "compile", error: str = "no") -> ModelReport:
    """Make a report of a model of which a step failed."""
    return model_of(name, Status.FAILED, failures=(Failure(step, error),))


def report_of(*models: ModelReport, name: str = "a.toy", **more: Any) -> JobReport:
    """Make a report of an input."""
    return JobReport(Source(Path("/x", name)), models, **more)


def found(*models: ModelReport) -> JobEvent:
    """These models were found."""
    return JobEvent(What.MODELS_FOUND, models=models)


def step_of(tool: str, number: int, build: str | None = None) -> StepEvent:
    """Make a step of a chain."""
    shown = "" if build is None else f"{build} 12345678"
    return StepEvent(number, tool, 1, f"{number}", build, shown)


def started(tool: str, number: int, build: str | None = None) -> JobEvent:
    """A step has begun."""
    return JobEvent(What.STEP_STARTED, step_of(tool, number, build))


def finished(
    tool: str, number: int, build: str | None = None, outcome: StepOutcome | None = None
) -> JobEvent:
    """A step has ended, well unless it is said otherwise."""
    good = StepOutcome(Status.SUCCESSFUL, 1.25)
    return JobEvent(What.STEP_FINISHED, step_of(tool, number, build), outcome or good)


def done(model: ModelReport) -> JobEvent:
    """A model has come to its end."""
    return JobEvent(What.MODEL_FINISHED, models=(model,))
