"""Walks nested arguments and outputs: which values are containers, and what is in them."""

from __future__ import annotations

import collections
import copy
import dataclasses
import types
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MAX_DEPTH = 40
"""Nesting beyond this is taken for a cycle, and the value for one that cannot be looked into."""

SCALARS: tuple[type, ...] = (types.NoneType, bool, int, float, str)

_OBJECT_PACKAGES = ("transformers", "torch_geometric", "diffusers")


class Branch(NamedTuple):
    """What is inside a container: its kind, the key of each entry and the entry."""

    kind: str
    items: tuple[tuple[Any, Any], ...]


def branch(value: Any) -> Branch | None:
    """Look into a container; None for a leaf.

    Kinds: `list`, `tuple`, `namedtuple`, `dict`, `dataclass`, and `object` for instances of
    libraries known to hold tensors in their attributes (caches of transformers, graphs of
    torch_geometric).
    """
    cls = type(value)
    if cls in SCALARS:
        return None
    if isinstance(value, tuple):
        fields = getattr(cls, "_fields", None)
        if fields is not None and len(fields) == len(value):
            return Branch("namedtuple", tuple(zip(fields, value, strict=True)))
        return Branch("tuple", tuple(enumerate(value)))
    if isinstance(value, list):
        return Branch("list", tuple(enumerate(value)))
    if isinstance(value, Mapping):
        kind = "dataclass" if dataclasses.is_dataclass(cls) else "dict"
        return Branch(kind, tuple(value.items()))
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return Branch(
            "dataclass",
            tuple((field.name, getattr(value, field.name, None)) for field in _fields(value)),
        )
    if cls.__module__.partition(".")[0] in _OBJECT_PACKAGES and not _is_tensor_or_module(value):
        attributes = getattr(value, "__dict__", None)
        if attributes:
            return Branch("object", tuple(attributes.items()))
    return None


def rebuild(value: Any, entries: Sequence[Any]) -> Any:
    """Make a container like `value` that holds `entries`, given in the order of `branch`."""
    cls: Any = type(value)
    if isinstance(value, tuple):
        make = getattr(cls, "_make", None)
        if make is not None:
            return make(entries)
        return tuple(entries) if cls is tuple else cls(entries)
    if cls is list:
        return list(entries)
    keys = [key for key, _ in branch(value).items]  # type: ignore[union-attr]
    if cls in (dict, collections.OrderedDict):
        return cls(zip(keys, entries, strict=True))
    new = copy.copy(value)
    if isinstance(value, list):
        new[:] = entries
    elif isinstance(value, Mapping):
        for key, entry in zip(keys, entries, strict=True):
            new[key] = entry
    else:
        for key, entry in zip(keys, entries, strict=True):
            object.__setattr__(new, key, entry)
    return new


def class_name(value: Any) -> str:
    """Give the dotted name of a value's class."""
    cls = type(value)
    return f"{cls.__module__}.{cls.__qualname__}"


def _fields(value: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(value)


def _is_tensor_or_module(value: Any) -> bool:
    import torch

    return isinstance(value, (torch.Tensor, torch.nn.Module))
