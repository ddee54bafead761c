"""The input signature of a call: the names of `forward` bound to shapes, dtypes and values."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from turnkeyml_torch.tree import MAX_DEPTH, branch, class_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

_REPRESENTED = ("dtype", "device", "layout", "memory_format", "complex", "bytes", "slice", "range")


class Leaf(NamedTuple):
    """One value among the inputs.

    `name` joins nested names with dots (`past.0.1`). `kind` is `tensor`, `none`, `bool`, `int`,
    `float`, `str`, `opaque`, or, for a container that is empty, the container's kind. `dtype`
    (`float32`) and `shape` belong to tensors; `value` to the others: a float that is not finite
    is given as text, an opaque value by its class.
    """

    name: str
    kind: str
    dtype: str | None = None
    shape: tuple[int, ...] | None = None
    value: bool | int | float | str | None = None


@dataclass(frozen=True)
class Signature:
    """The ordered leaves of a call's inputs; equal and hashable by content."""

    leaves: tuple[Leaf, ...]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Give the shapes of the tensors by name, as the console shows them."""
        return {leaf.name: leaf.shape for leaf in self.leaves if leaf.shape is not None}

    def to_json(self) -> list[dict[str, Any]]:
        """Give the leaves as values that `json` can write; absent fields are left out."""
        return [
            {
                key: list(value) if key == "shape" else value
                for key, value in leaf._asdict().items()
                if value is not None
            }
            for leaf in self.leaves
        ]

    @classmethod
    def from_json(cls, leaves: Sequence[Mapping[str, Any]]) -> Signature:
        """Read what `to_json` gave."""
        return cls(
            tuple(
                Leaf(
                    name=str(leaf["name"]),
                    kind=str(leaf["kind"]),
                    dtype=leaf.get("dtype"),
                    shape=tuple(leaf["shape"]) if "shape" in leaf else None,
                    value=leaf.get("value"),
                )
                for leaf in leaves
            )
        )


def bind_names(
    module: torch.nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Bind arguments to the parameter names of the module's `forward`, in their order.

    `*args` become `name_0`, `name_1`, …; `**kwargs` keep their own names, sorted. Arguments that
    do not fit, and modules whose signature cannot be read, give `arg_0`, `arg_1`, … and keywords.
    """
    try:
        bound = forward_signature(module).bind(*args, **kwargs)
    except (TypeError, ValueError):
        named = {f"arg_{index}": value for index, value in enumerate(args)}
        return named | dict(kwargs)
    named = {}
    extra: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            named.update({f"{name}_{index}": entry for index, entry in enumerate(value)})
        elif kind is inspect.Parameter.VAR_KEYWORD:
            extra = value
        else:
            named[name] = value
    for name in sorted(extra):
        named[name if name not in named else f"{name}_"] = extra[name]
    return named


def forward_signature(module: torch.nn.Module) -> inspect.Signature:
    """Read the signature of a module's `forward`, without `self`; scripted modules too.

    Raises:
        ValueError: the signature cannot be read.
        TypeError: `forward` is no callable.

    """
    forward = module.forward
    schema = getattr(forward, "schema", None)
    if schema is None:
        return inspect.signature(forward)
    return inspect.Signature(
        [
            inspect.Parameter(
                argument.name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=(
                    argument.default_value
                    if argument.has_default_value()
                    else inspect.Parameter.empty
                ),
            )
            for argument in schema.arguments
            if argument.name != "self"
        ]
    )


def make_signature(
    module: torch.nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Signature:
    """Give the signature of one call of `module`."""
    leaves: list[Leaf] = []
    for name, value in bind_names(module, args, kwargs).items():
        leaves.extend(_leaves(name, value, 0))
    return Signature(tuple(leaves))


def dtype_name(dtype: torch.dtype) -> str:
    """Give the name of a dtype as this package writes it: `float32`, `bfloat16`, `bool`."""
    return str(dtype).removeprefix("torch.")


def _leaves(name: str, value: Any, depth: int) -> Iterator[Leaf]:
    import torch

    if isinstance(value, torch.Tensor):
        yield Leaf(name, "tensor", dtype_name(value.dtype), tuple(int(n) for n in value.shape))
        return
    inside = branch(value) if depth < MAX_DEPTH else None
    if inside is None:
        yield _scalar(name, value)
    elif not inside.items:
        yield Leaf(name, inside.kind)
    else:
        for key, entry in inside.items:
            yield from _leaves(f"{name}.{key}", entry, depth + 1)


def _scalar(name: str, value: Any) -> Leaf:
    if value is None:
        return Leaf(name, "none")
    if isinstance(value, bool):
        return Leaf(name, "bool", value=value)
    if type(value) is int:
        return Leaf(name, "int", value=value)
    if type(value) is float:
        return Leaf(name, "float", value=value if math.isfinite(value) else repr(value))
    if type(value) is str:
        return Leaf(name, "str", value=value)
    cls = type(value)
    text = class_name(value)
    if cls.__module__ in ("torch", "builtins") and cls.__name__ in _REPRESENTED:
        text = repr(value)
    elif cls.__module__ == "numpy" and hasattr(value, "dtype"):
        text = f"{text} {value.dtype} {tuple(value.shape)}"
    return Leaf(name, "opaque", value=text)
