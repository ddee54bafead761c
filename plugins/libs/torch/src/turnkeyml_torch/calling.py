"""Calls modules with captured inputs, and names what they return."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any

from turnkeyml_torch.capture import Capturer
from turnkeyml_torch.signature import forward_signature
from turnkeyml_torch.tree import MAX_DEPTH, branch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import torch

    from turnkeyml_torch.records import Invocation


@contextlib.contextmanager
def eval_mode(module: torch.nn.Module) -> Iterator[None]:
    """Put a module into evaluation; afterwards each submodule has its own mode back."""
    before = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in before:
            part.training = training


def call(module: torch.nn.Module, invocation: Invocation) -> Any:
    """Call a module in evaluation and without gradients; give what it returns.

    The inputs are copied first (without moving bytes where torch can), so a `forward` that writes
    to them changes no later call. The module's modes are what they were afterwards.
    """
    import torch

    args, kwargs = Capturer().copy((invocation.args, invocation.kwargs))
    with eval_mode(module), torch.no_grad():
        return module(*args, **kwargs)


def arguments_from_names(
    module: torch.nn.Module, named: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Turn arguments by name, as `bind_names` gives and files keep them, into a call's.

    Raises:
        TypeError: a name fits no parameter of `forward`, or a required one is missing.

    """
    left = dict(named)
    try:
        parameters = list(forward_signature(module).parameters.values())
    except (TypeError, ValueError):
        return _by_position(left), left
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    starred = any(
        parameter.kind is parameter.VAR_POSITIONAL and f"{parameter.name}_0" in left
        for parameter in parameters
    )
    for parameter in parameters:
        name, kind = parameter.name, parameter.kind
        if kind is parameter.VAR_POSITIONAL:
            args.extend(_by_position(left, name))
        elif kind is parameter.VAR_KEYWORD:
            kwargs.update(left)
            left.clear()
        elif kind is parameter.POSITIONAL_ONLY or (
            starred and kind is parameter.POSITIONAL_OR_KEYWORD
        ):
            args.append(_take(left, parameter, module))
        elif name in left or parameter.default is inspect.Parameter.empty:
            kwargs[name] = _take(left, parameter, module)
    if left:
        raise TypeError(f"{type(module).__name__}.forward takes no argument '{next(iter(left))}'.")
    return tuple(args), kwargs


def flatten_outputs(outputs: Any) -> dict[str, torch.Tensor]:
    """Give every tensor in a model's outputs a stable name.

    A tensor alone is `out`; entries of a tuple or list are `out_0`, `out_1`, …; those of a dict,
    dataclass or named tuple have their keys; deeper ones join names with dots (`past.0`). What is
    no tensor is left out.
    """
    import torch

    if isinstance(outputs, torch.Tensor):
        return {"out": outputs}
    inside = branch(outputs)
    if inside is None:
        return {}
    prefix = "out_" if inside.kind in ("list", "tuple") else ""
    found: dict[str, torch.Tensor] = {}
    for key, value in inside.items:
        for name, tensor in _tensors(f"{prefix}{key}", value, 0):
            unique = name
            while unique in found:
                unique += "_"
            found[unique] = tensor
    return found


def _tensors(name: str, value: Any, depth: int) -> Iterator[tuple[str, torch.Tensor]]:
    import torch

    if isinstance(value, torch.Tensor):
        yield name, value
        return
    inside = branch(value) if depth < MAX_DEPTH else None
    for key, entry in inside.items if inside is not None else ():
        yield from _tensors(f"{name}.{key}", entry, depth + 1)


def _by_position(left: dict[str, Any], name: str = "arg") -> tuple[Any, ...]:
    found: list[Any] = []
    while f"{name}_{len(found)}" in left:
        found.append(left.pop(f"{name}_{len(found)}"))
    return tuple(found)


def _take(left: dict[str, Any], parameter: inspect.Parameter, module: torch.nn.Module) -> Any:
    if parameter.name in left:
        return left.pop(parameter.name)
    if parameter.default is inspect.Parameter.empty:
        raise TypeError(f"{type(module).__name__}.forward needs the argument '{parameter.name}'.")
    return parameter.default
