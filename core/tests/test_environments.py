"""Environments of their own for workers: found, looked into, made once and whole, or refused."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from turnkeyml.errors import BuildError, PlanError
from turnkeyml.worker import environments
from turnkeyml.worker.environments import (
    ENVIRONMENTS,
    check_version,
    clean_environment,
    environment_with,
    look_into,
    python_in,
    reason_from,
)

PACKAGES = ("pluggy", "click")


class Installer:
    """Makes environments that are links to this Python, as often as it is asked to."""

    def __init__(self, fails_at: str = "", meanwhile: Callable[[], None] = lambda: None) -> None:
        self.commands: list[list[str]] = []
        self.variables: list[dict[str, str]] = []
        self._fails_at, self._meanwhile = fails_at, meanwhile

    def __call__(self, command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> str:
        self.commands.append(list(command))
        self.variables.append(dict(variables))
        if "venv" in command:
            python = Path(command[-1]) / "bin/python"
            python.parent.mkdir(parents=True)
            python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
            python.chmod(0o755)
        self._meanwhile()
        return "It rains." if self._fails_at and self._fails_at in command else ""


def left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / ENVIRONMENTS).iterdir())


def test_an_environment_is_found_by_its_folder_or_its_interpreter(tmp_path: Path) -> None:
    python = tmp_path / "env/bin/python3"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    assert python_in(tmp_path / "env") == python
    assert python_in(python) == python


def test_a_relative_path_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    assert python_in(Path()) == tmp_path / "bin/python"


@pytest.mark.parametrize(("name", "reason"), [("nowhere", "does not exist"), ("", "has no bin/py")])
def test_what_is_no_environment_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(PlanError, match=reason):
        python_in(tmp_path / name)


def test_versions_of_what_a_worker_needs_are_told() -> None:
    found = look_into(Path(sys.executable), PACKAGES)
    assert found.python_version == ".".join(map(str, sys.version_info[:3]))
    assert set(found.packages) == set(PACKAGES)
    assert all(version[0].isdigit() for version in found.packages.values())


def test_a_module_of_another_distribution_will_do() -> None:
    # PyYAML is the distribution, yaml what it gives: as with onnxruntime-gpu and onnxruntime.
    assert look_into(Path(sys.executable), ("yaml",)).packages == {"yaml": ""}


def test_what_is_missing_is_said_with_the_command_that_installs_it() -> None:
    with pytest.raises(BuildError, match=r"has no no-such-a and no no-such-b") as caught:
        look_into(Path(sys.executable), ("no-such-a", "pluggy", "no-such-b"))
    assert str(caught.value.hint).endswith("-m pip install no-such-a no-such-b.")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ('{"python": [3, 9, 1], "packages": {}}', "is Python 3.9.1; a worker needs 3.10 or newer"),
        ("no json", "does not run"),
        ("", "does not run"),
    ],
)
def test_an_interpreter_that_will_not_do_is_refused(
    tmp_path: Path, answer: str, message: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{answer}'\n")
    python.chmod(0o755)
    with pytest.raises(BuildError, match=message):
        look_into(python, ())


@pytest.mark.parametrize("text", ["1.22.0", "1.20.1rc1", "2024.1+cpu", "1!2.0.post1"])
def test_versions_are_taken(text: str) -> None:
    assert check_version(text) == text


@pytest.mark.parametrize("text", ["", "x", ">=1", "1.0; os_name", "1 2", "../1", "1/2", "1" * 70])
def test_what_cannot_be_a_version_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="is no version"):
        check_version(text)


def test_an_environment_is_made_once_and_kept(tmp_path: Path) -> None:
    install = Installer()
    first = environment_with(PACKAGES, "1.5.0", tmp_path, install)
    again = environment_with(PACKAGES, "1.5.0", tmp_path, install)
    assert first == again
    assert len(install.commands) == 2
    assert install.commands[1][-2:] == ["pluggy==1.5.0", "click"]
    (name,) = left_in(tmp_path)
    assert name.startswith("pluggy-1.5.0-")
    assert first.python == tmp_path / ENVIRONMENTS / name / "bin/python"


def test_each_version_has_an_environment_of_its_own(tmp_path: Path) -> None:
    for version in ("1.4.0", "1.5.0"):
        environment_with(PACKAGES, version, tmp_path, Installer())
    assert len(left_in(tmp_path)) == 2


@pytest.mark.parametrize("step", ["venv", "install"])
def test_what_cannot_be_made_says_why_and_leaves_nothing(tmp_path: Path, step: str) -> None:
    with pytest.raises(BuildError, match=r"pluggy==9 could be made: It rains\."):
        environment_with(PACKAGES, "9", tmp_path, Installer(fails_at=step))
    assert left_in(tmp_path) == []


def test_what_is_half_made_has_another_name_and_goes_with_the_next_making(tmp_path: Path) -> None:
    class KilledError(BaseException):
        """Stands for the end of the process."""

    def leave() -> None:
        (name,) = left_in(tmp_path)
        assert name.startswith(".tmp-pluggy-1.5.0-")
        # A process that is killed cleans nothing up.
        (tmp_path / "kept").mkdir(exist_ok=True)
        os.rename(tmp_path / ENVIRONMENTS / name, tmp_path / "kept" / name)
        raise KilledError

    with pytest.raises(KilledError):
        environment_with(PACKAGES, "1.5.0", tmp_path, Installer(meanwhile=leave))
    for path in (tmp_path / "kept").iterdir():
        path.rename(tmp_path / ENVIRONMENTS / path.name)
    environment_with(PACKAGES, "1.5.0", tmp_path, Installer())
    assert [name[:5] for name in left_in(tmp_path)] == ["plugg"]


def test_two_that_need_the_same_make_it_once(tmp_path: Path) -> None:
    began = threading.Event()
    install = Installer(meanwhile=began.set)
    found: list[object] = []

    def want() -> None:
        found.append(environment_with(PACKAGES, "1.5.0", tmp_path, install))

    threads = [threading.Thread(target=want) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(map(repr, found))) == 1
    assert len(install.commands) == 2


def test_uv_is_used_where_it_is_and_told_where_packages_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "_find_uv", lambda: "/opt/uv")
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example")
    install = Installer()
    environment_with(PACKAGES, "1.5.0", tmp_path, install)
    assert [command[0] for command in install.commands] == ["/opt/uv", "/opt/uv"]
    assert "--compile-bytecode" in install.commands[1]
    assert install.variables[1]["UV_FIND_LINKS"] == "/wheels"
    assert "UV_DEFAULT_INDEX" not in install.variables[1]


def test_without_uv_the_environment_is_made_by_python_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "_find_uv", lambda: None)
    install = Installer()
    environment_with(PACKAGES, "1.5.0", tmp_path, install)
    make, fill = install.commands
    assert make[:3] == [sys.executable, "-m", "venv"]
    assert fill[1:4] == ["-m", "pip", "install"]
    assert fill[0].endswith("bin/python")


def test_a_command_that_fails_gives_its_reason_and_one_that_is_missing_too(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "echo ERROR: No such thing >&2; exit 1"]
    assert environments._run(command, tmp_path, {}) == "No such thing."
    assert "does not run" in environments._run([str(tmp_path / "none")], tmp_path, {})
    assert environments._run(["/bin/sh", "-c", "exit 0"], tmp_path, {}) == ""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "Using Python 3.11.7 environment at: e1\n"
            "error: No solution found when resolving dependencies\n"
            "  cause: Because there is no version of onnxruntime==9.9.9, it cannot be.\n\n"
            "hint: Look elsewhere.\n",
            "No solution found when resolving dependencies: "
            "Because there is no version of onnxruntime==9.9.9, it cannot be.",
        ),
        (
            "  \u00d7 No solution found when resolving dependencies:\n"
            "  ╰─▶ Because there is none,\n      it cannot be.\n",
            "No solution found when resolving dependencies: Because there is none, it cannot be.",
        ),
        (
            "WARNING: odd\nERROR: Could not find a version (from versions: 1, 2)\n"
            "ERROR: No matching distribution found for onnxruntime==9.9.9\n",
            "No matching distribution found for onnxruntime==9.9.9.",
        ),
        ("", "nothing is said about it."),
        ("error: " + "x" * 1000, "x" * 400 + "…"),
    ],
)
def test_the_reason_is_one_sentence(output: str, reason: str) -> None:
    assert reason_from(output) == reason


def test_packages_of_this_process_are_not_handed_to_another_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/mine")
    monkeypatch.setenv("KEPT", "yes")
    found = clean_environment()
    assert "PYTHONPATH" not in found
    assert found["KEPT"] == "yes"
