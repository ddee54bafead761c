"""Run one input: find its models, then take each through the rest of the chain."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import secrets
import shutil
import time
import traceback
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.cache.staging import opened_log, publish_log, staging_folder
from turnkeyml.context import RunContext
from turnkeyml.errors import CacheError, TurnkeyError, UsageError
from turnkeyml.execution.capture import output_into
from turnkeyml.execution.chain import (
    NO_ROOM,
    describe,
    finish_entry,
    fire,
    run_chain,
    step_entry,
    turn_for,
)
from turnkeyml.execution.memory import reset_peak
from turnkeyml.execution.skipping import is_skipped
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Status, StepOutcome
from turnkeyml.plan import Plan
from turnkeyml.state import State

_LOGS = ".logs"
_MAKE_ROOM = "Make room, or give another cache directory with -d."


@dataclass(frozen=True)
class JobResult:
    """What became of one input.

    Args:
        source: The input.
        states: A state for each model found.
        error: Why the input itself failed, if it did; models found before went on all the same.
        notes: Sentences for the user.
        log: What the input's own code printed.
    """

    source: Source
    states: tuple[State, ...]
    error: TurnkeyError | None
    notes: tuple[str, ...]
    log: Path

    @property
    def failed(self) -> bool:
        """Whether anything of it went wrong."""
        return self.error is not None or any(
            state.selected and not state.status.is_good for state in self.states
        )


def run_job(source: Source, plan: Plan, context: RunContext) -> JobResult:
    """Run one input through a plan, in this process.

    Args:
        source: The input.
        plan: The chain for its suffix.
        context: What tools are given.
    """
    first = plan.steps[0]
    own = dataclasses.replace(context, notes=[], first_step=(first.name, first.identity))
    hooks = context.registry.hooks.hook
    fire(own.note, hooks.turnkey_job_started, source=source, plan=plan)
    log = input_log(source, context.cache.path)
    states: list[State] = []
    error: TurnkeyError | None
    with ExitStack() as stack:
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            staging = stack.enter_context(staging_folder(context.cache.path))
            staged = dataclasses.replace(own, staging=staging)
            states, error = _find_models(source, plan, staged, log)
        except OSError as failure:
            reason = describe(failure)
            error = CacheError(f"The cache cannot be written: {reason}.", hint=_MAKE_ROOM)
        except CacheError as failure:
            error = failure
        fire(own.note, hooks.turnkey_models_found, source=source, states=states)
        for state in states:
            done_before = state.name in context.policy.without
            if state.selected and not done_before and not is_skipped(state, plan):
                _run_model(state, plan)
    fire(own.note, hooks.turnkey_job_finished, source=source)
    return JobResult(source, tuple(states), error, tuple(own.notes), log)


def _run_model(state: State, plan: Plan) -> None:
    """Take one model through the chain; what keeps its files from being written is its own."""
    try:
        run_chain(state, plan)
    except (CacheError, OSError) as error:
        state.fail("saving", str(error) if isinstance(error, CacheError) else describe(error))


def input_log(source: Source, cache: Path) -> Path:
    """Give the log of what an input's own code prints."""
    # Each combination of a sweep prints for itself, perhaps at the same time.
    words = [os.fsencode(source.path), repr(sorted(source.parameters.items())).encode()]
    digest = hashlib.sha256(b"\0".join(words)).hexdigest()[:8]
    return cache / _LOGS / f"{source.path.stem[:80]}-{digest}.txt"


def _find_models(
    source: Source, plan: Plan, context: RunContext, log: Path
) -> tuple[list[State], TurnkeyError | None]:
    step = plan.steps[0]
    entry = step_entry(step)
    states: list[State] = []
    error: TurnkeyError | None = None
    hooks = context.registry.hooks.hook
    fire(context.note, hooks.turnkey_step_started, state=None, source=source, step=step)
    start = time.perf_counter()
    reset_peak()
    own_log = (context.staging or log.parent) / f"{TEMPORARY}{secrets.token_hex(6)}"
    with turn_for(step, context.policy), opened_log(log, own_log) as file, output_into(file):
        try:
            for state in step.tool().start(source, step.options, context):  # type: ignore[attr-defined]
                states.append(state)
        except TurnkeyError as failure:
            error = failure
        # A first tool runs users' code and libraries, which may raise anything; Ctrl-C passes.
        except (Exception, SystemExit) as failure:  # noqa: BLE001
            message = f"{step.name} broke on {source.path.name}: {describe(failure)}"
            if isinstance(failure, OSError) and failure.errno in NO_ROOM:
                error = TurnkeyError(message, hint=_MAKE_ROOM)
            else:
                traceback.print_exc()
                error = TurnkeyError(message, hint=f"The whole traceback is in {log}")
    # Another command may have begun on the same input, and have its own log there.
    with suppress(OSError):
        publish_log(own_log, log)
    status = Status.SUCCESSFUL if error is None else Status.FAILED
    outcome = StepOutcome(status, time.perf_counter() - start, str(error) if error else None)
    for state in states:
        known = state.stats.steps.get(step.identity, {})
        state.stats.steps[step.identity] = {**entry, **known}
        finish_entry(state, step, outcome)
        if state.selected:
            # Whatever keeps it from being written keeps the state from it too, and is told then.
            with suppress(OSError):
                copy = state.folder(".") / state.build.log_file(step.name).name
                # In a cache that came from somebody else it may be a link to anything.
                copy.unlink(missing_ok=True)
                shutil.copyfile(own_log, copy)
    if error is None:
        error = _wrong_hashes(source, states)
    fire(
        context.note,
        hooks.turnkey_step_finished,
        state=None,
        source=source,
        step=step,
        outcome=outcome,
    )
    return states, error


def _wrong_hashes(source: Source, states: list[State]) -> UsageError | None:
    digests = [state.model.digest for state in states]
    for wanted in source.hashes:
        if not any(digest.startswith(wanted.lower()) for digest in digests):
            known = ", ".join(state.model.short_hash for state in states) or "none"
            return UsageError(
                f"{source.path.name} has no model with the hash {wanted}.", hint=f"It has: {known}."
            )
    return None
