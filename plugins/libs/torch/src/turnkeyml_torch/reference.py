"""What a model itself returns for its captured inputs: the reference for everything made of it."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from turnkeyml_torch.calling import eval_mode, flatten_outputs
from turnkeyml_torch.capture import Capturer
from turnkeyml_torch.process_state import TorchState
from turnkeyml_torch.raw import is_lazy
from turnkeyml_torch.storage import write_inputs
from turnkeyml_torch.tree import MAX_DEPTH, branch, rebuild

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch

    from turnkeyml_torch.live import LiveModel


@dataclass(frozen=True, eq=False)
class EagerReference:
    """Calls a model as PyTorch does, when somebody wants to know what it returns.

    It is what an artifact of kind `reference` carries. Making one computes nothing.
    """

    live: LiveModel

    name = "eager"

    def version(self) -> str:
        """Name what computes it, with its version."""
        import torch

        return f"torch {torch.__version__}"

    def write(self, folder: Path, *, double: bool = False, seed: int = 0) -> tuple[str, ...]:
        """Call the model in evaluation, and write the tensors that it returns into a folder.

        The inputs are copied first, the module's modes and buffers come back, and so do torch's
        global settings and random state.

        Args:
            folder: Where they are to be, in the form of captured inputs; it is made if need be.
            double: Compute in float64, on a copy of the module that exists meanwhile. The copy
                takes two to three times the memory of a float32 module.
            seed: Of torch's random numbers, for models that draw some when they are called.

        Returns:
            The names of the outputs, in order; see `flatten_outputs`.
        """
        outputs = flatten_outputs(self._call(double, seed))
        write_inputs(folder, outputs)
        return tuple(outputs)

    def _call(self, double: bool, seed: int) -> Any:
        import torch

        args, kwargs = Capturer().copy((self.live.args, self.live.kwargs))
        module = self.live.module
        before = TorchState.take()
        try:
            torch.manual_seed(seed)
            if double:
                module = copy.deepcopy(module).double()
                args, kwargs = _doubled((args, kwargs))
                # Tensors that `forward` makes are then double as well.
                torch.set_default_dtype(torch.float64)
            with buffers_kept(module), eval_mode(module), torch.no_grad():
                return module(*args, **kwargs)
        finally:
            before.restore()


@contextmanager
def buffers_kept(module: torch.nn.Module) -> Iterator[None]:
    """Give a module its buffers back, and their values, where calls change them meanwhile.

    They are kept without copying where torch can do that. Those of scripted modules only get their
    values back.
    """
    import torch

    places = [
        (owner, name, buffer)
        for owner in module.modules()
        if not isinstance(owner, torch.jit.ScriptModule)
        for name, buffer in owner._buffers.items()
        if buffer is not None
    ]
    buffers = [b for b in module.buffers() if not (b.is_inference() or is_lazy(b))]
    values = [Capturer().copy(buffer) for buffer in buffers]
    versions = [buffer._version for buffer in buffers]
    try:
        yield
    finally:
        for owner, name, buffer in places:
            if owner._buffers.get(name) is not buffer:
                owner._buffers[name] = buffer
        with torch.no_grad():
            for buffer, value, version in zip(buffers, values, versions, strict=True):
                if buffer._version != version:
                    buffer.copy_(value)


def _doubled(value: Any, depth: int = 0) -> Any:
    """Give arguments with their floating-point tensors in float64."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.double() if value.is_floating_point() else value
    inside = branch(value) if depth < MAX_DEPTH else None
    if inside is None:
        return value
    return rebuild(value, [_doubled(entry, depth + 1) for _, entry in inside.items])
