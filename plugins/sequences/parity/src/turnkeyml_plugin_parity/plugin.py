"""What this package registers: global options, and a listener to the end of each step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.plugins import hookimpl

if TYPE_CHECKING:
    from turnkeyml.inputs import Source
    from turnkeyml.outcomes import StepOutcome
    from turnkeyml.plan import Plan, PlannedStep
    from turnkeyml.state import State

implements = {
    "api_version": 1,
    "settings": "turnkeyml_plugin_parity.settings:ParityOptions",
}

_plans: dict[Path, Plan] = {}
"""Those of the inputs that are being worked on: they say what will run the artifacts later."""


@hookimpl
def turnkey_job_started(source: Source, plan: Plan) -> None:
    """Remember what the chain is."""
    _plans[source.path] = plan


@hookimpl
def turnkey_job_finished(source: Source) -> None:
    """Forget the chain."""
    _plans.pop(source.path, None)


@hookimpl
def turnkey_step_finished(
    state: State | None, source: Source, step: PlannedStep, outcome: StepOutcome
) -> None:
    """Check what the step made.

    Raises:
        BuildError: It is not what it should be, and ``--on-mismatch fail`` was given.
    """
    if state is None or step.contract.produces is None:
        return
    from turnkeyml_plugin_parity.listener import after_step

    after_step(state, step, outcome, _plans.get(source.path))
