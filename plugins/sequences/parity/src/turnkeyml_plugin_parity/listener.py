"""What happens when a step has ended: its artifact is checked, and the user hears of a finding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from turnkeyml.cache.stats import Stats
from turnkeyml.errors import BuildError, CacheError
from turnkeyml.outcomes import Status
from turnkeyml_plugin_parity.checking import REFERENCE_ENTRY, Task, check
from turnkeyml_plugin_parity.results import Entry, Parity, status_of, summary_of
from turnkeyml_plugin_parity.settings import FAIL, settings_of

if TYPE_CHECKING:
    from turnkeyml.artifacts import Artifact
    from turnkeyml.outcomes import StepOutcome
    from turnkeyml.plan import Plan, PlannedStep
    from turnkeyml.state import State

KEY = "parity"
"""The name of what is kept: in the entry of each step, and of the model as a whole."""


def after_step(
    state: State, step: PlannedStep, outcome: StepOutcome, plan: Plan | None = None
) -> None:
    """Check what a step made, keep the result, and say if it is not what it should be.

    Args:
        state: The build.
        step: The step that ended.
        outcome: How.
        plan: The chain, if it is known.

    Raises:
        BuildError: The artifact departs from the model or cannot be run, and the user wants that to
            be a failure.
    """
    artifact = _made_by(state, step)
    if outcome.status is not Status.SUCCESSFUL or artifact is None:
        return
    options = settings_of(state)
    if not options.parity:
        state.stats.model[KEY] = {
            **summary_of({}),
            "reason": "The command was given --no-parity.",
        }
        return
    log = state.build.log_file(f"{KEY}-{step.name}", step.occurrence)
    task = Task(state, artifact, options, plan, log, _earlier(state))
    entry = check(task)
    state.stats.save(KEY, entry)
    _mark_reference(state, entry)
    summary = summary_of(_entries(state))
    state.stats.model[KEY] = summary
    if not status_of(entry).is_finding:
        return
    told, more = _sentence(state, step, entry), _addition(state, entry)
    first = summary["departs_at"]
    if summary["status"] == Parity.REFUSED.value:
        state.findings["Parity"] = f"what {first} made cannot be run"
    elif first is not None:
        state.findings["Parity"] = f"departs from the model at {first}"
    if options.on_mismatch == FAIL:
        raise BuildError(told, hint=more)
    # A stage that starts from a wrong model is wrong as well; that is no news.
    if first == _title(step.name, step.occurrence):
        state.context.note(f"{told} {more}")


def _made_by(state: State, step: PlannedStep) -> Artifact | None:
    maker = f"{step.name}-{step.identity}"
    made = [a for a in state.artifacts if a.step == maker and a.kind == step.contract.produces]
    return made[-1] if made else None


def _earlier(state: State) -> Iterator[Entry]:
    """Give the entries of earlier checks of this build: of this run first, then those on disk."""
    yield from _entries(state).values()
    # What cannot be read is set aside when the statistics are written.
    with suppress(CacheError):
        for entry in Stats.load(state.build).steps.values():
            if isinstance(entry.get(KEY), dict):
                yield entry[KEY]


def _entries(state: State) -> dict[str, Entry]:
    """Give the entries of this chain's steps, by what the steps are called."""
    return {
        _title(str(entry.get("tool")), entry.get("occurrence", 1)): entry[KEY]
        for entry in state.stats.steps.values()
        if isinstance(entry.get(KEY), dict)
    }


def _title(tool: str, occurrence: int) -> str:
    return tool if occurrence == 1 else f"{tool} ({occurrence})"


def _mark_reference(state: State, entry: Entry) -> None:
    """Say of the step that starts a chain without a model that others are compared with it."""
    first = state.stats.steps.get(str(entry.get("reference_step")))
    if first is not None:
        first.setdefault(KEY, REFERENCE_ENTRY)


def _sentence(state: State, step: PlannedStep, entry: Entry) -> str:
    who = f"{state.source.path.name} {state.model.name}"
    reason = str(entry.get("reason", ""))
    if status_of(entry) is Parity.REFUSED:
        return f"{who}: {reason}"
    source = str(entry.get("reference", "")).partition(" ")[0]
    return f"{who}: {step.name} departs from {source}: {reason}."


def _addition(state: State, entry: Entry) -> str:
    if status_of(entry) is Parity.REFUSED:
        return "Nothing was compared; another runtime may be able to run it."
    return f"The numbers are in {state.build.stats_file}"
