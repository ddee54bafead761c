"""The packages of the workspace, found from its folders: the one place that knows them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parent


def find_packages() -> list[Path]:
    """Give the folders of all packages, relative to the root, the core first."""
    found = [ROOT / "core", *sorted(ROOT.glob("plugins/**/pyproject.toml")), ROOT / "models"]
    folders = [path.parent if path.suffix else path for path in found]
    return [folder.relative_to(ROOT) for folder in folders]


def project_of(package: Path) -> dict[str, Any]:
    """Read the ``[project]`` table of a package."""
    text = (ROOT / package / "pyproject.toml").read_text("utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project


def find_own_dependencies(package: Path) -> list[Path]:
    """Give the folders of the packages of this workspace that one and its tests need."""
    folders = {str(project_of(folder)["name"]): folder for folder in find_packages()}
    found: list[Path] = []
    waiting = [package]
    while waiting:
        project = project_of(waiting.pop())
        for_tests = project.get("optional-dependencies", {}).get("test", [])
        for requirement in [*project.get("dependencies", []), *for_tests]:
            name = re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0]
            folder = folders.get(name)
            if folder is not None and folder not in found:
                found.append(folder)
                waiting.append(folder)
    return found
