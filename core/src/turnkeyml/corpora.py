"""Where the models are that turnkey comes with."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from turnkeyml.errors import UsageError
from turnkeyml.labels import read_labels

DISTRIBUTION = "turnkeyml-models"
_MODULE = "turnkeyml_models"
_ALWAYS_THERE = "selftest"


def models_dir() -> Path:
    """Give the folder whose folders are the corpora.

    It is that of the installed package turnkeyml-models, else ``models`` of the checkout that
    turnkey runs from. Nothing is imported.

    Raises:
        UsageError: Neither is there.
    """
    for folder in _candidates():
        if (folder / _ALWAYS_THERE).is_dir():
            return folder
    raise UsageError(
        "The models are not installed.",
        hint=f"Install them with: pip install {DISTRIBUTION}; or run turnkey from a checkout.",
    )


def corpora_in(root: Path) -> list[str]:
    """Name the corpora: the folders with scripts whose first lines have labels.

    A checkout has folders with other scripts beside them.
    """
    return sorted(
        folder.name
        for folder in root.iterdir()
        if any(read_labels(path) for path in sorted(folder.glob("*.py")))
    )


def models_folder() -> str:
    """Give the same as text."""
    return str(models_dir())


def _candidates() -> list[Path]:
    found = []
    try:
        spec = importlib.util.find_spec(_MODULE)
    except (ImportError, ValueError):
        spec = None
    if spec is not None:
        found += [Path(place) for place in spec.submodule_search_locations or ()]
        # An editable install leaves the corpora where they are in the checkout.
        found += [place.parent for place in found] + [place.parent.parent for place in found]
    return [*found, *(parent / "models" for parent in Path(__file__).resolve().parents[2:4])]
