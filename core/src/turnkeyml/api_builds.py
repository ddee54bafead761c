"""What scripts ask about the builds in a cache."""

from __future__ import annotations

from pathlib import Path

from turnkeyml.cache.layout import BuildDirectory, cache_from
from turnkeyml.errors import CacheError
from turnkeyml.options import path_from
from turnkeyml.saved_state import SavedState
from turnkeyml.saved_state import load_state as load_saved_state


def get_available_builds(cache_dir: str | Path | None = None) -> list[str]:
    """Name the builds in a cache, in order.

    Args:
        cache_dir: By default ``TURNKEY_CACHE_DIR``, else ``~/.cache/turnkey``.
    """
    return [build.name for build in cache_from(path_from(cache_dir, "cache_dir")).builds()]


def default_cache_dir() -> str:
    """Give where builds are kept unless a command says otherwise."""
    return str(cache_from(None).path)


def load_state(cache_dir: str | Path | None, build_name: str) -> SavedState:
    """Read what a build's state file says: status, artifacts, and all else in ``content``.

    Args:
        cache_dir: None for the default one.
        build_name: One of `get_available_builds`.

    Raises:
        CacheError: There is no such build, or its file is damaged.
    """
    cache = cache_from(path_from(cache_dir, "cache_dir"))
    build = BuildDirectory(cache.path, build_name)
    if not build.state_file.is_file():
        raise CacheError(
            f"There is no build {build_name!r} in the cache {cache.path}.",
            hint="get_available_builds names those that there are.",
        )
    return load_saved_state(build)
