"""turnkey: carry a machine-learning model, unchanged, through a chain of tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turnkeyml.api import build_model
    from turnkeyml.api_benchmark import benchmark_files, benchmark_model
    from turnkeyml.api_builds import get_available_builds, load_state

_PLACES = {
    "benchmark_files": "api_benchmark",
    "benchmark_model": "api_benchmark",
    "build_model": "api",
    "get_available_builds": "api_builds",
    "load_state": "api_builds",
}
__all__ = [
    "benchmark_files",
    "benchmark_model",
    "build_model",
    "get_available_builds",
    "load_state",
]

_MODULES = {"cli", "common", "filesystem", "labels", "parser", "run"}


def __getattr__(name: str) -> Any:
    # Importing turnkeyml is what every plugin does; what it offers to scripts is loaded when used.
    import importlib

    if name in _PLACES:
        return getattr(importlib.import_module(f"turnkeyml.{_PLACES[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"turnkeyml.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
