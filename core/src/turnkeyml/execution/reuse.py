"""Use again what an earlier run of a step made, when everything that decides it is the same."""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

from turnkeyml.artifacts import Artifact
from turnkeyml.cache.step_records import StepRecord, changed_parts, key_of, referenced_files
from turnkeyml.errors import BuildError
from turnkeyml.options import json_from_options
from turnkeyml.plan import PlannedStep
from turnkeyml.policy import Rebuild
from turnkeyml.state import State

_OURS = re.compile(r"(?:[0-9a-f]{32}\.data|[a-z0-9-]+-[0-9a-f]{8}\.[A-Za-z0-9.]+)\Z")
"""Names that `State.file_name` and the writers of data files give; nothing else is cleaned away."""

Parts = Mapping[str, Any]


class Reuse:
    """What earlier runs of one build left, and whether the steps of this run may take it.

    The caller has the build's lock.
    """

    def __init__(self, state: State, steps: Iterable[PlannedStep]) -> None:
        self._state = state
        self._steps = {f"{step.name}-{step.identity}" for step in steps}
        self._policy = state.context.policy
        self._remade: set[str] = set()

    def parts(self, step: PlannedStep) -> Parts | None:
        """Name everything that decides what a step makes; None if it must always run."""
        if step.contract.produces is None or step.consumes is None:
            return None
        inputs: dict[str, str] = {}
        for artifact in self._inputs(step):
            parts = artifact.key_parts()
            if not parts:
                return None
            inputs |= {f"{artifact.kind} {name}": digest for name, digest in parts.items()}
        return {
            "tool": step.name,
            "package": str(step.record.provider),
            "turnkey": ".".join(metadata.version("turnkeyml-core").split(".")[:2]),
            "option": json_from_options(step.options),
            "input": inputs,
            "library": {name: version_of(name) for name in step.tool.libraries},
        }

    def _inputs(self, step: PlannedStep) -> list[Artifact]:
        state = self._state
        kinds = [step.consumes] if step.consumes is not None else []
        kinds += [kind for kind in step.tool.reads if state.has(kind)]
        return [state.newest(kind) for kind in dict.fromkeys(kinds)]

    def find(self, step: PlannedStep, parts: Parts | None) -> StepRecord | None:
        """Give the work of an earlier run that this step would only repeat.

        Raises:
            BuildError: ``--rebuild never`` was asked for, and there is none.
        """
        if parts is None:
            return None
        rebuild, state = self._policy.rebuild, self._state
        key = key_of(parts)
        record = state.records.get(key)
        near = record or self._nearest(step, parts)
        why = self._why_not(record, near, parts)
        if rebuild is Rebuild.NEVER:
            if near is None:
                raise BuildError(
                    f"There is no earlier result of {step.name}, and --rebuild never keeps it "
                    "from being made.",
                    hint="Run the command once without it.",
                )
            if record is None:
                self._note(f"{step.name}: an earlier result is used although {why}.")
            record = near
        elif rebuild is Rebuild.ALWAYS and key not in self._remade:
            record, why = None, "--rebuild always was given"
        if record is None:
            self._explain(f"{step.name}: is run, because {why}.")
            return None
        damaged = state.seals.damaged(record.artifacts, read=False)
        if not damaged:
            self._explain(f"{step.name}: what was made at {record.made_at} is used again.")
            return record
        self._set_aside(record, damaged, step.name)
        return None

    def _why_not(self, record: StepRecord | None, near: StepRecord | None, parts: Parts) -> str:
        if near is None:
            return "no earlier result is in the cache"
        if record is None:
            return f"this has changed: {', '.join(changed_parts(near.parts, parts))}"
        return ""

    def _nearest(self, step: PlannedStep, parts: Parts) -> StepRecord | None:
        records = [r for r in self._state.records.values() if "input" in r.parts]
        same = [r for r in records if r.parts.get("tool") == step.name]
        here = f"{step.name}-{step.identity}"
        return min(
            same,
            key=lambda r: (r.step != here, len(changed_parts(r.parts, parts))),
            default=None,
        )

    def damaged_producer(self, step: PlannedStep) -> str | None:
        """Read what a step is about to use, and name the step that must make it again.

        Raises:
            BuildError: It was made by the step that starts the chain, or must not be made again.
        """
        state = self._state
        for artifact in self._inputs(step):
            damaged = state.seals.damaged([artifact], read=True)
            if not damaged:
                continue
            record = self._maker_of(artifact)
            if record is None or artifact.step not in self._steps:
                raise BuildError(
                    f"{damaged[0]} of {state.name} is not what {artifact.step.rpartition('-')[0]} "
                    "made: it was changed, damaged or removed.",
                    hint="Run the command that made it again.",
                )
            self._set_aside(record, damaged, artifact.step.rpartition("-")[0])
            return artifact.step
        return None

    def _maker_of(self, artifact: Artifact) -> StepRecord | None:
        for record in self._state.records.values():
            if any(made.files == artifact.files for made in record.artifacts):
                return record
        return None

    def _set_aside(self, record: StepRecord, damaged: list[str], tool: str) -> None:
        what = f"{', '.join(damaged)} of {self._state.name} is damaged or missing"
        if self._policy.rebuild is Rebuild.NEVER:
            raise BuildError(
                f"{what}, and --rebuild never keeps it from being made again.",
                hint="Run the command without it.",
            )
        del self._state.records[record.key]
        self._note(f"{what}; {tool} makes it again.")

    def clear_way(self, step: PlannedStep) -> None:
        """Forget what the same step made from other parts: its files are about to be replaced."""
        state = self._state
        here = f"{step.name}-{step.identity}"
        stale = [key for key, record in state.records.items() if record.step == here]
        for key in stale:
            del state.records[key]
        if stale:
            state.save()

    def keep(self, step: PlannedStep, parts: Parts | None, artifacts: tuple[Artifact, ...]) -> None:
        """Remember what a step made, if it is such that another process can use it.

        Without parts it is never taken instead of running the step, but its files stay.
        """
        if not artifacts or not all(artifact.is_file for artifact in artifacts):
            return
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        here = f"{step.name}-{step.identity}"
        record = StepRecord(here, parts or {"tool": step.name, "step": here}, artifacts, now)
        self._state.seals.seal(file for artifact in artifacts for file in artifact.files)
        self._state.records[record.key] = record
        self._remade.add(record.key)

    def _note(self, text: str) -> None:
        self._state.context.note(text)

    def _explain(self, text: str) -> None:
        if self._policy.explain:
            self._note(f"{self._state.name}: {text}")


@functools.lru_cache(maxsize=256)
def version_of(distribution: str) -> str | None:
    """Give the version of an installed distribution, or None."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(distribution)
    return None


def clean_orphans(state: State) -> None:
    """Delete files that steps made and that nothing refers to any more; the lock is held."""
    artifacts = [*state.artifacts, *(a for r in state.records.values() for a in r.artifacts)]
    wanted = referenced_files(artifacts)
    for folder in {(state.build.path / path).parent for path in wanted}:
        if folder == state.build.path:
            continue
        for path in folder.iterdir():
            relative = path.relative_to(state.build.path).as_posix()
            if relative not in wanted and _OURS.match(path.name):
                path.unlink(missing_ok=True)


def delete_artifacts(state: State) -> None:
    """Leave only logs, state and statistics of a build; the lock is held."""
    for path in state.build.path.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
    state.artifacts.clear()
    state.records.clear()
