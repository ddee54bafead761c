"""Python environments of their own for workers: one that exists, or one made for a version.

An environment that is made is kept. It is made beside its place and renamed, under a lock, so that
no process ever sees half of one, whoever is killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.cache.locks import build_lock
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.worker.made_environments import ENVIRONMENTS, hold_environment, mark_environment

OLDEST_PYTHON = (3, 10)
_INSTALL_TIMEOUT_S = 1800
_PROBE_TIMEOUT_S = 60
_MAX_REASON = 400
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!_-]{0,63}")

# What the worker's own files, which this Python is to run, are written for.
_PROBE = """
import importlib.util, json, sys
from importlib import metadata
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        # Another distribution may give the same module, as onnxruntime-gpu does.
        module = name.replace("-", "_")
        found[name] = "" if importlib.util.find_spec(module) is not None else None
print(json.dumps({"python": list(sys.version_info[:3]), "packages": found}))
"""

_UV_VARIABLES = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}
"""uv reads none of pip's variables: these say where packages come from."""

Runner = Callable[[Sequence[str], Path, Mapping[str, str]], str]
"""Runs a command in a folder, with more variables; gives why it failed, or nothing."""


@dataclass(frozen=True)
class Environment:
    """A Python environment in which a runtime's worker can run.

    Args:
        python: Its interpreter.
        python_version: Such as ``3.11.7``.
        packages: Versions of what the worker needs, by distribution; empty where another
            distribution gives the module.
    """

    python: Path
    python_version: str
    packages: Mapping[str, str]


def python_in(path: Path) -> Path:
    """Find the interpreter of an environment.

    Args:
        path: The environment's folder, or its interpreter.

    Raises:
        PlanError: There is none.
    """
    path = path.expanduser().absolute()
    if path.is_file() and os.access(path, os.X_OK):
        return path
    for name in ("bin/python", "bin/python3"):
        if os.access(path / name, os.X_OK):
            return path / name
    reason = "has no bin/python" if path.is_dir() else "does not exist"
    raise PlanError(
        f"The environment {path} {reason}.",
        hint="Give the folder of a Python environment, as python -m venv or uv venv make it.",
    )


def check_version(text: str) -> str:
    """Give a version as it is written.

    Raises:
        PlanError: It cannot be one.
    """
    if not _VERSION.fullmatch(text):
        raise PlanError(
            f"{text!r} is no version.", hint="Give one as pip shows it, such as 1.22.0."
        )
    return text


def look_into(python: Path, packages: Sequence[str]) -> Environment:
    """See what an environment has.

    Args:
        python: Its interpreter.
        packages: Distributions that the worker needs.

    Raises:
        BuildError: It does not run, is too old, or has not all of them.
    """
    command = [str(python), "-c", _PROBE, *packages]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            env=clean_environment(),
            timeout=_PROBE_TIMEOUT_S,
            check=False,
        )
        found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    except (OSError, ValueError, subprocess.TimeoutExpired):
        found = {}
    if not found:
        raise BuildError(f"The interpreter {python} does not run.")
    version = ".".join(map(str, found["python"]))
    if tuple(found["python"][:2]) < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise BuildError(f"{python} is Python {version}; a worker needs {oldest} or newer.")
    missing = [name for name, there in found["packages"].items() if there is None]
    if missing:
        raise BuildError(
            f"The environment of {python} has no {' and no '.join(missing)}.",
            hint=f"Run {python} -m pip install {' '.join(missing)}.",
        )
    return Environment(python, version, found["packages"])


def environment_with(
    packages: Sequence[str], version: str, cache: Path, run: Runner | None = None
) -> Environment:
    """Give an environment that has a version of a distribution; make it if there is none yet.

    Args:
        packages: The distribution that is to have the version, and others that the worker needs.
        version: Which.
        cache: The cache directory in which it is kept.
        run: Runs a command; by default it does so for real.

    Raises:
        BuildError: It cannot be made; says why.
    """
    folder = cache / ENVIRONMENTS
    name = _name(packages, version)
    made = folder / name / "bin/python"
    while True:
        if not made.exists():
            with build_lock(cache, f"environment-{name}", lambda owner: None):
                # Somebody else may have made it meanwhile.
                if not made.exists():
                    _make(folder, name, [f"{packages[0]}=={version}", *packages[1:]], run or _run)
        if hold_environment(folder / name):
            return look_into(made, packages)


def clean_environment() -> dict[str, str]:
    """Give this process's variables, without those that would mix its packages with others."""
    mixing = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    return {name: value for name, value in os.environ.items() if name not in mixing}


def _name(packages: Sequence[str], version: str) -> str:
    # The interpreter's path too: an environment is a link to it.
    base = os.path.realpath(sys.executable)
    identity = json.dumps([list(packages), version, base, sys.version, platform.machine()])
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    return f"{packages[0]}-{version}-{digest}"


def _make(folder: Path, name: str, requirements: Sequence[str], run: Runner) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{TEMPORARY}{name}-{secrets.token_hex(6)}"
    try:
        reason = _install(unfinished, requirements, run)
        if reason:
            raise BuildError(
                f"No environment with {requirements[0]} could be made: {reason}",
                hint="Check the version and the network, or give an environment with --rt-env.",
            )
        mark_environment(unfinished)
        unfinished.replace(folder / name)
    finally:
        # Whoever was killed while making it held the lock that we hold now. An installer that
        # outlived him has come to its end meanwhile.
        for left in folder.glob(f"{TEMPORARY}{name}-*"):
            shutil.rmtree(left, ignore_errors=True)


def _install(path: Path, requirements: Sequence[str], run: Runner) -> str:
    """Make an environment with some packages; give why that failed, or nothing."""
    python = str(path / "bin/python")
    uv = _find_uv()
    if uv is not None:
        handed_on = {
            new: os.environ[old]
            for old, new in _UV_VARIABLES.items()
            if old in os.environ and new not in os.environ
        }
        make = [uv, "venv", "--no-project", "--python", sys.executable, str(path)]
        install = [uv, "pip", "install", "--python", python, "--compile-bytecode", *requirements]
    else:
        handed_on = {}
        make = [sys.executable, "-m", "venv", str(path)]
        install = [python, "-m", "pip", "install", "--no-input", "--quiet", *requirements]
    return run(make, path.parent, handed_on) or run(install, path.parent, handed_on)


def _find_uv() -> str | None:
    beside = Path(sys.executable).parent
    return shutil.which("uv") or shutil.which("uv", path=str(beside))


def _run(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=folder,
            env={**clean_environment(), **variables},
            timeout=_INSTALL_TIMEOUT_S,
            check=False,
        )
    except OSError as error:
        return f"{command[0]} does not run: {error.strerror or error}."
    except subprocess.TimeoutExpired:
        return f"{Path(command[0]).name} took more than {_INSTALL_TIMEOUT_S // 60} minutes."
    return "" if done.returncode == 0 else reason_from(done.stdout)


def reason_from(output: str) -> str:
    """Find the reason in what uv or pip printed when they failed, as one sentence."""
    # Signs that uv draws are no letters.
    lines = [re.sub(r"^[^\w`'\"(]+", "", line).rstrip() for line in output.splitlines()]
    told = [line for line in lines if line]
    errors = [line.removeprefix("ERROR: ") for line in told if line.startswith("ERROR: ")]
    if errors:
        # pip says first what it found, and then that this will not do.
        return _shortened(errors[-1])
    begins: list[str] = []
    for line in told:
        if line.startswith("hint:"):
            break
        if re.match(r"error: |cause: |[A-Z]", line) and not line.startswith(
            ("Using ", "Resolved ")
        ):
            begins.append(re.sub(r"^(error|cause): ", "", line).rstrip(":"))
        elif begins:
            # uv folds long lines.
            begins[-1] += f" {line}"
    return _shortened(": ".join(begins[:2]))


def _shortened(text: str) -> str:
    text = text or "nothing is said about it"
    text = text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]}…"
    return text if text.endswith((".", "…")) else f"{text}."
