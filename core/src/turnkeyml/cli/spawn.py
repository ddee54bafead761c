"""Constants of running many inputs, by the names that documents print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turnkeyml.aliases import lazily

if TYPE_CHECKING:
    from turnkeyml.executor import DEFAULT_TIMEOUT_SECONDS

__all__ = ["DEFAULT_TIMEOUT_SECONDS"]

__getattr__ = lazily(
    __name__, {"DEFAULT_TIMEOUT_SECONDS": "turnkeyml.executor:DEFAULT_TIMEOUT_SECONDS"}
)
