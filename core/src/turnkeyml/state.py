"""State: one model's way through a chain, saved after every step."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.artifacts import INPUTS, REFERENCE, Artifact, FileRecord
from turnkeyml.cache.atomic import record_of
from turnkeyml.cache.documents import write_document
from turnkeyml.cache.layout import STATE_SCHEMA, BuildDirectory
from turnkeyml.cache.seals import Seals
from turnkeyml.cache.stats import Stats, plain
from turnkeyml.cache.step_records import StepRecord, referenced_files
from turnkeyml.errors import BuildError, CacheError, NewerSchemaError
from turnkeyml.model_info import ModelInfo
from turnkeyml.outcomes import Failure, Status
from turnkeyml.saved_state import SavedState, load_state

__all__ = ["ModelInfo", "State"]

if TYPE_CHECKING:
    from turnkeyml.cache.staging import Staging
    from turnkeyml.context import RunContext
    from turnkeyml.inputs import Source


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
        staging: Staging | None = None,
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
        self._staging = staging
        self._resumed: SavedState | None = None
        self._earlier_from = ""
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
        return self._root / artifact.files[0].path

    @property
    def _root(self) -> Path:
        """Where files are written: not yet in the build while its lock is not held."""
        return self.build.path if self._staging is None else self._staging.folder

    def folder(self, name: str) -> Path:
        """Make and give a folder of the build directory.

        What a chain's first step writes there is moved when the build's lock is held, so that no
        path into it may be kept for later steps.
        """
        path = self._root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

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
            files: What it consists of, inside folders that `folder` gave; the first is the one to
                open.
            live: The object, for an artifact that lives in memory.
            live_key: What decides what is made of that object; see `Artifact`.
            info: Facts for later steps and reports; JSON-like values.
        """
        records = tuple(f if isinstance(f, FileRecord) else record_of(f, self._root) for f in files)
        artifact = Artifact(kind, self._step, records, plain(info or {}), live, live_key or {})
        (self.seals if self._staging is None else self._staging.seals).watch(records)
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

    def resume(self, saved: SavedState) -> None:
        """Start from what an earlier chain made; called by the first step."""
        self._resumed = saved
        self.artifacts += saved.artifacts

    def settle(self) -> None:
        """Have a build directory, with what the first step wrote in it; the caller has its lock.

        Raises:
            CacheError: Its name is another model's by now.
            OSError: It cannot be written.
        """
        if self._staging is None:
            self.build.path.mkdir(exist_ok=True)
            return
        damaged = self._staging.seals.damaged
        intact = [a for a in self.artifacts if a.files and not damaged([a], read=True)]
        self._staging.settle(self.build)
        self._staging = None
        self.seals.watch(record for artifact in intact for record in artifact.files)

    def recall(self) -> None:
        """Read what earlier runs left in the build; the caller has its lock.

        Raises:
            CacheError: The state file is from a newer turnkey, and is left as it is; or what the
                chain was to start from is gone.
        """
        if not self.build.state_file.exists() and self._resumed is None:
            return
        try:
            saved = load_state(self.build)
        except NewerSchemaError:
            raise
        except CacheError as error:
            if self._resumed is not None:
                raise
            self.context.note(f"{error.message} Everything is made again.")
            return
        if self._resumed is not None:
            # Another process may have made it anew, or cleaned it, since it was read.
            self._resumed = saved
            self.artifacts = list(saved.artifacts)
            if not saved.has_model:
                raise CacheError(f"What {self.name} had made was taken away meanwhile.")
        self.records = {record.key: record for record in saved.records}
        self.earlier = list(saved.artifacts)
        self._earlier_from = _origin_in(saved)
        self.seals.learn(saved.content.get("seals"))

    def kept_files(self) -> list[Artifact]:
        """Give the artifacts that are files and that a later command can go on from.

        A chain that only finds or measures the model makes nothing to go on from, so what an
        earlier one left stays the newest there is, if it was made from the same model and code.
        """
        own = [artifact for artifact in self.artifacts if artifact.is_file]
        has_made = any(a.step not in self._steps[:1] and _is_model(a) for a in own)
        if has_made or self._earlier_from != self._made_from() or not self._earlier_from:
            return own
        paths = {record.path for artifact in own for record in artifact.files}
        kept = [a for a in self.earlier if paths.isdisjoint(r.path for r in a.files)]
        return [*own, *kept]

    def _made_from(self) -> str:
        """Give a digest of what the chain starts from; empty where nothing tells."""
        if self._resumed is not None:
            return _origin_in(self._resumed)
        start = [a for a in self.artifacts if a.step in self._steps[:1] and _is_model(a)]
        parts = [(artifact.kind, artifact.key_parts()) for artifact in start]
        if not parts or not all(key for _, key in parts):
            return ""
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def save(self) -> None:
        """Write the statistics and the state; the caller has the build's lock."""
        self.stats.model.update(self.model.facts())
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
            "model": self.model.facts(),
            "made_from": self._made_from(),
            "steps": list(self._steps),
            "artifacts": [artifact.to_json() for artifact in self.kept_files()],
            "records": [record.to_json() for record in self.records.values()],
            "seals": self.seals.to_json(
                referenced_files(a for r in self.records.values() for a in r.artifacts)
            ),
        }


def _origin_in(saved: SavedState) -> str:
    return str(saved.content.get("made_from") or "")


def _is_model(artifact: Artifact) -> bool:
    return artifact.kind not in (INPUTS, REFERENCE)
