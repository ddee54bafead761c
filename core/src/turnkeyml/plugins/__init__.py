"""How packages add tools, runtimes, sequences and devices."""

from turnkeyml.plugins.hookspecs import hookimpl

__all__ = ["hookimpl"]
