"""Take one model through the steps of a plan."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from turnkeyml.cache.locks import build_lock
from turnkeyml.errors import TurnkeyError
from turnkeyml.execution.capture import output_to
from turnkeyml.options import json_from_options
from turnkeyml.plan import Plan, PlannedStep
from turnkeyml.state import State, Status, StepOutcome


def run_chain(state: State, plan: Plan) -> None:
    """Take a model through all steps after the first, up to the first that fails.

    The build's lock is held meanwhile, and its files are saved after every step, so that whatever
    happens the cache says how far it came.

    Args:
        state: As the first step gave it.
        plan: The chain.
    """
    context = state.context
    hooks = context.registry.hooks.hook

    def waiting(owner: str) -> None:
        context.note(f"{state.name}: waited for {owner}, which was working on it.")

    with build_lock(context.cache.path, state.name, waiting):
        state.save()
        try:
            for step in plan.steps[1:]:
                fire(
                    context.note,
                    hooks.turnkey_step_started,
                    state=state,
                    source=state.source,
                    step=step,
                )
                outcome = _run_step(state, step)
                fire(
                    context.note,
                    hooks.turnkey_step_finished,
                    state=state,
                    source=state.source,
                    step=step,
                    outcome=outcome,
                )
                if outcome.status is not Status.SUCCESSFUL:
                    break
                state.save()
            else:
                state.status = Status.SUCCESSFUL
        except BaseException:
            state.status = Status.INTERRUPTED
            raise
        finally:
            state.save()
    fire(context.note, hooks.turnkey_build_finished, state=state)


def fire(note: Callable[[str], None], hook: Any, **arguments: Any) -> None:
    """Tell listeners of an event, each by itself; one that raises is reported and harms nobody.

    Args:
        note: Says a sentence to the user.
        hook: The event.
        arguments: As its specification names them.
    """
    # As pluggy does, the one that was registered last is told first.
    for listener in reversed(hook.get_hookimpls()):
        try:
            listener.function(*(arguments[name] for name in listener.argnames))
        # Listeners are foreign code.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            note(
                f"The plugin {listener.plugin_name}, listening to {hook.name}, raised "
                f"{describe(error)}"
            )


def step_entry(step: PlannedStep) -> dict[str, Any]:
    """Begin the statistics of a step."""
    return {
        "tool": step.name,
        "number": step.number,
        "occurrence": step.occurrence,
        "package": str(step.record.provider),
        "options": json_from_options(step.options),
        "started_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "status": Status.RUNNING.value,
    }


def finish_entry(state: State, step: PlannedStep, outcome: StepOutcome) -> None:
    """Complete the statistics of a step."""
    entry = state.stats.steps[step.identity]
    entry["status"] = outcome.status.value
    entry["duration_s"] = round(outcome.seconds, 6)
    if outcome.error is not None:
        entry["error"] = outcome.error


def _run_step(state: State, step: PlannedStep) -> StepOutcome:
    kinds = (step.consumes,) if step.consumes is not None else ()
    state.begin_step(step.name, step.identity, kinds)
    state.stats.begin_step(step.identity, step_entry(step))
    start = time.perf_counter()
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
            trace = traceback.format_exc()
            traceback.print_exc()
        except BaseException:
            outcome = StepOutcome(Status.INTERRUPTED, time.perf_counter() - start, "interrupted")
            finish_entry(state, step, outcome)
            state.failed_step, state.error = step.name, outcome.error
            raise
    outcome = StepOutcome(status, time.perf_counter() - start, error, trace)
    finish_entry(state, step, outcome)
    if status is not Status.SUCCESSFUL:
        state.status, state.failed_step, state.error = Status.FAILED, step.name, error
        state.failed_log = state.build.log_file(step.name, step.occurrence)
    return outcome


def describe(error: BaseException) -> str:
    """Say in one line what an exception of foreign code is; the log has its traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    name = type(error).__name__
    return f"{name}: {text[:400]}" if text else name
