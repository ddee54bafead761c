"""Puts a module on a device for a while, and everything of it back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from turnkeyml_torch.capture import Capturer

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


@contextmanager
def buffers_kept(module: torch.nn.Module) -> Iterator[None]:
    """Write back the values of buffers that the module itself changes meanwhile, and the buffers.

    They are kept without copying where PyTorch can do that, so a large buffer costs memory only if
    it is written to.
    """
    import torch

    places = [
        (owner, name, buffer)
        for owner in module.modules()
        # A scripted module has no such mapping that could be written to.
        if not isinstance(owner, torch.jit.ScriptModule)
        for name, buffer in owner._buffers.items()
        if buffer is not None
    ]
    buffers = [buffer for buffer in module.buffers() if not buffer.is_inference()]
    kept = [Capturer().copy(buffer) for buffer in buffers]
    versions = [buffer._version for buffer in buffers]
    try:
        yield
    finally:
        for owner, name, buffer in places:
            if owner._buffers.get(name) is not buffer:
                owner._buffers[name] = buffer
        with torch.no_grad():
            for buffer, value, version in zip(buffers, kept, versions, strict=True):
                if buffer._version != version:
                    buffer.copy_(value)
