"""Names that documents print, for what is elsewhere."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazily(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a module that only has other names for things.

    Args:
        module: Its name.
        names: Each name, to ``package.module:name``, or ``package.module:name()`` for what a
            function says at that time.
    """

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        place, _, attribute = names[name].partition(":")
        found = getattr(importlib.import_module(place), attribute.removesuffix("()"))
        return found() if attribute.endswith("()") else found

    return get
