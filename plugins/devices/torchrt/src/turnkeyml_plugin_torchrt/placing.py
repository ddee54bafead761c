"""Puts a module on a device for a while, and everything of it back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@contextmanager
def placed(
    module: torch.nn.Module,
    device: torch.device,
    move: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> Iterator[None]:
    """Have a module's parameters and buffers on a device.

    Afterwards each has its own memory back, not a copy of it: on the device where it was, and
    shared with whatever it was shared with.

    Args:
        module: Its parameters and buffers may be on several devices.
        device: Where they are to be.
        move: Copies a tensor to the device; by default what PyTorch does.
    """
    if move is None:

        def move(tensor: torch.Tensor) -> torch.Tensor:
            return tensor.to(device)

    homes: list[tuple[torch.Tensor, torch.Tensor]] = []
    try:
        for tensor in [*module.parameters(), *module.buffers()]:
            if tensor.device != device:
                home = tensor.data
                tensor.data = move(home)
                homes.append((tensor, home))
        yield
    finally:
        for tensor, home in homes:
            tensor.data = home
