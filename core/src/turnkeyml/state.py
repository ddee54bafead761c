"""State: one model's way through a chain, saved after every step."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.artifacts import Artifact, FileRecord
from turnkeyml.cache.atomic import record_of
from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA, BuildDirectory
from turnkeyml.cache.locks import is_locked
from turnkeyml.cache.stats import Stats, plain
from turnkeyml.errors import BuildError, CacheError

if TYPE_CHECKING:
    from turnkeyml.context import RunContext
    from turnkeyml.inputs import Source


class Status(Enum):
    """How far a build or a step has come."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model before any stage has worked on it.

    Args:
        name: The variable's name, or the file's for a file.
        digest: 64 hexadecimal digits over its weights and inputs.
        model_type: As shown in the status, such as ``Pytorch (torch.nn.Module)``.
        class_name: As shown in the status.
        location: Where it is called: file, and line where there is one.
        line: The line, or None.
        parameter_count: Number of parameters.
        parameter_bytes: Their size in bytes.
        input_shapes: Names of inputs to shapes.
        executions: How often it was called with these inputs.
        seconds: What those calls took in the script.
        depth: 0 for a model, more for a module inside one.
        group: Equal for several invocations of one object.
        parent: The group of the model it was called in.
    """

    name: str
    digest: str
    model_type: str
    class_name: str = ""
    location: str = ""
    line: int | None = None
    parameter_count: int | None = None
    parameter_bytes: int | None = None
    input_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    executions: int | None = None
    seconds: float | None = None
    depth: int = 0
    group: int = 0
    parent: int | None = None

    @property
    def short_hash(self) -> str:
        """The digits that users see and type."""
        return self.digest[:8]


@dataclass(frozen=True)
class StepOutcome:
    """How a step ended.

    Args:
        status: ``SUCCESSFUL``, ``FAILED`` or ``INTERRUPTED``.
        seconds: Wall time.
        error: What went wrong, in one sentence.
        traceback: Where, if it was no error that the tool reported itself.
    """

    status: Status
    seconds: float
    error: str | None = None
    traceback: str | None = None


class State:
    """One model on its way through a chain.

    Tools use ``input``, ``input_file()``, ``newest()``, ``add()``, ``folder()`` and ``stats``. The
    status is the chain's to set.
    """

    def __init__(
        self,
        build: BuildDirectory,
        source: Source,
        model: ModelInfo,
        context: RunContext,
        *,
        labels: Mapping[str, tuple[str, ...]] | None = None,
        selected: bool = True,
    ) -> None:
        self.build = build
        self.source = source
        self.model = model
        self.context = context
        self.labels = dict(labels or {})
        self.selected = selected
        self.status = Status.NOT_STARTED
        self.failed_step: str | None = None
        self.error: str | None = None
        self.failed_log: Path | None = None
        self.artifacts: list[Artifact] = []
        self.shown_results: list[str] = []
        self.stats = Stats(build)
        self._steps: list[str] = []
        self._step = ""
        self._consumes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The build's name."""
        return self.build.name

    @property
    def input(self) -> Artifact:
        """The newest artifact among the kinds that the running step takes.

        Raises:
            BuildError: There is none, because a tool did not make what it promised.
        """
        return self.newest(*self._consumes)

    @property
    def results(self) -> Artifact:
        """The newest artifact of all.

        Raises:
            BuildError: There is none yet.
        """
        if not self.artifacts:
            raise BuildError(f"{self.name} has no artifact yet.")
        return self.artifacts[-1]

    def newest(self, *kinds: str) -> Artifact:
        """Give the newest artifact of one of these kinds.

        Raises:
            BuildError: There is none.
        """
        for artifact in reversed(self.artifacts):
            if artifact.kind in kinds:
                return artifact
        raise BuildError(f"{self.name} has no artifact of kind {' or '.join(kinds)}.")

    def has(self, *kinds: str) -> bool:
        """Tell whether there is an artifact of one of these kinds."""
        return any(artifact.kind in kinds for artifact in self.artifacts)

    def has_built(self) -> bool:
        """Tell whether a step after the first has run."""
        return len(self._steps) > 1

    def input_file(self) -> Path:
        """Give the file to open of the input."""
        return self.file_of(self.input)

    def file_of(self, artifact: Artifact) -> Path:
        """Give the file to open of an artifact.

        Raises:
            BuildError: It is a live object.
        """
        if not artifact.files:
            raise BuildError(f"The {artifact.kind} of {self.name} is no file.")
        return self.build.path / artifact.files[0].path

    def folder(self, name: str) -> Path:
        """Make and give a folder of the build directory."""
        return self.build.folder(name)

    def file_name(self, suffix: str) -> str:
        """Give a file name for what the running step makes, one that no other step uses."""
        tool, _, identity = self._step.rpartition("-")
        return f"{tool}-{identity}{suffix}"

    def add(
        self,
        kind: str,
        files: Iterable[Path | FileRecord] = (),
        *,
        live: Any = None,
        live_digest: str = "",
        info: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Hand over what the running step made.

        Args:
            kind: Its kind.
            files: What it consists of, inside the build directory; the first is the one to open.
            live: The object, for an artifact that lives in memory.
            live_digest: What that object is, as text that is the same in every process.
            info: Facts for later steps and reports; JSON-like values.
        """
        records = tuple(
            f if isinstance(f, FileRecord) else record_of(f, self.build.path) for f in files
        )
        artifact = Artifact(kind, self._step, records, plain(info or {}), live, live_digest)
        self.artifacts.append(artifact)
        return artifact

    def begin_step(self, tool: str, identity: str, consumes: tuple[str, ...]) -> None:
        """Say which step is running; called by the chain."""
        self._step = f"{tool}-{identity}"
        self._consumes = consumes
        self._steps.append(self._step)
        self.status = Status.RUNNING

    def save(self) -> None:
        """Write the state and the statistics; the caller has the build's lock."""
        self.stats.model.update(_model_facts(self))
        self.stats.write()
        write_document(self.build.state_file, STATE_SCHEMA, self._document())

    def _document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status.value,
            "failed_step": self.failed_step,
            "error": self.error,
            "turnkey_version": metadata.version("turnkeyml-core"),
            "saved_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "process": os.getpid(),
            "input": str(self.source.path),
            "labels": {key: list(values) for key, values in self.labels.items()},
            "model": _model_facts(self),
            "steps": list(self._steps),
            "artifacts": [a.to_json() for a in self.artifacts if a.is_file],
        }


def _model_facts(state: State) -> dict[str, Any]:
    model = state.model
    return {
        "name": model.name,
        "hash": model.digest,
        "type": model.model_type,
        "class": model.class_name,
        "location": model.location,
        "line": model.line,
        "parameters": model.parameter_count,
        "parameter_bytes": model.parameter_bytes,
        "input_shapes": {name: list(shape) for name, shape in model.input_shapes.items()},
        "executions": model.executions,
        "depth": model.depth,
    }


@dataclass(frozen=True)
class SavedState:
    """What a state file says.

    Args:
        build: Where it was read; a cache may have been moved since it was written.
        status: ``INTERRUPTED`` if it says "running" but nobody holds the build's lock.
        content: The whole document.
        artifacts: Those that are files.
    """

    build: BuildDirectory
    status: Status
    content: Mapping[str, Any]
    artifacts: tuple[Artifact, ...]


def load_state(build: BuildDirectory) -> SavedState:
    """Read a build's state file, which may come from anywhere.

    Raises:
        CacheError: It is missing, damaged, or from a newer turnkey.
    """
    content = read_document(build.state_file, STATE_SCHEMA)
    try:
        status = Status(content.get("status"))
        artifacts = tuple(Artifact.from_json(item) for item in content.get("artifacts") or [])
    except (ValueError, TypeError) as error:
        raise CacheError(f"{build.state_file} is malformed: {error}.") from error
    if status is Status.RUNNING and not is_locked(build.cache, build.name):
        status = Status.INTERRUPTED
    return SavedState(build, status, content, artifacts)
