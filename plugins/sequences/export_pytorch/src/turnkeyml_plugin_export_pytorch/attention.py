"""Attention over tensors of any number of dimensions, as the exporter's four."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_DIMENSIONS = 4
"""Batch, head, position and feature: all that the dynamo exporter translates (onnxscript 0.7.2,
``only 4D query, key, and value are supported``)."""


@contextlib.contextmanager
def four_dimensional_attention() -> Iterator[None]:
    """Have `scaled_dot_product_attention` work on four dimensions where a model has others.

    The dimensions before the last three become one; PyTorch computes the same either way. Where
    query, key, value and mask do not have the same, it is called as it was, and so it is by a model
    that has imported the function by its name.
    """
    import torch

    functional: Any = torch.nn.functional
    original: Callable[..., torch.Tensor] = functional.scaled_dot_product_attention

    def attention(
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> torch.Tensor:
        before = query.shape[:-3]
        same = key.shape[:-3] == before == value.shape[:-3]
        if attn_mask is not None and attn_mask.dim() > query.dim():
            same = False
        if query.dim() == _DIMENSIONS or not same:
            return original(query, key, value, attn_mask, *args, **kwargs)
        if attn_mask is not None and attn_mask.dim() > _DIMENSIONS - 1:
            attn_mask = _flat(attn_mask.expand(*before, *attn_mask.shape[-3:]))
        found = original(_flat(query), _flat(key), _flat(value), attn_mask, *args, **kwargs)
        return found.reshape(*query.shape[:-1], value.shape[-1])

    functional.scaled_dot_product_attention = attention
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = original


def _flat(tensor: torch.Tensor) -> torch.Tensor:
    while tensor.dim() < _DIMENSIONS:
        tensor = tensor.unsqueeze(0)
    return tensor.flatten(0, -_DIMENSIONS)
