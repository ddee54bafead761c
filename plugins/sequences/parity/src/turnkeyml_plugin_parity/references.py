"""What an artifact is compared with: what the model itself returns, or the chain's first file."""

from __future__ import annotations

import functools
import hashlib
import json
import secrets
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from turnkeyml.artifacts import INPUTS, REFERENCE
from turnkeyml.cache.stats import Stats
from turnkeyml.errors import CacheError
from turnkeyml.execution.chain import describe
from turnkeyml.worker.tensors import RawTensor, read_tensors
from turnkeyml_plugin_parity.keeping import forget, keep, kept
from turnkeyml_plugin_parity.results import Unable
from turnkeyml_plugin_parity.runners import RefusedError, Runner, find_runner, run
from turnkeyml_plugin_parity.settings import FP64, ParityOptions

if TYPE_CHECKING:
    from turnkeyml.artifacts import Artifact
    from turnkeyml.plan import Plan
    from turnkeyml.state import State

FOLDER = "reference"


class LiveReference(Protocol):
    """What an artifact of kind ``reference`` carries: something that calls the model."""

    name: str

    def version(self) -> str:
        """Name what computes it, with its version."""

    def write(self, folder: Path, *, double: bool = False, seed: int = 0) -> tuple[str, ...]:
        """Call the model, and write the tensors that it returns, in order."""


@dataclass(frozen=True)
class ReferenceOutputs:
    """Outputs that are right by definition.

    Args:
        label: What computed them, such as ``eager (torch 2.13.0)``.
        tensors: By name, in order.
    """

    label: str
    tensors: dict[str, RawTensor]


class Reference(Protocol):
    """Where the outputs that an artifact is compared with come from."""

    @property
    def key(self) -> str:
        """Digest of all that decides them."""

    @property
    def name(self) -> str:
        """What it is called in a sentence, such as ``eager``."""

    @property
    def step(self) -> str:
        """The identity of the step whose artifact it is; empty if it is the model itself."""

    def fetch(self) -> ReferenceOutputs:
        """Give the outputs; computes them if no earlier check did.

        Raises:
            Unable: They cannot be had.
        """

    def again(self, folder: Path) -> ReferenceOutputs | None:
        """Compute them once more, with other random numbers; None if nobody can."""


@dataclass(frozen=True)
class EagerReference:
    """What the model itself returns.

    Args:
        live: Calls it.
        folder: Where its outputs are kept.
        key: Digest of all that decides them.
        double: Compute in float64 if the model can.
    """

    live: LiveReference
    folder: Path
    key: str
    double: bool
    step: str = ""

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        return self.live.name

    def fetch(self) -> ReferenceOutputs:
        """Give the outputs; the model is called if no earlier check did so."""
        label = kept(self.folder, self.key)
        if label is None:
            forget(self.folder)
            label = self._compute(self.folder, 0)
            keep(self.folder, self.key, label)
        return ReferenceOutputs(label, read_tensors(self.folder))

    def again(self, folder: Path) -> ReferenceOutputs | None:
        """Call the model once more, with other random numbers."""
        return ReferenceOutputs(self._compute(folder, 1), read_tensors(folder))

    def _compute(self, folder: Path, seed: int) -> str:
        what = f"{self.live.name} ({self.live.version()}"
        # The model is the user's code, which may raise anything.
        if self.double:
            try:
                self.live.write(folder, double=True, seed=seed)
            except Exception as error:  # noqa: BLE001
                traceback.print_exc()
                what += f"; float64 is impossible: {describe(error)}"
            else:
                return f"{what}, float64)"
        try:
            self.live.write(folder, seed=seed)
        except Exception as error:
            traceback.print_exc()
            raise Unable(f"The model itself cannot be called again: {describe(error)}") from error
        return f"{what})"


@dataclass(frozen=True)
class FileReference:
    """What the chain's first file computes, where there is no model behind it.

    Args:
        artifact: The file.
        runner: What runs it.
        state: The build that it belongs to.
    """

    artifact: Artifact
    runner: Runner
    state: State

    @property
    def name(self) -> str:
        """What it is called in a sentence: the tool that made it."""
        return self.artifact.step.rpartition("-")[0]

    @property
    def step(self) -> str:
        """The identity of the step that made the file."""
        return self.artifact.step.rpartition("-")[2]

    @property
    def key(self) -> str:
        """Digest of all that decides its outputs."""
        return digest_of([artifact_key(self.artifact), self.runner.identity()])

    def fetch(self) -> ReferenceOutputs:
        """Give the outputs; the file is run if no earlier check did so."""
        folder = self.state.build.path / FOLDER / self.key[:16]
        label = kept(folder, self.key)
        if label is None:
            forget(folder)
            try:
                version = run(self.runner, self.artifact, self.state, folder).version
            except RefusedError as error:
                raise Unable(f"What {self.name} gave cannot be run: {error}") from error
            label = f"{self.name} ({' '.join(filter(None, (self.runner.name, version)))})"
            keep(folder, self.key, label)
        return ReferenceOutputs(label, read_tensors(folder))

    def again(self, folder: Path) -> ReferenceOutputs | None:
        """Say that nobody asks a runtime twice."""
        return None


@dataclass(frozen=True)
class KeptReference:
    """What the model returned when an earlier command ran it; now only its files are here.

    Args:
        folder: Where its outputs are kept.
        key: Digest of all that decided them.
    """

    folder: Path
    key: str
    name: str = "eager"
    step: str = ""

    def fetch(self) -> ReferenceOutputs:
        """Give the outputs."""
        label = kept(self.folder, self.key)
        if label is None:
            raise Unable("What the model itself returned is no longer in the cache.")
        return ReferenceOutputs(label, read_tensors(self.folder))

    def again(self, folder: Path) -> ReferenceOutputs | None:
        """Say that the model is not here."""
        return None


def find_reference(
    state: State, artifact: Artifact, options: ParityOptions, plan: Plan | None
) -> Reference | None:
    """Choose what an artifact is compared with; nothing is computed.

    Args:
        state: The build.
        artifact: What is to be checked.
        options: Whether the model is to be computed in float64.
        plan: The chain, if it is known.

    Returns:
        None if the artifact is itself what others are compared with.
    """
    double = options.parity_reference == FP64
    folder = state.build.path / FOLDER / ("fp64" if double else "")
    if state.has(REFERENCE):
        live = state.newest(REFERENCE).live
        if live is not None:
            return EagerReference(live, folder, _eager_key(state, live, double), double)
    files = [a for a in state.artifacts if a.is_file and a.kind not in (INPUTS, REFERENCE)]
    earlier = _compared_before(state, files)
    if earlier is not None and kept(folder, earlier) is not None:
        return KeptReference(folder, earlier)
    for first in files:
        if first is artifact:
            return None
        try:
            runner = find_runner(first.kind, state.context.registry, plan)
        except Unable:
            continue
        return FileReference(first, runner, state)
    return None


def artifact_key(artifact: Artifact) -> str:
    """Give the digest of an artifact; empty if other processes could not know it."""
    parts = artifact.key_parts()
    return digest_of([artifact.kind, parts]) if parts else ""


def digest_of(content: Any) -> str:
    """Give the digest of JSON values as 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _eager_key(state: State, live: LiveReference, double: bool) -> str:
    keys = [dict(a.live_key) for a in state.artifacts if a.live_key]
    captured = next((a for a in state.artifacts if a.kind == INPUTS), None)
    inputs = [f.sha256 for f in captured.files] if captured is not None else []
    # Without a digest of the code, another process may have another model of the same weights.
    model: Any = keys[0] if keys else [_this_process(), id(live)]
    return digest_of([live.name, live.version(), state.model.digest, model, inputs, double])


@functools.cache
def _this_process() -> str:
    return secrets.token_hex(16)


def _compared_before(state: State, files: list[Artifact]) -> str | None:
    """Give the key of the reference that one of these artifacts was compared with."""
    keys = {artifact_key(artifact) for artifact in files} - {""}
    try:
        steps = Stats.load(state.build).steps.values()
    except CacheError:
        return None
    for entry in steps:
        parity = entry.get("parity")
        if isinstance(parity, dict) and parity.get("artifact_key") in keys:
            return str(parity.get("reference_key"))
    return None
