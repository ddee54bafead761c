"""Labels of scripts, by the name that documents print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turnkeyml.aliases import lazily

if TYPE_CHECKING:
    from turnkeyml.labels import load_from_cache

__all__ = ["load_from_cache"]

__getattr__ = lazily(__name__, {"load_from_cache": "turnkeyml.labels:load_from_cache"})
