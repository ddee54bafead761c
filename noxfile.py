"""What is checked before a change lands: ``nox`` for all, ``nox -s NAME`` for one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent))
from packages import ROOT, find_own_dependencies, find_packages, project_of

nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "none"

PACKAGES = find_packages()
CONSTRAINTS = str(ROOT / "constraints.txt")
LIBRARIES = ["core", "plugins/libs/onnx", "plugins/libs/torch"]
TEST_TOOLS = ["hatchling", "hypothesis", "pytest", "pytest-timeout"]
CORE_PYTHONS = ["3.10", "3.11", "3.12", "3.13"]


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, package by package."""
    for package in PACKAGES:
        session.log(str(package))
        source = str(package / "src")
        folders = dict.fromkeys([*LIBRARIES, str(package)])
        path = os.pathsep.join(str(ROOT / folder / "src") for folder in folders)
        session.run("mypy", "--config-file", "pyproject.toml", source, env={"MYPYPATH": path})


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests that are not slow, in the environment that nox runs in."""
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Run what is marked slow."""
    session.run("python", "-m", "pytest", "-m", "slow", *session.posargs)


@nox.session(venv_backend="virtualenv", python=CORE_PYTHONS)
def core(session: nox.Session) -> None:
    """Test the core alone, with nothing else installed, on each Python."""
    session.install("-c", CONSTRAINTS, "./core", *TEST_TOOLS)
    session.run("python", "-m", "pytest", "core/tests", "-p", "no:cacheprovider")


@nox.session(venv_backend="virtualenv", python="3.11")
@nox.parametrize("package", [str(path) for path in PACKAGES if str(path) != "core"])
def packages(session: nox.Session, package: str) -> None:
    """Install each package with what it needs, and nothing else, and run its own tests."""
    needed = [f"./{folder}" for folder in find_own_dependencies(Path(package))]
    extras = project_of(Path(package)).get("optional-dependencies", {})
    itself = f"./{package}[test]" if "test" in extras else f"./{package}"
    session.install("-c", CONSTRAINTS, *needed, itself, *TEST_TOOLS)
    session.run("python", "-m", "pytest", f"{package}/tests", "-p", "no:cacheprovider")


@nox.session(venv_backend="virtualenv", python="3.11")
def docs(session: nox.Session) -> None:
    """Build the site into .cache/site; a warning is an error."""
    session.install("-c", CONSTRAINTS, "-r", "docs/requirements.txt")
    # The variable silences an announcement about a successor of mkdocs-material.
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Print what speed and memory cost."""
    for path in sorted((ROOT / "benchmarks").glob("bench_*.py")):
        session.run("python", str(path.relative_to(ROOT)))
