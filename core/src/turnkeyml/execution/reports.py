"""What became of an input and of each model in it, as plain data that any process can read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.cache.layout import BuildDirectory
from turnkeyml.cache.stats import plain
from turnkeyml.execution.json_values import (
    entries,
    flag,
    items,
    mapping,
    maybe,
    number,
    only,
    text,
    whole,
)
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Failure, Status
from turnkeyml.state import ModelInfo

if TYPE_CHECKING:
    from turnkeyml.errors import TurnkeyError
    from turnkeyml.execution.job import JobResult
    from turnkeyml.state import State

_TEXTS = ("name", "digest", "model_type", "class_name", "location")
_COUNTS = ("line", "parameter_count", "parameter_bytes", "executions", "parent")


@dataclass(frozen=True)
class ModelReport:
    """How one model fared.

    Args:
        build: Its build.
        model: What is known of it.
        selected: Whether it was to go through the chain.
        status: How its way through the chain ended.
        has_built: Whether a step after the first has run.
        failures: The steps that failed.
        skipped: Why it was left out, if it was.
        findings: What listeners want to be seen: a word to a sentence.
        results: What benchmarks measured, as in the statistics.
    """

    build: BuildDirectory
    model: ModelInfo
    selected: bool
    status: Status
    has_built: bool = False
    failures: tuple[Failure, ...] = ()
    skipped: str = ""
    findings: Mapping[str, str] = field(default_factory=dict)
    results: tuple[Mapping[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """The build's name."""
        return self.build.name

    @property
    def failed(self) -> bool:
        """Whether something of it went wrong."""
        return self.selected and not self.status.is_good

    @classmethod
    def of(cls, state: State) -> ModelReport:
        """Say how a model fared, from its state."""
        return cls(
            state.build,
            state.model,
            state.selected,
            state.status,
            state.has_built(),
            tuple(state.failures),
            state.skipped,
            dict(state.findings),
            tuple(state.stats.results[key] for key in state.shown_results),
        )

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "build": self.build.name,
            "cache": str(self.build.cache),
            "model": plain(dataclasses.asdict(self.model)),
            "selected": self.selected,
            "status": self.status.value,
            "has_built": self.has_built,
            "failures": [
                {
                    "step": f.step,
                    "error": f.error,
                    "log": None if f.log is None else str(f.log),
                    "traceback": f.traceback,
                }
                for f in self.failures
            ],
            "skipped": self.skipped,
            "findings": dict(self.findings),
            "results": [plain(result) for result in self.results],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelReport:
        """Read back what `to_json` gave.

        Raises:
            MALFORMED: It is something else.
        """
        return cls(
            BuildDirectory(Path(text(data["cache"])), _folder_name(data["build"])),
            _model_from_json(data["model"]),
            flag(data["selected"]),
            Status(data["status"]),
            flag(data["has_built"]),
            items(_failure_from_json, data["failures"]),
            text(data["skipped"]),
            entries(text, data["findings"]),
            items(mapping, data["results"]),
        )

    def moved_to(self, cache: Path) -> ModelReport:
        """Say the same of a build whose cache is now elsewhere."""
        failures = tuple(
            replace(f, log=_moved(f.log, self.build.cache, cache)) for f in self.failures
        )
        build = BuildDirectory(cache, self.build.name)
        return replace(self, build=build, failures=failures)


def _model_from_json(data: Mapping[str, Any]) -> ModelInfo:
    only(data, (field.name for field in dataclasses.fields(ModelInfo)))
    plain_ones: dict[str, Any] = {name: text(data[name]) for name in _TEXTS}
    plain_ones |= {name: maybe(whole, data[name]) for name in _COUNTS}
    return ModelInfo(
        **plain_ones,
        input_shapes=entries(partial(items, whole), data["input_shapes"]),
        seconds=maybe(number, data["seconds"]),
        depth=whole(data["depth"]),
        group=whole(data["group"]),
    )


def _failure_from_json(data: Mapping[str, Any]) -> Failure:
    return Failure(
        text(data["step"]),
        text(data["error"]),
        maybe(_path, data["log"]),
        maybe(text, data["traceback"]),
    )


def _path(value: object) -> Path:
    return Path(text(value))


def _folder_name(value: object) -> str:
    name = text(value)
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is no build")
    return name


def _moved(path: Path | None, before: Path, now: Path) -> Path | None:
    return (
        path if path is None or not path.is_relative_to(before) else now / path.relative_to(before)
    )


@dataclass(frozen=True)
class JobError:
    """Why an input itself failed.

    Args:
        message: What happened, in one sentence.
        hint: What to do about it.
        ending: How its process ended, where it did not end by itself: a value of `Ending`.
    """

    message: str
    hint: str | None = None
    ending: str | None = None

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} {self.hint}"

    @classmethod
    def of(cls, error: TurnkeyError) -> JobError:
        """Take message and hint of an exception."""
        return cls(error.message, error.hint)


@dataclass(frozen=True)
class JobReport:
    """What became of one input.

    Args:
        source: The input.
        models: One for each model found.
        error: Why the input itself failed, if it did; models found before went on all the same.
        notes: Sentences for the user.
        log: What the input's own code printed.
    """

    source: Source
    models: tuple[ModelReport, ...] = ()
    error: JobError | None = None
    notes: tuple[str, ...] = ()
    log: Path | None = None

    @property
    def failed(self) -> bool:
        """Whether anything of it went wrong."""
        return self.error is not None or any(model.failed for model in self.models)

    @classmethod
    def of(cls, job: JobResult) -> JobReport:
        """Say what became of an input, from what its run gave."""
        error = None if job.error is None else JobError.of(job.error)
        models = tuple(ModelReport.of(state) for state in job.states)
        return cls(job.source, models, error, job.notes, job.log)

    def with_models(self, known: Mapping[str, ModelReport]) -> JobReport:
        """Take the place of models by what is known of builds of the same name."""
        return replace(self, models=tuple(known.get(m.name, m) for m in self.models))

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "source": self.source.to_json(),
            "models": [model.to_json() for model in self.models],
            "error": None if self.error is None else dataclasses.asdict(self.error),
            "notes": list(self.notes),
            "log": None if self.log is None else str(self.log),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JobReport:
        """Read back what `to_json` gave.

        Raises:
            MALFORMED: It is something else.
        """
        return cls(
            Source.from_json(data["source"]),
            items(ModelReport.from_json, data["models"]),
            maybe(_error_from_json, data["error"]),
            items(text, data["notes"]),
            maybe(_path, data["log"]),
        )

    def moved_to(self, cache: Path, before: Path) -> JobReport:
        """Say the same of an input whose builds and logs are now elsewhere.

        Args:
            cache: Where they are.
            before: Where they were.
        """
        models = tuple(model.moved_to(cache) for model in self.models)
        return replace(self, models=models, log=_moved(self.log, before, cache))


def _error_from_json(data: Mapping[str, Any]) -> JobError:
    return JobError(text(data["message"]), maybe(text, data["hint"]), maybe(text, data["ending"]))
