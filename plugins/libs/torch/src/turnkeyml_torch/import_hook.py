"""Runs a function right after a package has been imported, and touches no other import."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class PostImportHook:
    """A finder on `sys.meta_path` that calls `then` once, when `name` has been imported.

    Every other name is left to the finders after it. The package's loader is the usual one; only
    its `exec_module` is extended, and the extension is gone when the import has ended.
    """

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name = name
        self._then = then

    def install(self) -> None:
        """Start watching."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stop watching; harmless when the import has happened already."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find the package as usual, with a loader that calls us when it has run."""
        if fullname != self._name or self not in sys.meta_path:
            return None
        spec = self._find_with_others(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        loader: Any = spec.loader
        run = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            loader.__dict__.pop("exec_module", None)
            run(module)
            if self in sys.meta_path:
                self.remove()
                self._then()

        try:
            loader.exec_module = exec_module
        except AttributeError:  # a loader without attributes of its own: a class, or slots
            return spec
        return spec

    def _find_with_others(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(fullname, path, target)
            if spec is not None:
                return spec
        return None
