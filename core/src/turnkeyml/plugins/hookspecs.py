"""The hooks that a plugin's module, or any object registered with pluggy, may implement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from turnkeyml.given import GivenModel
    from turnkeyml.inputs import Source
    from turnkeyml.outcomes import StepOutcome
    from turnkeyml.plan import Plan, PlannedStep
    from turnkeyml.report import Row
    from turnkeyml.state import State

PROJECT = "turnkeyml"
API_VERSION = 1
"""Raised when a change here, or in the `implements` mapping, breaks plugins that are out there."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def turnkey_implements() -> Mapping[str, Any]:  # type: ignore[empty-body]
    """Give the `implements` mapping of a plugin that has no module attribute of that name.

    Fires once, when plugins are loaded; the module is imported even for ``turnkey -h``.
    """


@hookspec
def turnkey_plan_made(plan: Plan) -> None:
    """Fires after a chain was checked whole and before anything of it runs. Changes nothing."""


@hookspec
def turnkey_job_started(source: Source, plan: Plan) -> None:
    """Fires when work on one input begins."""


@hookspec
def turnkey_models_found(source: Source, states: Sequence[State]) -> None:
    """Fires when the first tool has given its models, selected or not."""


@hookspec
def turnkey_step_started(state: State | None, source: Source, step: PlannedStep) -> None:
    """Fires before a step runs on a model; ``state`` is None for the step that starts the chain."""


@hookspec
def turnkey_step_finished(
    state: State | None, source: Source, step: PlannedStep, outcome: StepOutcome
) -> None:
    """Fires after a step ended, well or not. A listener may add to ``state.stats``."""


@hookspec
def turnkey_build_finished(state: State) -> None:
    """Fires when one model's way through the chain has ended, after its files were saved."""


@hookspec
def turnkey_job_finished(source: Source) -> None:
    """Fires when all models of one input have ended."""


@hookspec(firstresult=True)
def turnkey_given_model(model: object, inputs: Any) -> GivenModel | None:
    """Recognise an object that a script gives to turnkey's API.

    Fires when ``build_model`` is called with something that is no path; changes nothing.

    Args:
        model: The object.
        inputs: What it is called with: a mapping, a tuple or list, or one argument.

    Returns:
        What the chain starts from, or None for objects that the plugin does not know.
    """
    return None


@hookspec(firstresult=True)
def turnkey_loading_script(kind: str, model: str, inputs: str, outputs: str) -> str | None:
    """Give a short Python script that loads an artifact, runs it, and compares what it returns.

    Fires when a result is put into ``--output``; the script stands beside the files that it names.

    Args:
        kind: The artifact's kind, such as ``onnx-model``.
        model: The name of its file.
        inputs: The name of an ``.npz`` file with the inputs by their names.
        outputs: The name of one with what the model itself returned, in order; it may be missing.

    Returns:
        The script, or None for kinds that the plugin does not know.
    """
    return None


@hookspec
def turnkey_report_columns(row: Row) -> Mapping[str, Any]:  # type: ignore[empty-body]
    """Add columns to a report.

    Fires for each row, each time a report is made; a column that the row has already is not
    changed. What is read from the build's folder (``row.build.path``) is read every time, so it
    must be little.

    Args:
        row: ``row.values`` has all that the statistics of the build have, by column.

    Returns:
        Values by the names of columns, units at their end; JSON values, or None for nothing.
    """


@hookspec
def turnkey_report_formats() -> Mapping[str, Any]:  # type: ignore[empty-body]
    """Add formats in which a report can be written.

    Fires when a report is asked for, and not for ``turnkey -h``.

    Returns:
        Names, as given to ``--format``, to subclasses of `turnkeyml.report.ReportFormat`, or to
        text ``"package.module:Class"`` that names one.
    """
