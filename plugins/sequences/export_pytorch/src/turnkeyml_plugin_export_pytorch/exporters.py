"""PyTorch's two ONNX exporters, each as a function that gives a model in memory or a failure."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml_plugin_export_pytorch.attention import four_dimensional_attention
from turnkeyml_plugin_export_pytorch.failures import (
    Failure,
    explain_dynamo,
    explain_number,
    explain_torchscript,
)
from turnkeyml_plugin_export_pytorch.flat import FlatCall, flat_module
from turnkeyml_plugin_export_pytorch.names import (
    DYNAMO,
    DYNAMO_OLDEST_OPSET,
    TORCHSCRIPT,
    TORCHSCRIPT_NEWEST_OPSET,
)
from turnkeyml_plugin_export_pytorch.places import Place, is_foreign, place_in_stack
from turnkeyml_plugin_export_pytorch.rewriting import quick_rules
from turnkeyml_plugin_export_pytorch.translations import own_translations

if TYPE_CHECKING:
    import onnx_ir as ir
    import torch


class ExportFailedError(Exception):
    """An exporter gave up; the cause is what it raised."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.what)
        self.failure = failure


@dataclass(frozen=True)
class Order:
    """What is to be exported.

    Args:
        module: The model, in evaluation mode.
        call: Its inputs.
        opset: The ONNX opset that the file must have.
        axes: Input names to those of their axes that are not fixed, and what they are called.
        scratch: A folder for files that are needed for a while.
    """

    module: torch.nn.Module
    call: FlatCall
    opset: int
    axes: Mapping[str, Mapping[int, str]]
    scratch: Path


@dataclass(frozen=True, eq=False)
class Exported:
    """What an exporter gave.

    Args:
        model: In memory; its weights are those of the module or in the scratch folder, not copies.
        exporter: Which one.
        opset: Of the standard operators, as the model says.
        fixed: Lines of the user's code where Python looked at a value, whose outcome for these
            inputs is therefore fixed in the model.
    """

    model: ir.Model
    exporter: str
    opset: int
    fixed: tuple[Place, ...] = ()


def export_dynamo(order: Order) -> Exported:
    """Export with torch.onnx.export and dynamo=True.

    Raises:
        ExportFailedError: It cannot express the model, or not in this opset.
    """
    import torch

    # A scripted module is refused in words; inside another it fails in ways that mean nothing.
    seen = order.module if _is_scripted(order.module) else flat_module(order.module, order.call)
    try:
        with _quiet(), quick_rules(), four_dimensional_attention():
            program = torch.onnx.export(
                seen,
                _example_tensors(order),
                dynamo=True,
                opset_version=order.opset,
                dynamic_shapes=_dynamic_shapes(order, named=True),
                verbose=False,
                **own_translations(),
            )
    except ExportFailedError:
        raise
    # The exporter raises errors of many kinds; all mean that this model cannot be exported.
    except Exception as error:
        raise ExportFailedError(_explain_dynamo(error, order)) from error
    assert program is not None, "dynamo=True gives a program"
    _check_opset(program.model, order.opset, f"Take an opset of at least {DYNAMO_OLDEST_OPSET}.")
    return Exported(program.model, DYNAMO, order.opset)


def export_torchscript(order: Order) -> Exported:
    """Export with torch.onnx.export and dynamo=False, which follows one call of the model.

    Raises:
        ExportFailedError: It cannot express the model, or not in this opset.
    """
    import onnx_ir as ir
    import torch

    if order.opset > TORCHSCRIPT_NEWEST_OPSET:
        raise ExportFailedError(
            Failure(f"it gives at most opset {TORCHSCRIPT_NEWEST_OPSET}, not {order.opset}")
        )
    path = order.scratch / "exported.onnx"
    names = [entry.name for entry in order.call.inputs]
    scripted = isinstance(order.module, torch.jit.ScriptModule)
    try:
        with _quiet() as noted:
            torch.onnx.export(
                # A scripted module is taken as it is, with its control flow.
                order.module if scripted else flat_module(order.module, order.call),
                order.call.tensors(),
                str(path),
                dynamo=False,
                opset_version=order.opset,
                input_names=names,
                dynamic_axes={name: dict(axes) for name, axes in order.axes.items()},
                verbose=False,
            )
    # As above.
    except Exception as error:
        raise ExportFailedError(explain_torchscript(error, order.module)) from error
    model = ir.load(path)
    _check_opset(model, order.opset, "Take another --opset.")
    return Exported(model, TORCHSCRIPT, order.opset, _fixed_places(noted))


def follow(order: Order) -> Failure | None:
    """Follow the model's code without values; say what it does by values, or why that fails.

    The TorchScript exporter follows one call with its values, and warns wherever Python looks at
    one, also where it is nothing but a size. This tells whether any of that matters.
    """
    import torch

    if _is_scripted(order.module):
        # Its own code went into the file, not what one call did.
        return None
    try:
        with _quiet():
            module = flat_module(order.module, order.call)
            program = torch.export.export(
                module,
                _example_tensors(order),
                dynamic_shapes=_dynamic_shapes(order, named=False),
                strict=False,
            )
    except ExportFailedError as error:
        return error.failure
    except Exception as error:  # noqa: BLE001 - as above
        return _explain_dynamo(error, order)
    for node in program.graph.nodes:
        if str(node.target) in ("aten.item.default", "aten._local_scalar_dense.default"):
            return explain_number(place_in_stack(str(node.meta.get("stack_trace") or "")))
    return None


def _is_scripted(module: torch.nn.Module) -> bool:
    """Tell whether a module has code of TorchScript's own; a traced one can be followed."""
    import torch

    traced: Any = getattr(torch.jit, "TopLevelTracedModule")  # noqa: B009 - not in its stubs
    return isinstance(module, torch.jit.ScriptModule) and not isinstance(module, traced)


def _explain_dynamo(error: BaseException, order: Order) -> Failure:
    return explain_dynamo(error, order.module, [entry.name for entry in order.call.inputs])


def _dynamic_shapes(order: Order, *, named: bool) -> Any:
    import torch

    if not order.axes:
        return None
    free = getattr(torch.export.Dim, "DYNAMIC", None)
    if free is None:
        raise ExportFailedError(
            Failure(
                f"torch {torch.__version__} cannot leave axes open", "Install torch 2.7 or newer."
            )
        )
    entries = [order.axes.get(entry.name, {}) for entry in order.call.inputs]
    # One parameter, *tensors, takes them all.
    return (
        tuple(
            {axis: label if named else free for axis, label in axes.items()} or None
            for axes in entries
        ),
    )


def _example_tensors(order: Order) -> tuple[torch.Tensor, ...]:
    """Give the tensors to follow the model with; free axes of size 1 have size 2 in them.

    Followed with size 1, an LSTM came out with outputs that say 1 where the batch is free.
    """
    widened = []
    for entry, tensor in zip(order.call.inputs, order.call.tensors(), strict=True):
        for axis in order.axes.get(entry.name, ()):
            if tensor.shape[axis] == 1:
                tensor = tensor.repeat_interleave(2, axis)  # noqa: PLW2901
        widened.append(tensor)
    return tuple(widened)


def _check_opset(model: ir.Model, opset: int, hint: str) -> None:
    got = model.opset_imports.get("")
    if got != opset:
        what = f"it gave opset {got} although {opset} was asked for"
        raise ExportFailedError(Failure(what, hint))


@contextlib.contextmanager
def _quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Keep warnings from the user, whom most of the exporters' do not concern; give them all."""
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        yield noted


def _fixed_places(noted: list[warnings.WarningMessage]) -> tuple[Place, ...]:
    """Find where the tracer warns that it followed the values of these inputs."""
    import torch

    tracer_warning: Any = getattr(torch.jit, "TracerWarning")  # noqa: B009 - not in its stubs
    places = [
        Place(warning.filename, warning.lineno)
        for warning in noted
        if issubclass(warning.category, tracer_warning)
        and "You can safely ignore this warning" not in str(warning.message)
        and is_foreign(warning.filename)
    ]
    return tuple(dict.fromkeys(places))
