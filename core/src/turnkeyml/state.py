"""State: one model's way through a chain, saved after every step."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.artifacts import Artifact, FileRecord
from turnkeyml.cache.atomic import record_of
from turnkeyml.cache.documents import write_document
from turnkeyml.cache.layout import STATE_SCHEMA, BuildDirectory
from turnkeyml.cache.seals import Seals
from turnkeyml.cache.stats import Stats, plain
from turnkeyml.cache.step_records import StepRecord, referenced_files
from turnkeyml.errors import BuildError, CacheError, NewerSchemaError
from turnkeyml.outcomes import Failure, Status
from turnkeyml.saved_state import load_state

if TYPE_CHECKING:
    from turnkeyml.context import RunContext
    from turnkeyml.inputs import Source


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


class State:
    """One model on its way through a chain.

    Tools use ``input``, ``input_file()``, ``newest()``, ``add()``, ``folder()`` and ``stats``. The
    status is the chain's to set. ``findings`` are what a listener wants to be seen in the status:
    a word to a sentence.
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
        self.origin = source.path
        self.status = Status.NOT_STARTED
        self.failures: list[Failure] = []
        self.skipped = ""
        self.findings: dict[str, str] = {}
        self.artifacts: list[Artifact] = []
        self.earlier: list[Artifact] = []
        self.shown_results: list[str] = []
        self.stats = Stats(build)
        self.records: dict[str, StepRecord] = {}
        self.seals = Seals(build.path)
        self._chain: str | None = None
        self._steps: list[str] = []
        self._before: dict[str, tuple[int, int, int]] = {}
        self._step = ""
        self._consumes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        from turnkeyml.console import printable

        return printable(f"<{self.name}: {self.status.value}>")

    def _repr_html_(self) -> str:
        from turnkeyml.display import facts_table

        return facts_table(
            [
                ("build", self.name),
                ("model", self.model.name),
                ("class", self.model.class_name),
                ("parameters", self.model.parameter_count),
                ("status", self.status.value),
                ("failed", "; ".join(f"{one.step}: {one.error}" for one in self.failures)),
                ("artifacts", ", ".join(artifact.kind for artifact in self.artifacts)),
                ("folder", self.build.path),
            ]
        )

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
        live_key: Mapping[str, str] | None = None,
        info: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Hand over what the running step made.

        Args:
            kind: Its kind.
            files: What it consists of, inside the build directory; the first is the one to open.
            live: The object, for an artifact that lives in memory.
            live_key: What decides what is made of that object; see `Artifact`.
            info: Facts for later steps and reports; JSON-like values.
        """
        records = tuple(
            f if isinstance(f, FileRecord) else record_of(f, self.build.path) for f in files
        )
        artifact = Artifact(kind, self._step, records, plain(info or {}), live, live_key or {})
        self.seals.watch(records)
        self.artifacts.append(artifact)
        return artifact

    def begin_chain(self, identity: str, steps: Sequence[tuple[str, str]]) -> None:
        """Say which chain is about to run; called by the chain.

        Args:
            identity: That of its last step.
            steps: Names and identities of the steps after the first.
        """
        self.status = Status.RUNNING
        self._chain = identity
        names = [f"{tool}-{step}" for tool, step in steps]
        self.stats.chains[identity] = {
            "tools": [tool for tool, _ in steps],
            "steps": [*self._steps, *names],
        }
        # What these very steps made of a loaded build is not what they start from.
        own = set(names)
        cut = next((n for n, a in enumerate(self.artifacts) if a.step in own), None)
        del self.artifacts[len(self.artifacts) if cut is None else cut :]

    def begin_step(self, tool: str, identity: str, consumes: tuple[str, ...]) -> None:
        """Say which step is running; called by the chain."""
        self._step = f"{tool}-{identity}"
        self._consumes = consumes
        self._steps.append(self._step)
        self._before[self._step] = (
            len(self.artifacts),
            len(self.failures),
            len(self.shown_results),
        )
        self.status = Status.RUNNING

    def fail(
        self, step: str, error: str, log: Path | None = None, traceback: str | None = None
    ) -> None:
        """Say that a step failed, and why; called by the chain. The first one counts."""
        self.status = Status.FAILED
        self.failures.append(Failure(step, error, log, traceback))

    @property
    def failed_step(self) -> str | None:
        """The first step that failed."""
        return self.failures[0].step if self.failures else None

    @property
    def error(self) -> str | None:
        """Why it failed."""
        return self.failures[0].error if self.failures else None

    @property
    def failed_log(self) -> Path | None:
        """Its log."""
        return self.failures[0].log if self.failures else None

    def take(self, record: StepRecord) -> None:
        """Take what an earlier run of the running step made; called by the chain."""
        self.artifacts += [replace(a, step=self._step) for a in record.artifacts]

    def rewind(self, step: str) -> None:
        """Forget a step and all after it, because it must be run again; called by the chain."""
        del self._steps[self._steps.index(step) :]
        artifacts, failures, results = self._before[step]
        del self.artifacts[artifacts:], self.failures[failures:], self.shown_results[results:]

    def recall(self) -> None:
        """Read what earlier runs left in the build; the caller has its lock.

        Raises:
            NewerSchemaError: The state file is from a newer turnkey; it is left as it is.
        """
        if not self.build.state_file.exists():
            return
        try:
            saved = load_state(self.build)
        except NewerSchemaError:
            raise
        except CacheError as error:
            self.context.note(f"{error.message} Everything is made again.")
            return
        self.records = {record.key: record for record in saved.records}
        self.earlier = list(saved.artifacts)
        self.seals.learn(saved.content.get("seals"))

    def kept_files(self) -> list[Artifact]:
        """Give the artifacts that are files and that a later command can go on from.

        A chain that only finds the model makes nothing to go on from, so what an earlier one left
        stays the newest there is.
        """
        own = [artifact for artifact in self.artifacts if artifact.is_file]
        if self.has_built():
            return own
        paths = {record.path for artifact in own for record in artifact.files}
        kept = [a for a in self.earlier if paths.isdisjoint(r.path for r in a.files)]
        return [*own, *kept]

    def save(self) -> None:
        """Write the statistics and the state; the caller has the build's lock."""
        self.stats.model.update(_model_facts(self))
        if self._chain is not None:
            self.stats.chains[self._chain]["status"] = self.status.value
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
            "input": str(self.origin),
            "labels": {key: list(values) for key, values in self.labels.items()},
            "model": _model_facts(self),
            "steps": list(self._steps),
            "artifacts": [artifact.to_json() for artifact in self.kept_files()],
            "records": [record.to_json() for record in self.records.values()],
            "seals": self.seals.to_json(
                referenced_files(a for r in self.records.values() for a in r.artifacts)
            ),
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
