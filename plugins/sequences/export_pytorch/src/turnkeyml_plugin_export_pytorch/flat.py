"""One captured call as a function of its tensors alone, which is what an ONNX file is.

Exporters see a module that takes the captured tensors in a row and returns its output tensors in a
row: constants are fixed in it, and containers are opened. So every input and output of the file
has a name and a place that are known beforehand, whatever the model is called with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from turnkeyml.errors import BuildError
from turnkeyml_torch import dtype_name, flatten_outputs
from turnkeyml_torch.tree import MAX_DEPTH, branch, rebuild

if TYPE_CHECKING:
    import torch

    from turnkeyml_torch import LiveModel

INNER = "model"
"""What the user's module is called inside the module that exporters see."""

_CACHE_LAYER = re.compile(r"\.layers\.(\d+)\.(key|value)s$")


@dataclass(frozen=True, eq=False)
class FlatInput:
    """One tensor among the arguments.

    Args:
        name: In the ONNX file.
        captured: Among the captured inputs; inside containers, keys are joined by dots.
        tensor: Its value, real.
        complex: Whether the argument is complex; the file then takes real and imaginary part as
            one more dimension.
    """

    name: str
    captured: str
    tensor: torch.Tensor
    complex: bool = False


@dataclass(frozen=True)
class _Slot:
    """Where a tensor belongs."""

    index: int
    complex: bool


@dataclass(frozen=True, eq=False)
class _Container:
    """Where a container belongs, and what is in it."""

    like: Any
    entries: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class _Constant:
    """A value that is fixed in the file."""

    value: Any


class FlatCall:
    """One captured call: which tensors it takes, and how its arguments are made of them."""

    def __init__(self, live: LiveModel) -> None:
        found: list[tuple[str, torch.Tensor]] = []
        names = _slot_names(live)
        order = {name: place for place, name in enumerate(live.arguments())}
        values = list(zip(names, (*live.args, *live.kwargs.values()), strict=True))
        made: dict[str, Any] = {}
        # Inputs follow the order of forward's parameters, not that of the call.
        for name, value in sorted(values, key=lambda item: order.get(item[0], len(order))):
            made[name] = _open(name, value, found, 0)
        self._args = tuple(made[name] for name in names[: len(live.args)])
        self._kwargs = {
            key: made[name] for key, name in zip(live.kwargs, names[len(live.args) :], strict=True)
        }
        given = unique_names(onnx_name(name) for name, _ in found)
        self.inputs = tuple(
            _flat_input(name, captured, tensor)
            for name, (captured, tensor) in zip(given, found, strict=True)
        )

    def arguments(self, tensors: Sequence[torch.Tensor]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Make positional and keyword arguments; containers are new ones each time."""
        args = tuple(_fill(template, tensors) for template in self._args)
        return args, {key: _fill(template, tensors) for key, template in self._kwargs.items()}

    def tensors(self) -> tuple[torch.Tensor, ...]:
        """Give the captured tensors, each as a copy that may be written to."""
        return tuple(entry.tensor.detach().clone() for entry in self.inputs)


def flat_module(module: torch.nn.Module, call: FlatCall) -> torch.nn.Module:
    """Make the module that exporters see; `module` is its only submodule, called `INNER`."""
    import torch

    class Flat(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.add_module(INNER, module)
            # Only this one's mode: the user's module has its own.
            self.training = False

        def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
            args, kwargs = call.arguments(tensors)
            inner: Callable[..., Any] = getattr(self, INNER)
            return tuple(output_tensors(inner(*args, **kwargs)).values())

    return Flat()


def output_tensors(outputs: Any) -> dict[str, torch.Tensor]:
    """Give the tensors of a model's outputs by name, complex ones as pairs of real numbers."""
    import torch

    return {
        name: torch.view_as_real(tensor) if tensor.is_complex() else tensor
        for name, tensor in flatten_outputs(outputs).items()
    }


def output_names(names: Iterable[str], taken: Iterable[str]) -> tuple[str, ...]:
    """Give outputs the names that they have in the file.

    A tensor alone is ``output``; entries of a tuple are ``output_0``, ``output_1``, …; those of a
    dict or dataclass have their keys, deeper ones joined by underscores.

    Args:
        names: As `turnkeyml_torch.flatten_outputs` gives them.
        taken: Names that are used already.
    """
    wanted = []
    for name in names:
        plain = re.sub(r"^out(?=$|_\d)", "output", name)
        wanted.append(onnx_name(plain))
    return tuple(unique_names(wanted, taken, "output_{}"))


def onnx_name(name: str) -> str:
    """Turn a dotted name into one that is valid in an ONNX file."""
    short = _CACHE_LAYER.sub(r"_\1_\2", name)
    plain = re.sub(r"\W+", "_", short, flags=re.ASCII)
    return f"_{plain}" if not plain or plain[0].isdigit() else plain


def unique_names(
    names: Iterable[str], taken: Iterable[str] = (), prefixed: str = "{}_1"
) -> list[str]:
    """Make names different from each other and from those taken.

    Args:
        names: In order; the first of several equal ones stays as it is.
        taken: Names that are used already.
        prefixed: What becomes of one that is taken, before numbers are tried.
    """
    used = set(taken)
    result = []
    for name in names:
        candidate, number = name, 0
        while candidate in used:
            candidate = prefixed.format(name) if number == 0 else f"{name}_{number}"
            number += 1
        used.add(candidate)
        result.append(candidate)
    return result


def _slot_names(live: LiveModel) -> list[str]:
    """Name each positional argument and then each keyword argument as `bind_names` does.

    The call is made again as the user made it: some modules take their tensors by keyword only,
    whatever their signature says.
    """
    # Positional arguments are always the first ones, in the order of the signature.
    names = list(live.arguments())
    positional, rest = names[: len(live.args)], names[len(live.args) :]
    return positional + [key if key in rest else f"{key}_" for key in live.kwargs]


def _open(name: str, value: Any, found: list[tuple[str, torch.Tensor]], depth: int) -> Any:
    """Replace tensors by slots; walks as the input signature does, so that names agree."""
    import torch

    if isinstance(value, torch.Tensor):
        found.append((name, value))
        return _Slot(len(found) - 1, value.is_complex())
    inside = branch(value) if depth < MAX_DEPTH else None
    if inside is None:
        return _Constant(value)
    before = len(found)
    entries = tuple(_open(f"{name}.{key}", entry, found, depth + 1) for key, entry in inside.items)
    try:
        rebuild(value, [entry for _, entry in inside.items])
    except Exception:  # noqa: BLE001 - a user's class that cannot be made again is a constant
        del found[before:]
        return _Constant(value)
    return _Container(value, entries)


def _fill(template: Any, tensors: Sequence[torch.Tensor]) -> Any:
    import torch

    if isinstance(template, _Slot):
        tensor = tensors[template.index]
        return torch.view_as_complex(tensor) if template.complex else tensor
    if isinstance(template, _Container):
        return rebuild(template.like, [_fill(entry, tensors) for entry in template.entries])
    return template.value


def _flat_input(name: str, captured: str, tensor: torch.Tensor) -> FlatInput:
    import torch

    if tensor.layout is not torch.strided:
        raise BuildError(
            f"The input {captured} is a sparse tensor, which an ONNX file cannot take.",
            hint="Call the model with a dense tensor (to_dense()).",
        )
    if tensor.is_quantized:
        raise BuildError(
            f"The input {captured} is a quantized tensor ({dtype_name(tensor.dtype)}), which an "
            "ONNX file cannot take.",
            hint="Call the model with tensor.dequantize(), and quantize inside it.",
        )
    if tensor.is_complex():
        return FlatInput(name, captured, torch.view_as_real(tensor.detach().resolve_conj()), True)
    return FlatInput(name, captured, tensor)
