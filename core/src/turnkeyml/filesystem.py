"""Folders of turnkey, by the names that documents print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turnkeyml.aliases import lazily

if TYPE_CHECKING:
    from turnkeyml.api_builds import get_available_builds, load_state

    DEFAULT_CACHE_DIR: str
    MODELS_DIR: str

__all__ = ["DEFAULT_CACHE_DIR", "MODELS_DIR", "get_available_builds", "load_state"]

__getattr__ = lazily(
    __name__,
    {
        "DEFAULT_CACHE_DIR": "turnkeyml.api_builds:default_cache_dir()",
        "MODELS_DIR": "turnkeyml.corpora:models_folder()",
        "get_available_builds": "turnkeyml.api_builds:get_available_builds",
        "load_state": "turnkeyml.api_builds:load_state",
    },
)
