"""Private copies of the arguments of a call, which later changes in place do not reach."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from turnkeyml_torch.tree import MAX_DEPTH, branch, rebuild

if TYPE_CHECKING:
    import torch

LAZY_FROM_BYTES = 1 << 16
"""Smaller tensors are simply copied: that is faster than asking whether they may be shared."""


class Capturer:
    """Copies nested arguments; with `keep_values=False` puts random tensors in their place.

    Random tensors have the shape, dtype, device and range of the original: integers lie within
    its minimum and maximum, floats are normal. They come from a generator of their own, so the
    script's random numbers stay what they are.
    """

    def __init__(self, *, keep_values: bool = True) -> None:
        self._keep_values = keep_values

    def copy(self, value: Any) -> Any:
        """Copy everything inside `value`; objects of unknown classes stay references."""
        import torch

        with torch.no_grad(), torch.inference_mode(mode=False):
            return self._copy(value, {}, 0)

    def _copy(self, value: Any, seen: dict[int, Any], depth: int) -> Any:
        import torch

        if id(value) in seen:
            return seen[id(value)]
        if isinstance(value, torch.Tensor):
            result = _keep(value) if self._keep_values else _random_like(value)
        elif isinstance(value, torch.nn.Module):
            return value
        elif (inside := branch(value) if depth < MAX_DEPTH else None) is not None:
            result = self._copy_container(value, inside.items, seen, depth)
        elif type(value).__module__ == "numpy" and hasattr(value, "dtype"):
            result = copy.copy(value)
        else:
            return value
        seen[id(value)] = result
        return result

    def _copy_container(
        self, value: Any, items: tuple[tuple[Any, Any], ...], seen: dict[int, Any], depth: int
    ) -> Any:
        seen[id(value)] = value
        entries = [self._copy(entry, seen, depth + 1) for _, entry in items]
        try:
            return rebuild(value, entries)
        except Exception:  # noqa: BLE001 - a user's class that cannot be copied: keep a reference
            return value


def _keep(tensor: torch.Tensor) -> torch.Tensor:
    """Keep a tensor's values: shared until someone writes where torch can do that, else copied."""
    import torch

    tensor = _plain(tensor)
    try:
        if _may_share(tensor):
            lazy_clone: Any = torch._lazy_clone
            result: torch.Tensor = lazy_clone(tensor.detach())
            return result
    except (AttributeError, RuntimeError, NotImplementedError):
        pass
    return tensor.detach().clone()


def _may_share(tensor: torch.Tensor) -> bool:
    """Tell whether nothing but this tensor refers to its memory.

    Memory that an array of NumPy or another view looks at would come apart at the next write, and
    the script would compute something else; such tensors are copied.
    """
    import torch

    if tensor.layout is not torch.strided or tensor.is_meta:
        return False
    if tensor.numel() * tensor.element_size() < LAZY_FROM_BYTES:
        return False
    storage = tensor.untyped_storage()
    if storage.nbytes() > tensor.numel() * tensor.element_size():
        return False
    uses = torch._C._storage_Use_Count(storage._cdata)
    return bool(uses <= 2)  # the tensor's own reference, and the one just asked through


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """Take a tensor out of the wrappers of torch.func; of a vmapped one, the first example."""
    import torch

    functorch: Any = getattr(torch._C, "_functorch", None)
    while functorch is not None and functorch.is_functorch_wrapped_tensor(tensor):
        dimension = functorch.maybe_get_bdim(tensor)
        tensor = functorch.get_unwrapped(tensor)
        if dimension >= 0:
            tensor = tensor.select(dimension, 0)
    return tensor


def _random_like(tensor: torch.Tensor) -> torch.Tensor:
    import torch

    tensor = _plain(tensor).detach()
    if tensor.is_meta or tensor.is_quantized:
        return torch.zeros_like(tensor)
    generator = torch.Generator().manual_seed(0)
    shape, dtype = tuple(tensor.shape), tensor.dtype
    if dtype.is_floating_point or dtype.is_complex:
        wide = torch.complex64 if dtype.is_complex else torch.float32
        made = torch.randn(shape, generator=generator, dtype=wide).to(dtype)
    elif dtype is torch.bool:
        made = torch.rand(shape, generator=generator) < 0.5
    elif tensor.numel() == 0:
        made = torch.zeros(shape, dtype=dtype)
    else:
        dense = tensor.to_dense() if tensor.layout is not torch.strided else tensor
        low, high = int(dense.min()), int(dense.max())
        made = torch.randint(low, high + 1, shape, generator=generator).to(dtype)
    return made.to(tensor.device)
