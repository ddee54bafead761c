"""Environments in a cache: those in use are left, the others go, whoever is killed."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from core_env import FakePlugins, run_here

from turnkeyml.cache.locks import build_lock
from turnkeyml.errors import ExitCode
from turnkeyml.worker import environments, made_environments
from turnkeyml.worker.environments import environment_with
from turnkeyml.worker.made_environments import (
    ENVIRONMENTS,
    MARKER,
    MadeEnvironment,
    find_environments,
    hold_environment,
    mark_environment,
    remove_environment,
    remove_unfinished,
)


@pytest.fixture
def cache(toys: FakePlugins, tmp_path: Path) -> Path:
    """A cache without builds."""
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def make(cache: Path, name: str = "rt-1.0-abc", age_s: float = 0) -> Path:
    path = cache / ENVIRONMENTS / name
    (path / "bin").mkdir(parents=True)
    (path / "bin/python").write_text("x" * 5000)
    mark_environment(path)
    os.utime(path / MARKER, (time.time() - age_s - 1,) * 2)
    return path


def clean(*words: str) -> str:
    done = run_here("cache", "clean", *(words or ("--all",)))
    assert done.code == ExitCode.OK, done
    return done.out


@pytest.fixture
def user(cache: Path) -> subprocess.Popen[str]:
    """Another process, which uses an environment."""
    make(cache, "used-1.0-abc")
    code = (
        "import sys; from pathlib import Path\n"
        "from turnkeyml.worker.made_environments import hold_environment\n"
        "assert hold_environment(Path(sys.argv[1]))\n"
        "print('held', flush=True); sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", code, str(cache / ENVIRONMENTS / "used-1.0-abc")]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="replace"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        stream.close()


def test_what_nobody_uses_goes(cache: Path) -> None:
    path = make(cache)
    assert "Removed 1 environment, 4.90 KB freed." in clean()
    assert not list((cache / ENVIRONMENTS).iterdir())
    assert not path.exists()
    assert "environment" not in clean()


def test_what_a_process_uses_stays_until_it_ends(cache: Path, user: subprocess.Popen[str]) -> None:
    path = make(cache, "free-1.0-abc")
    assert "1 in use" in run_here("cache", "stats").out
    out = clean()
    assert "Removed 1 environment" in out
    assert "1 environment left, which running commands use." in out
    assert not path.exists()
    os.kill(user.pid, signal.SIGKILL)
    user.wait()
    assert "Removed 1 environment" in clean()
    assert not list((cache / ENVIRONMENTS).iterdir())


def test_only_what_was_not_used_for_long_goes(cache: Path) -> None:
    make(cache, "old-1.0-abc", age_s=7200)
    make(cache, "new-1.0-abc", age_s=60)
    clean("--older-than", "1h")
    assert [one.path.name for one in find_environments(cache)] == ["new-1.0-abc"]
    clean("--max-size", "1")
    assert len(find_environments(cache)) == 1


def test_stats_counts_them(cache: Path) -> None:
    make(cache)
    found = json.loads(run_here("cache", "stats", "--json").out)["environments"]
    assert found == {"count": 1, "size_bytes": 5013, "used": 0}
    assert "environments" in run_here("cache", "stats").out


def test_what_carries_no_marker_stays(cache: Path, tmp_path: Path) -> None:
    root = cache / ENVIRONMENTS
    outside = make(tmp_path / "outside")
    (root / "mine/bin").mkdir(parents=True)
    (root / "link").symlink_to(outside)
    for name, text in (("newer", '{"schema": 99}'), ("odd", "[]"), ("half", "{")):
        path = make(cache, name)
        (path / MARKER).write_text(text)
    linked = make(cache, "linked")
    (linked / MARKER).unlink()
    (linked / MARKER).symlink_to(outside / MARKER)
    before = sorted(root.iterdir())
    clean()
    assert sorted(root.iterdir()) == before
    assert (outside / "bin/python").is_file()


def test_a_linked_folder_of_environments_is_not_followed(cache: Path, tmp_path: Path) -> None:
    outside = make(tmp_path / "outside")
    (cache / ENVIRONMENTS).symlink_to(outside.parent)
    clean()
    assert outside.is_dir()


def test_one_that_is_taken_away_while_it_is_wanted_is_made_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def install(command: list[str], folder: Path, variables: object) -> str:
        if "venv" in command:
            python = Path(command[-1]) / "bin/python"
            python.parent.mkdir(parents=True)
            python.symlink_to(sys.executable)
            made.append(python)
        return ""

    hold = hold_environment
    gone: list[int | None] = []

    def hold_late(path: Path) -> bool:
        if not gone:
            gone.append(remove_environment(MadeEnvironment(path, math.inf)))
        return hold(path)

    monkeypatch.setattr(environments, "hold_environment", hold_late)
    found = environment_with(("pluggy",), "1.5.0", cache, install)
    assert len(made) == 2
    assert gone[0]
    assert found.python.exists()
    (only,) = find_environments(cache)
    assert only.is_used
    assert remove_environment(only) is None
    os.close(made_environments._held.pop(only.path))
    assert not only.is_used


def test_one_that_an_earlier_turnkey_made_is_marked_when_it_is_used(cache: Path) -> None:
    path = make(cache)
    (path / MARKER).unlink()
    assert find_environments(cache) == []
    assert hold_environment(path)
    assert hold_environment(path)
    (only,) = find_environments(cache)
    assert time.time() - only.last_used < 60
    os.close(made_environments._held.pop(path))
    assert not hold_environment(cache / ENVIRONMENTS / "none")


def test_what_was_cut_off_goes_unless_it_is_being_made(cache: Path) -> None:
    left = cache / ENVIRONMENTS / ".tmp-rt-1.0-abc-0123456789ab"
    (left / "bin").mkdir(parents=True)
    (left / "bin/python").write_text("x" * 3000)
    other = cache / ENVIRONMENTS / ".tmp-somebody"
    other.mkdir()
    with build_lock(cache, "environment-rt-1.0-abc", pytest.fail):
        assert remove_unfinished(cache) == 0
    assert "Removed 0 environments, 2.93 KB freed." in clean()
    assert not left.exists()
    assert other.exists()


def test_a_process_killed_while_it_cleans_leaves_nothing_wrong(cache: Path) -> None:
    code = (
        "import os, shutil, sys\n"
        "shutil.rmtree = lambda path: os.kill(os.getpid(), 9)\n"
        "from pathlib import Path\n"
        "from turnkeyml.worker.made_environments import *\n"
        "from turnkeyml.worker import made_environments as m\n"
        "m.remove_environment(m.find_environments(Path(sys.argv[1]))[0])\n"
    )
    make(cache)
    done = subprocess.run([sys.executable, "-c", code, str(cache)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert find_environments(cache) == []
    assert len(list((cache / ENVIRONMENTS).iterdir())) == 1
    clean()
    assert not list((cache / ENVIRONMENTS).iterdir())


def test_one_that_cannot_be_deleted_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(cache)

    def refuse(path: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(made_environments.shutil, "rmtree", refuse)
    done = run_here("cache", "clean", "--all")
    assert done.code == ExitCode.FAILED
    assert "cannot be deleted: Input/output error." in done.err


def test_one_that_was_used_since_it_was_found_is_left(cache: Path) -> None:
    make(cache)
    (found,) = find_environments(cache)
    os.utime(found.path / MARKER)
    assert remove_environment(found) is None
    assert find_environments(cache)[0].path == found.path
