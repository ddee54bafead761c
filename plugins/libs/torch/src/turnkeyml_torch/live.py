"""A model in memory together with the inputs of one of its invocations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from turnkeyml_torch.signature import bind_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from turnkeyml_torch.signature import Signature


@dataclass(frozen=True, eq=False)
class LiveModel:
    """What an artifact of kind `pytorch-model` carries; it is never written.

    `args` and `kwargs` are those of one captured call, with this `signature`.
    """

    module: torch.nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    signature: Signature

    def arguments(self) -> dict[str, Any]:
        """Give the inputs by the names of `forward`, in their order."""
        return bind_names(self.module, self.args, self.kwargs)

    def ordered_kwargs(self) -> dict[str, Any]:
        """Give the keyword arguments in the order of `forward`'s parameters."""
        order = {name: place for place, name in enumerate(self.arguments())}
        return dict(sorted(self.kwargs.items(), key=lambda item: order.get(item[0], len(order))))

    def tensor_shapes(self) -> dict[str, tuple[int, ...]]:
        """Give the shapes of the tensors among the inputs, by dotted name, in order."""
        return self.signature.shapes()
