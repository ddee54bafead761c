"""The sentence for a model that cannot even be called, before any exporter is asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from turnkeyml.errors import BuildError
from turnkeyml_plugin_export_pytorch.failures import describe
from turnkeyml_plugin_export_pytorch.places import place_of
from turnkeyml_torch import dtype_name

if TYPE_CHECKING:
    import torch


def own_error(
    error: BaseException,
    module: torch.nn.Module,
    tensors: Iterable[torch.Tensor] = (),
    *,
    runs_in_training: bool = False,
) -> BuildError:
    """Make the sentence for a model that cannot even be called.

    Args:
        error: What it raised in evaluation mode.
        module: The model.
        tensors: What it was called with.
        runs_in_training: Whether the same call is no failure in training mode.
    """
    place = place_of(error)
    at = f" at {place}" if place is not None else ""
    raised = f"it raises {describe(error)}{at}."
    if runs_in_training:
        return BuildError(
            f"The model cannot be called in evaluation mode: {raised}",
            hint="What goes on is the model in evaluation mode; let it work in that mode too.",
        )
    hint = (
        _about_arguments(error, module)
        or _about_dtypes(error, module, tensors)
        or "Call it with them in Python alone, after model.eval(), to see why."
    )
    return BuildError(f"The model cannot be called with these inputs: {raised}", hint=hint)


def _about_arguments(error: BaseException, module: torch.nn.Module) -> str:
    # The same may be raised by a call inside the model, which is not the inputs' fault. The class
    # of a TorchScript module has no forward to look at.
    forward = getattr(getattr(type(module), "forward", None), "__qualname__", "forward")
    if not isinstance(error, TypeError) or not str(error).startswith(f"{forward}() "):
        return ""
    return "Look at the inputs: they must fit the parameters of its forward."


def _about_dtypes(
    error: BaseException, module: torch.nn.Module, tensors: Iterable[torch.Tensor]
) -> str:
    weights = _float_dtypes(module.parameters())
    given = _float_dtypes(tensors)
    if "type" not in str(error) or not weights or not given or weights & given:
        return ""
    return (
        f"Its weights are {', '.join(sorted(weights))} and the inputs {', '.join(sorted(given))}: "
        "convert the model before it is called for the first time, or convert a copy of it."
    )


def _float_dtypes(tensors: Iterable[torch.Tensor]) -> set[str]:
    return {dtype_name(tensor.dtype) for tensor in tensors if tensor.is_floating_point()}
