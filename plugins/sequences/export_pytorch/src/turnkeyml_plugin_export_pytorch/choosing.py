"""Which exporter makes the file: the one asked for, or the first that can."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from turnkeyml.errors import BuildError
from turnkeyml_plugin_export_pytorch.axes import still_fixed
from turnkeyml_plugin_export_pytorch.disk import require_space
from turnkeyml_plugin_export_pytorch.exporters import (
    Exported,
    ExportFailedError,
    Order,
    export_dynamo,
    export_torchscript,
    follow,
)
from turnkeyml_plugin_export_pytorch.failures import LOG_HINT, Failure
from turnkeyml_plugin_export_pytorch.graph import symbolic_axes, tidy
from turnkeyml_plugin_export_pytorch.names import AUTO, DYNAMO, DYNAMO_OLDEST_OPSET, TORCHSCRIPT

_TITLES = {DYNAMO: "PyTorch's ONNX exporter", TORCHSCRIPT: "PyTorch's TorchScript ONNX exporter"}
_COPIES = {DYNAMO: 1, TORCHSCRIPT: 2}
"""The TorchScript exporter writes files of its own, from which the weights are copied."""


@dataclass(frozen=True)
class Choice:
    """What was exported, and what the user should know about it.

    Args:
        exported: The model, tidied.
        axes: Axes of its inputs that are not fixed, by input, and what they are called.
        notes: The ends of sentences that begin with the build's name.
    """

    exported: Exported
    axes: Mapping[str, Mapping[int, str]]
    notes: tuple[str, ...]


def export_model(order: Order, outputs: Sequence[str], exporter: str) -> Choice:
    """Export with one exporter, or with the first that can.

    Args:
        order: What is to be exported.
        outputs: What the outputs are called in the file.
        exporter: One of `EXPORTERS`.

    Raises:
        BuildError: No exporter can, or there is no room.
    """
    failures: dict[str, Failure] = {}
    cause: ExportFailedError | None = None
    for name in _exporters_for(exporter, order.opset):
        if not all(failure.may_be_traced for failure in failures.values()):
            break
        try:
            exported = _attempt(name, order, outputs)
        except ExportFailedError as error:
            failures[name] = error.failure
            cause = cause or error
            # Into the log of this step, also if the next exporter succeeds.
            traceback.print_exc()
            continue
        doubt = _doubt(exported, order, failures)
        if doubt is not None and exporter == AUTO and not doubt.may_be_traced:
            failures[TORCHSCRIPT if DYNAMO in failures else DYNAMO] = doubt
            break
        notes = [_reason(exported, failures, exporter)]
        if doubt is not None:
            notes.append(f"the file may be wrong for other inputs: {doubt.what}.")
        axes = symbolic_axes(exported.model)
        return Choice(exported, axes, tuple(note for note in notes if note))
    raise _sentence(failures, exporter) from cause


def _exporters_for(exporter: str, opset: int) -> tuple[str, ...]:
    if exporter != AUTO:
        return (exporter,)
    return (TORCHSCRIPT, DYNAMO) if opset < DYNAMO_OLDEST_OPSET else (DYNAMO, TORCHSCRIPT)


def _attempt(name: str, order: Order, outputs: Sequence[str]) -> Exported:
    run: Mapping[str, Callable[[Order], Exported]] = {
        DYNAMO: export_dynamo,
        TORCHSCRIPT: export_torchscript,
    }
    require_space(order.scratch, order.module, copies=_COPIES[name])
    exported = run[name](order)
    tidy(exported.model, order.module, order.call.inputs, outputs)
    fixed = still_fixed(order.axes, symbolic_axes(exported.model))
    if fixed:
        raise ExportFailedError(
            Failure(
                f"its code only works with the captured size of {' and '.join(fixed)}",
                "Leave that axis out of --dynamic-axes.",
                other_exporter=False,
            )
        )
    return exported


def _doubt(exported: Exported, order: Order, failures: Mapping[str, Failure]) -> Failure | None:
    """Say why the file may be wrong for other inputs; None if there is no reason to think so."""
    if exported.exporter != TORCHSCRIPT or not (exported.fixed or order.axes):
        return None
    if DYNAMO not in failures or failures[DYNAMO].captured:
        return follow(order)
    if order.axes:
        return Failure("PyTorch could not check whether it works with other sizes")
    return Failure(f"Python looks at a value at {exported.fixed[0]}")


def _reason(exported: Exported, failures: Mapping[str, Failure], exporter: str) -> str:
    """Say why another exporter than the first made the file; empty if none did."""
    if DYNAMO in failures:
        return (
            "exported with TorchScript, because PyTorch's newer exporter (dynamo) cannot: "
            f"{failures[DYNAMO].what}."
        )
    if TORCHSCRIPT in failures:
        return (
            f"converted to opset {exported.opset} from a newer one, because TorchScript cannot "
            f"export it: {failures[TORCHSCRIPT].what}."
        )
    if exporter == AUTO and exported.exporter == TORCHSCRIPT:
        return (
            "exported with TorchScript, because PyTorch's newer exporter (dynamo) gives no opset "
            f"below {DYNAMO_OLDEST_OPSET}."
        )
    return ""


def _sentence(failures: Mapping[str, Failure], exporter: str) -> BuildError:
    first, *others = sorted(failures)
    message = f"{_TITLES[first]} cannot export this model: {failures[first].what}."
    for name in others:
        same = failures[name].what == failures[first].what
        why = ", for the same reason" if same else f": {failures[name].what}"
        message += f" The TorchScript exporter cannot either{why}."
    hint = failures[first].hint
    if exporter != AUTO and failures[first].other_exporter and not failures[first].by_values:
        other = TORCHSCRIPT if exporter == DYNAMO else DYNAMO
        hint = f"{hint} Or take --exporter {other}.".strip()
    return BuildError(message, hint=hint or LOG_HINT)
