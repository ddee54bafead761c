"""Take one model through the steps of a plan."""

from __future__ import annotations

import errno
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from turnkeyml.cache.locks import build_lock
from turnkeyml.cache.stats import Stats
from turnkeyml.cache.step_records import StepRecord
from turnkeyml.errors import BuildError, CacheError, TurnkeyError
from turnkeyml.execution.capture import output_to
from turnkeyml.execution.deliver import deliver
from turnkeyml.execution.leftovers import clean_orphans, delete_artifacts
from turnkeyml.execution.memory import peak_bytes, reset_peak
from turnkeyml.execution.reuse import Reuse, version_of
from turnkeyml.execution.turns import shared_turn, turn_alone
from turnkeyml.options import json_from_options
from turnkeyml.outcomes import Status, StepOutcome
from turnkeyml.plan import Plan, PlannedStep
from turnkeyml.policy import RunPolicy
from turnkeyml.state import State

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def run_chain(state: State, plan: Plan) -> None:
    """Take a model through all steps after the first, up to the first whose failure ends the chain.

    A step that would only repeat what an earlier run made is not run. The build's lock is held
    meanwhile, and its files are saved after every step, so that whatever happens the cache says how
    far it came.

    Args:
        state: As the first step gave it.
        plan: The chain.
    """
    context = state.context

    def waiting(owner: str) -> None:
        context.note(f"{state.name}: waited for {owner}, which was working on it.")

    steps = plan.steps[1:]
    with build_lock(context.cache.path, state.name, waiting):
        # While this process waited, the build may have been deleted.
        state.settle()
        state.recall()
        state.begin_chain(plan.steps[-1].identity, [(s.name, s.identity) for s in steps])
        state.save()
        try:
            _run_steps(state, steps)
        except BaseException:
            state.status = Status.INTERRUPTED
            raise
        finally:
            if context.policy.lean_cache:
                delete_artifacts(state)
            else:
                clean_orphans(state)
            state.save()
    fire(context.note, context.registry.hooks.hook.turnkey_build_finished, state=state)


def _run_steps(state: State, steps: Sequence[PlannedStep]) -> None:
    reuse = Reuse(state, steps)
    position = 0
    while position < len(steps):
        step = steps[position]
        outcome = _visit(state, step, reuse)
        if isinstance(outcome, str):
            # What an earlier step made is damaged: that step is visited again.
            position = [f"{s.name}-{s.identity}" for s in steps].index(outcome)
            state.rewind(outcome)
            continue
        if outcome.status is not Status.SUCCESSFUL and step.tool.ends_chain:
            return
        if not outcome.reused:
            state.save()
        position += 1
    if state.failures:
        state.status = Status.FAILED
        return
    state.status = Status.SUCCESSFUL
    if state.context.policy.output is not None:
        try:
            deliver(state, state.context.policy.output)
        except TurnkeyError as error:
            state.fail("--output", str(error))
        # What it copies may come from anybody, and plugins have a part in it.
        except Exception as error:  # noqa: BLE001
            state.fail("--output", describe(error))


def _visit(state: State, step: PlannedStep, reuse: Reuse) -> StepOutcome | str:
    """Run a step or take its earlier result; or name an earlier step that must be run again."""
    context = state.context
    state.begin_step(step.name, step.identity, step.contract.consumes)
    start = time.perf_counter()
    try:
        parts = reuse.parts(step)
        record = reuse.find(step, parts)
        if record is None:
            damaged = reuse.damaged_producer(step)
            if damaged is not None:
                return damaged
    except BuildError as error:
        outcome = StepOutcome(Status.FAILED, time.perf_counter() - start, str(error))
        state.fail(step.name, str(error))
        return outcome
    with turn_for(step, context.policy):
        return _take_step(state, step, reuse, record, parts)


def turn_for(step: PlannedStep, policy: RunPolicy) -> AbstractContextManager[None]:
    """Wait until a step may run beside what other jobs of this host do."""
    if not policy.takes_turns:
        return nullcontext()
    device = step.contract.alone_on
    return shared_turn() if device is None else turn_alone(device)


def _take_step(
    state: State, step: PlannedStep, reuse: Reuse, record: StepRecord | None, parts: Any
) -> StepOutcome:
    """Run a step, or take what an earlier run of it made, and tell listeners."""
    context, start = state.context, time.perf_counter()
    hooks = context.registry.hooks.hook
    event = {"state": state, "source": state.source, "step": step}
    fire(context.note, hooks.turnkey_step_started, **event)
    count = len(state.artifacts)
    if record is not None:
        state.take(record)
        _recall_entry(state, step, record)
        outcome = StepOutcome(Status.SUCCESSFUL, time.perf_counter() - start, reused=True)
    else:
        reuse.clear_way(step)
        outcome = _run_step(state, step)
        if outcome.status is Status.SUCCESSFUL:
            reuse.keep(step, parts, tuple(state.artifacts[count:]))
    objection = fire(context.note, hooks.turnkey_step_finished, **event, outcome=outcome)
    if objection is not None and outcome.status is Status.SUCCESSFUL:
        outcome = replace(outcome, status=Status.FAILED, error=str(objection))
        finish_entry(state, step, outcome)
        state.fail(step.name, str(objection), state.build.log_file(step.name, step.occurrence))
        del state.artifacts[count:]
    return outcome


def _recall_entry(state: State, step: PlannedStep, record: StepRecord) -> None:
    """Show the statistics of the run that made the artifacts as those of this step."""
    try:
        old = Stats.load(state.build).steps.get(record.step.rpartition("-")[2], {})
    except CacheError:
        old = {}
    # A listener that objected then may be content now.
    facts = {key: value for key, value in old.items() if key != "error"}
    entry = {**step_entry(step), **facts, "number": step.number, "occurrence": step.occurrence}
    entry |= {"status": Status.SUCCESSFUL.value, "reused": True}
    state.stats.begin_step(step.identity, entry)
    told = entry.get("notes")
    for text in told if isinstance(told, list) else ():
        state.context.note(str(text))


def fire(note: Callable[[str], None], hook: Any, **arguments: Any) -> BuildError | None:
    """Tell listeners of an event, each by itself; one that raises is reported and harms nobody.

    Args:
        note: Says a sentence to the user.
        hook: The event.
        arguments: As its specification names them.

    Returns:
        The objection of a listener, which is what a `BuildError` means; the first if there are
        several.
    """
    objection: BuildError | None = None
    # As pluggy does, the one that was registered last is told first.
    for listener in reversed(hook.get_hookimpls()):
        try:
            listener.function(*(arguments[name] for name in listener.argnames))
        except BuildError as error:
            objection = objection or error
        # Listeners are foreign code.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            note(
                f"The plugin {listener.plugin_name}, listening to {hook.name}, raised "
                f"{describe(error)}"
            )
    return objection


def step_entry(step: PlannedStep) -> dict[str, Any]:
    """Begin the statistics of a step."""
    return {
        "tool": step.name,
        "number": step.number,
        "occurrence": step.occurrence,
        "package": str(step.record.provider),
        "options": json_from_options(step.options),
        "libraries": {name: version_of(name) for name in step.tool.libraries},
        "started_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "status": Status.RUNNING.value,
    }


def finish_entry(state: State, step: PlannedStep, outcome: StepOutcome) -> None:
    """Complete the statistics of a step."""
    entry = state.stats.steps[step.identity]
    entry["status"] = outcome.status.value
    entry["duration_s"] = round(outcome.seconds, 6)
    entry["peak_process_bytes"] = peak_bytes()
    if outcome.error is not None:
        entry["error"] = outcome.error


def _run_step(state: State, step: PlannedStep) -> StepOutcome:
    notes = state.context.notes
    state.stats.begin_step(step.identity, step_entry(step))
    reset_peak()
    start, count, told = time.perf_counter(), len(state.artifacts), len(notes)
    status, error, trace = Status.SUCCESSFUL, None, None
    with output_to(state.build.log_file(step.name, step.occurrence)):
        try:
            step.tool().run(state, step.options)  # type: ignore[attr-defined]
        except TurnkeyError as failure:
            status, error = Status.FAILED, str(failure)
            traceback.print_exc()
        # A tool runs foreign code, which may raise anything; Ctrl-C passes.
        except (Exception, SystemExit) as failure:  # noqa: BLE001
            status, error = Status.FAILED, describe(failure)
            trace = _foreign_part(failure)
            traceback.print_exc()
        except BaseException:
            del state.artifacts[count:]
            outcome = StepOutcome(Status.INTERRUPTED, time.perf_counter() - start, "interrupted")
            finish_entry(state, step, outcome)
            state.fail(step.name, "interrupted")
            raise
    outcome = StepOutcome(status, time.perf_counter() - start, error, trace)
    finish_entry(state, step, outcome)
    if len(notes) > told:
        # They hold as long as what the step made is used.
        state.stats.steps[step.identity]["notes"] = notes[told:]
    if error is not None:
        state.fail(step.name, error, state.build.log_file(step.name, step.occurrence), trace)
        # Whatever it handed over before it failed is nothing to go on from.
        del state.artifacts[count:]
    return outcome


def _foreign_part(error: BaseException) -> str | None:
    """Give the traceback of a tool's error, from the tool on; None where it would teach nothing."""
    if isinstance(error, SystemExit) or (isinstance(error, OSError) and error.errno in NO_ROOM):
        return None
    place = None if error.__traceback__ is None else error.__traceback__.tb_next
    return "".join(traceback.format_exception(type(error), error, place))


def describe(error: BaseException) -> str:
    """Say in one line what an exception of foreign code is; the log has its traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    name = type(error).__name__
    return f"{name}: {text[:400]}" if text else name
