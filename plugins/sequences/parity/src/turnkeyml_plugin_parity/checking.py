"""The check of one artifact: run it once, and compare what it gives with the reference."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.artifacts import TRT_ENGINE
from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.execution.capture import output_to
from turnkeyml.worker.tensors import RawTensor, read_tensors
from turnkeyml_plugin_parity.comparing import OutputComparison, compare
from turnkeyml_plugin_parity.matching import match_outputs
from turnkeyml_plugin_parity.references import (
    Reference,
    ReferenceOutputs,
    artifact_key,
    digest_of,
    find_reference,
)
from turnkeyml_plugin_parity.results import (
    Entry,
    Parity,
    Unable,
    entry_from_comparisons,
    status_of,
)
from turnkeyml_plugin_parity.runners import (
    ArgumentsRefusedError,
    RefusedError,
    Runner,
    find_runner,
    run,
)

if TYPE_CHECKING:
    from turnkeyml.artifacts import Artifact
    from turnkeyml.plan import Plan
    from turnkeyml.state import State
    from turnkeyml_plugin_parity.settings import ParityOptions

DISTRIBUTION = "turnkeyml-plugin-parity"

REFERENCE_ENTRY: Entry = {
    "status": Parity.REFERENCE.value,
    "reason": "There is no model behind it: what is made of it is compared with it.",
}
"""What is kept of the file that a chain without a model starts from."""

HALF_ON_HOST = (
    "Processors often compute float16 in float32: an overflow between operators may go unseen."
)


@dataclass(frozen=True)
class Task:
    """What is to be checked.

    Args:
        state: The build.
        artifact: What a step made.
        options: What the user decided.
        plan: The chain, if it is known.
        log: Where the output of model and runtime goes.
        earlier: Entries of earlier checks, which may be of anything; taken as far as needed.
    """

    state: State
    artifact: Artifact
    options: ParityOptions
    plan: Plan | None
    log: Path
    earlier: Iterable[Mapping[str, Any]] = ()


def check(task: Task) -> Entry:
    """Check an artifact, unless an earlier check of the same still stands.

    Returns:
        What is kept in the statistics of the step.
    """
    registry = task.state.context.registry
    try:
        reference = find_reference(task.state, task.artifact, task.options, task.plan)
        if reference is None:
            return dict(REFERENCE_ENTRY)
        runner = find_runner(task.artifact.kind, registry, task.plan)
    except Unable as why:
        return _unchecked(why)
    key = _key(task.artifact, reference, runner)
    for entry in task.earlier:
        # What was refused may have been refused for lack of memory.
        if key and entry.get("key") == key and status_of(entry) is not Parity.REFUSED:
            return dict(entry)
    start = time.perf_counter()
    with _scratch(task.state) as folder, _log(task.log):
        entry = _run_and_compare(task, reference, runner, folder)
    return {
        **entry,
        "runtime": runner.name,
        "device": str(runner.device),
        "caveat": _caveat(entry, runner),
        "seconds": round(time.perf_counter() - start, 3),
        "artifact_key": artifact_key(task.artifact),
        "reference_step": reference.step,
        "reference_key": reference.key,
        "key": entry.get("key", key),
    }


def _key(artifact: Artifact, reference: Reference, runner: Runner) -> str:
    """Give the digest of all that decides a check; empty if other processes could not know it."""
    what = artifact_key(artifact)
    version = metadata.version(DISTRIBUTION)
    return digest_of([version, what, reference.key, runner.identity()]) if what else ""


def _caveat(entry: Entry, runner: Runner) -> str:
    on_host = runner.device_info is not None and runner.device_info.is_host
    return HALF_ON_HOST if on_host and entry.get("tolerance_dtype") == "float16" else ""


def _unchecked(why: object) -> Entry:
    return {"status": Parity.NOT_CHECKED.value, "reason": str(why)}


def _run_and_compare(task: Task, reference: Reference, runner: Runner, folder: Path) -> Entry:
    told: Entry = {}
    try:
        expected = reference.fetch()
        told["reference"] = expected.label
        given = run(runner, task.artifact, task.state, folder / "outputs")
        told["runtime_version"] = given.version
        comparisons = _compare(task, read_tensors(given.folder), expected, reference.name)
        entry = entry_from_comparisons(comparisons)
        if status_of(entry) is Parity.MISMATCH:
            _check_repeatable(task, reference, expected, folder / "again")
    except RefusedError as why:
        maker = task.artifact.step.rpartition("-")[0]
        reason = f"{runner.name} cannot run what {maker} made: {str(why).rstrip('.')}."
        return {"status": Parity.REFUSED.value, "reason": reason, **told}
    except ArgumentsRefusedError as why:
        # Without a key it is tried again: it may have been for lack of memory, as above.
        return {**_unchecked(why), **told, "key": ""}
    except Unable as why:
        return {**_unchecked(why), **told}
    return {**entry, **told}


def _compare(
    task: Task, given: Mapping[str, RawTensor], expected: ReferenceOutputs, source: str
) -> list[OutputComparison]:
    order = task.artifact.info.get("outputs")
    precision = precision_of(task.state, task.artifact)
    return [
        compare(name, ours, theirs, precision, source)
        for name, ours, theirs in match_outputs(given, expected.tensors, order, source)
    ]


def _check_repeatable(
    task: Task, reference: Reference, expected: ReferenceOutputs, folder: Path
) -> None:
    """Call the model once more, now that something differs from it.

    Raises:
        Unable: It gives other outputs each time, so that nothing can be compared with it.
    """
    again = reference.again(folder)
    if again is None:
        return
    for comparison in _compare(task, again.tensors, expected, reference.name):
        if comparison.problem:
            raise Unable(
                f"The model itself gives other outputs each time it is called: output "
                f"{comparison.name!r} {comparison.problem}."
            )


def precision_of(state: State, artifact: Artifact) -> str:
    """Give the dtype that an artifact computes in, where it or what it was made of says so."""
    precision = "tf32" if artifact.kind == TRT_ENGINE else ""
    for made in state.artifacts[: state.artifacts.index(artifact) + 1]:
        said = made.info.get("precision")
        if isinstance(said, str):
            precision = said
    return precision


@contextmanager
def _scratch(state: State) -> Iterator[Path]:
    """Give a folder on the disk of the build, for outputs that may be large."""
    folder = state.build.path / f"{TEMPORARY}{secrets.token_hex(6)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _log(path: Path) -> Iterator[None]:
    """Send what model and runtime print into a log, which is only kept if it says anything."""
    try:
        with output_to(path):
            yield
    finally:
        if path.exists() and not path.stat().st_size:
            path.unlink()
