"""The packages of the workspace, found from its folders: the one place that knows them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent


def find_packages() -> list[Path]:
    """Give the folders of all packages, relative to the root, the core first."""
    found = [ROOT / "core", *sorted(ROOT.glob("plugins/**/pyproject.toml"))]
    folders = [path.parent if path.suffix else path for path in found]
    return [folder.relative_to(ROOT) for folder in folders]
