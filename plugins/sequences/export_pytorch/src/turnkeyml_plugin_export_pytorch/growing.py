"""A model's captured inputs made larger along axes that an exported file does not fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from turnkeyml_plugin_export_pytorch.flat import FlatCall

if TYPE_CHECKING:
    import torch

    from turnkeyml_torch import LiveModel


def grown_model(
    live: LiveModel, axes: Mapping[str, Mapping[str, str]]
) -> tuple[LiveModel, dict[str, torch.Tensor], str]:
    """Make the captured inputs one larger along each axis that is not fixed.

    What is added are copies of the first entries, so that all values stay possible ones.

    Args:
        live: The model and its captured inputs.
        axes: Input names of the file to axes to what these are called.

    Returns:
        The model with the larger inputs; these by the names of the file's inputs; the sizes in
        words.
    """
    import torch

    from turnkeyml_torch import make_signature

    call = FlatCall(live)
    values = {}
    for entry in call.inputs:
        tensor = entry.tensor.detach()
        for axis in axes.get(entry.name, {}):
            tensor = torch.cat([tensor, tensor.narrow(int(axis), 0, 1)], int(axis))
        values[entry.name] = tensor.contiguous()
    args, kwargs = call.arguments(list(values.values()))
    signature = make_signature(live.module, args, kwargs)
    sizes = ", ".join(f"{name} {tuple(values[name].shape)}" for name in axes if name in values)
    return replace(live, args=args, kwargs=kwargs, signature=signature), values, sizes
