"""The model corpora of turnkey, and where they are; imports nothing but the standard library."""

from __future__ import annotations

from pathlib import Path

__all__ = ["MODELS_DIR"]

_HERE = Path(__file__).resolve().parent

# In a wheel the corpora lie in this package; in a checkout they are the folders beside src/.
MODELS_DIR = _HERE if (_HERE / "selftest").is_dir() else _HERE.parents[1]
"""The folder that holds the corpora, each a folder of scripts."""
