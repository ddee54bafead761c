"""The build cache on disk."""

from turnkeyml.cache.layout import BuildDirectory, Cache

__all__ = ["BuildDirectory", "Cache"]
