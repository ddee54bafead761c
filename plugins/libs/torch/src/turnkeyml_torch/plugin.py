"""What this package registers: how turnkey's API takes a live PyTorch module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turnkeyml.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from turnkeyml.given import GivenModel


@hookimpl
def turnkey_given_model(model: object, inputs: Any) -> GivenModel | None:
    """Take a ``torch.nn.Module`` and the inputs of one call."""
    from turnkeyml_torch.given import given_model

    return given_model(model, inputs)
