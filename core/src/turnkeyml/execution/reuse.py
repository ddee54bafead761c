"""Use again what an earlier run of a step made, when everything that decides it is the same."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

from turnkeyml.artifacts import INPUTS, Artifact
from turnkeyml.cache.step_records import StepRecord, changed_parts, key_of
from turnkeyml.errors import BuildError
from turnkeyml.options import json_from_options
from turnkeyml.plan import PlannedStep
from turnkeyml.policy import Rebuild
from turnkeyml.state import State

Parts = Mapping[str, Any]


class Reuse:
    """What earlier runs of one build left, and whether the steps of this run may take it.

    The caller has the build's lock.
    """

    def __init__(self, state: State, steps: Iterable[PlannedStep]) -> None:
        self._state = state
        self._steps = [_name_of(step) for step in steps]
        self._policy = state.context.policy
        self._remade: set[str] = set()
        self._mended: set[str] = set()

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
        consumed = [state.newest(step.consumes)] if step.consumes is not None else []
        read = [state.newest(kind) for kind in step.tool.reads if state.has(kind)]
        for artifact in consumed:
            # A stage may have inputs of its own, such as float16 ones; its artifact names them.
            folder = artifact.info.get("inputs_folder")
            inputs = [a for a in state.artifacts if a.kind == INPUTS]
            own = [a for a in inputs if a.info.get("folder") == folder]
            read = [own[-1] if own and a.kind == INPUTS else a for a in read]
        return [*consumed, *(a for a in read if a not in consumed)]

    def find(self, step: PlannedStep, parts: Parts | None) -> StepRecord | None:
        """Give the work of an earlier run that this step would only repeat.

        Raises:
            BuildError: ``--rebuild never`` was asked for, and there is none.
        """
        if step.contract.produces is None:
            self._explain(f"{step.name}: is run, because it makes nothing that could be kept.")
            return None
        state = self._state
        record, why = self._choose(step, parts)
        if record is None:
            self._explain(f"{step.name}: is run, because {why}.")
            return None
        damaged = state.seals.damaged(record.artifacts, read=False)
        if not damaged:
            self._explain(f"{step.name}: what was made at {record.made_at} is used again.")
            return record
        self._set_aside(record, damaged, step.name)
        return None

    def _choose(self, step: PlannedStep, parts: Parts | None) -> tuple[StepRecord | None, str]:
        """Find what was made from the same parts, or say why it cannot be used."""
        if self._policy.rebuild is Rebuild.NEVER:
            return self._whatever_there_is(step, parts), ""
        if parts is None:
            return None, "nothing tells whether what it starts from is the same as before"
        key = key_of(parts)
        if self._policy.rebuild is Rebuild.ALWAYS and key not in self._remade:
            return None, "--rebuild always was given"
        record = self._state.records.get(key)
        if record is None:
            near = self._nearest(step, parts)
            if near is None:
                return None, "no earlier result is in the cache"
            return None, f"this has changed: {', '.join(changed_parts(near.parts, parts))}"
        later = self._steps[self._steps.index(_name_of(step)) + 1 :]
        if record.step in later:
            # That step may be run again, and would then write over the files taken here.
            return None, "its earlier result is one of a later step"
        return record, ""

    def _whatever_there_is(self, step: PlannedStep, parts: Parts | None) -> StepRecord:
        """Find what was made from the same parts, else what is nearest to it."""
        same = None if parts is None else self._state.records.get(key_of(parts))
        near = same or self._nearest(step, parts or {})
        if near is None:
            raise BuildError(
                f"There is no earlier result of {step.name}, and --rebuild never keeps it "
                "from being made.",
                hint="Run the command once without it.",
            )
        if same is None:
            why = "what it was made from is not known"
            if parts is not None and _is_full(near):
                why = f"this has changed: {', '.join(changed_parts(near.parts, parts))}"
            here = f"{self._state.name}: {step.name}"
            self._note(f"{here}: an earlier result is used although {why}.")
        return near

    def _nearest(self, step: PlannedStep, parts: Parts) -> StepRecord | None:
        same = [r for r in self._state.records.values() if r.parts.get("tool") == step.name]
        if self._policy.rebuild is not Rebuild.NEVER:
            same = [record for record in same if _is_full(record)]
        here = _name_of(step)
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
        for artifact in self._needed(step):
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
            tool = artifact.step.rpartition("-")[0]
            if artifact.step in self._mended:
                raise BuildError(
                    f"{damaged[0]} of {state.name} is damaged again after {tool} made it anew.",
                    hint="A later step changes it, another program does, or the disk is failing.",
                )
            self._mended.add(artifact.step)
            self._set_aside(record, damaged, tool)
            return artifact.step
        return None

    def _needed(self, step: PlannedStep) -> list[Artifact]:
        """Give what a step reads: its inputs, and the tensors to call them with."""
        inputs = self._inputs(step)
        folders = {a.info.get("inputs_folder") for a in inputs} - {None}
        tensors = [
            artifact
            for artifact in self._state.artifacts
            if artifact.kind == INPUTS and artifact.info.get("folder") in folders
        ]
        return [*inputs, *tensors[-1:]]

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
        state, here = self._state, _name_of(step)
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
        here = _name_of(step)
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


def _name_of(step: PlannedStep) -> str:
    """Give a step's name as its artifacts carry it."""
    return f"{step.name}-{step.identity}"


def _is_full(record: StepRecord) -> bool:
    """Tell whether a record says what its artifacts were made from."""
    return "input" in record.parts
