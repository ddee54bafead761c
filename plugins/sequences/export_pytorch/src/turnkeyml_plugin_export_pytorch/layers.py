"""What each layer of a model gives in one call, to find where an exported file departs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml_torch import eval_mode, flatten_outputs, write_inputs
from turnkeyml_torch.capture import Capturer

if TYPE_CHECKING:
    import torch

    from turnkeyml_torch import LiveModel

MOST_BYTES = 1 << 30
"""What is kept of the layers' outputs at most."""


def keep_layers(live: LiveModel, folder: Path, *, seed: int) -> dict[str, str]:
    """Call a model and keep what each of its modules gives first, as a folder of tensors.

    Modules that are called more than once are left out.

    Args:
        live: The model and its inputs.
        folder: Where the tensors are to be.
        seed: Of torch's random numbers, as for the outputs themselves.

    Returns:
        Paths of modules to names of tensors, in the order in which the modules ended.
    """
    import torch

    kept: dict[str, torch.Tensor] = {}
    often: set[str] = set()
    paths = {id(part): path for path, part in live.module.named_modules() if path}

    def keep(part: torch.nn.Module, _: Any, output: Any) -> None:
        path = paths[id(part)]
        size = sum(tensor.numel() * tensor.element_size() for tensor in kept.values())
        if path in kept:
            often.add(path)
        elif size < MOST_BYTES:
            for tensor in list(flatten_outputs(output).values())[:1]:
                kept[path] = tensor.detach().clone()

    args, kwargs = Capturer().copy((live.args, live.kwargs))
    with eval_mode(live.module), torch.no_grad(), _hooked(live.module, keep):
        torch.manual_seed(seed)
        live.module(*args, **kwargs)
    named = {path: f"layer_{place}" for place, path in enumerate(kept) if path not in often}
    write_inputs(folder, {key: kept[path] for path, key in named.items()})
    return named


@contextmanager
def _hooked(module: torch.nn.Module, hook: Callable[..., None]) -> Iterator[None]:
    handles = []
    for path, part in module.named_modules():
        # Scripted modules may refuse hooks; what they give stays unknown.
        with suppress(RuntimeError, NotImplementedError):
            handles += [part.register_forward_hook(hook)] if path else []
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
