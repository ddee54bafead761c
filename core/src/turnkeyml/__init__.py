"""turnkey: carry a machine-learning model, unchanged, through a chain of tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turnkeyml.api import build_model

__all__ = ["build_model"]


def __getattr__(name: str) -> Any:
    # Importing turnkeyml is what every plugin does; what it offers to scripts is loaded when used.
    if name in __all__:
        from turnkeyml import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
