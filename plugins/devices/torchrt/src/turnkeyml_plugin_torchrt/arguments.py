"""What a module is called with: its form, its copies, and what a call does to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from turnkeyml_torch import arguments_from_names
from turnkeyml_torch.capture import Capturer
from turnkeyml_torch.signature import forward_signature
from turnkeyml_torch.tree import MAX_DEPTH, branch, rebuild

if TYPE_CHECKING:
    import torch


class Arguments(NamedTuple):
    """What a module is called with: ``module(*args, **kwargs)``."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def copied(self) -> Arguments:
        """Copy everything inside, so that a call which writes to it changes nothing else."""
        return Arguments(*Capturer().copy((self.args, self.kwargs)))

    def on_host(self) -> Arguments:
        """Give them with all tensors in the memory of the processor."""
        if all(tensor.device.type == "cpu" for tensor in self.tensors()):
            return self
        return self.mapped(lambda tensor: tensor.to("cpu"))

    def mapped(self, function: Callable[[torch.Tensor], torch.Tensor]) -> Arguments:
        """Put what a function makes of each tensor in its place."""
        return Arguments(*_mapped((self.args, self.kwargs), function, {}, 0))

    def tensors(self) -> tuple[torch.Tensor, ...]:
        """Give all tensors inside, in order."""
        return tuple(_tensors((self.args, self.kwargs), 0))


class Mark:
    """Remembers arguments as they are now, to tell later whether a call changed them."""

    def __init__(self, arguments: Arguments) -> None:
        self._arguments = arguments
        self._tensors = arguments.tensors()
        self._versions = tuple(map(_version, self._tensors))
        self._shapes = tuple(tensor.shape for tensor in self._tensors)

    def is_rebuilt(self) -> bool:
        """Tell whether other tensors, more, fewer, or of other shapes are inside now."""
        now = self._arguments.tensors()
        return len(now) != len(self._tensors) or any(
            new is not old or new.shape != shape
            for new, old, shape in zip(now, self._tensors, self._shapes, strict=True)
        )

    def is_written(self) -> bool:
        """Tell whether values of the tensors were written to, or `is_rebuilt`."""
        versions = tuple(map(_version, self._tensors))
        return versions != self._versions or self.is_rebuilt()


def _version(tensor: torch.Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def arguments_from_inputs(module: torch.nn.Module, inputs: Mapping[str, Any]) -> Arguments:
    """Give the arguments of a call from inputs by the names of ``forward``.

    They go by keyword where they can. A module with hooks that only see positional arguments gets
    them by position as far as that is possible.

    Args:
        module: What will be called.
        inputs: As `turnkeyml_torch.LiveModel.arguments` gives them.
    """
    args, kwargs = arguments_from_names(module, inputs)
    if kwargs and _has_positional_hooks(module):
        args, kwargs = _by_position(module, args, kwargs)
    return Arguments(args, kwargs)


def _has_positional_hooks(module: torch.nn.Module) -> bool:
    for kind in ("_forward_pre_hooks", "_forward_hooks"):
        hooks = set(getattr(module, kind, ()))
        if hooks - set(getattr(module, f"{kind}_with_kwargs", ())):
            return True
    return False


def _by_position(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    left = dict(kwargs)
    found = list(args)
    for parameter in list(forward_signature(module).parameters.values())[len(args) :]:
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.name not in left:
            break
        found.append(left.pop(parameter.name))
    return tuple(found), left


def _tensors(value: Any, depth: int) -> Iterator[torch.Tensor]:
    import torch

    if isinstance(value, torch.Tensor):
        yield value
        return
    inside = branch(value) if depth < MAX_DEPTH else None
    for _, entry in inside.items if inside is not None else ():
        yield from _tensors(entry, depth + 1)


def _mapped(
    value: Any,
    function: Callable[[torch.Tensor], torch.Tensor],
    done: dict[int, Any],
    depth: int,
) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        # One tensor in two places stays one.
        if id(value) not in done:
            done[id(value)] = function(value)
        return done[id(value)]
    inside = branch(value) if depth < MAX_DEPTH else None
    if inside is None or not inside.items:
        return value
    entries = [_mapped(entry, function, done, depth + 1) for _, entry in inside.items]
    try:
        return rebuild(value, entries)
    except Exception:  # noqa: BLE001 - a user's class that cannot be made anew stays as it is
        return value
