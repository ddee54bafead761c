"""Whether there is room for what is going to be written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.errors import BuildError

if TYPE_CHECKING:
    import torch

_SPARE = 1.1
"""How much larger than its weights an exported model may be: the graph, and what is folded."""

_MB = 1e6


def require_space(folder: Path, module: torch.nn.Module, *, copies: int) -> None:
    """Check that a model can be written before the time for exporting it is spent.

    Args:
        folder: Where it will be; it exists.
        module: The model.
        copies: How often its weights will be on disk at the same time.

    Raises:
        BuildError: Says how much is needed and how much is free.
    """
    needed = int(weight_bytes(module) * _SPARE) * copies
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise BuildError(
            f"The exported model needs about {needed / _MB:,.0f} MB in {folder}, and only "
            f"{free / _MB:,.0f} MB are free.",
            hint="Make room, or give another cache directory with -d.",
        )


def weight_bytes(module: torch.nn.Module) -> int:
    """Count the bytes of a module's parameters and buffers; tied ones count once."""
    from turnkeyml_torch import parameters

    buffers = sum(buffer.numel() * buffer.element_size() for buffer in module.buffers())
    return parameters(module).bytes + buffers
