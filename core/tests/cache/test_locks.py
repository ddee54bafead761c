"""Locks: one process a build, named to those who wait, and freed when it dies."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from turnkeyml.cache.locks import build_lock, describe_owner, is_locked

HOLD = """
import sys, time
from pathlib import Path
from turnkeyml.cache.locks import build_lock
cache, seconds = Path(sys.argv[1]), float(sys.argv[2])
with build_lock(cache, "b", lambda owner: None):
    print("held", flush=True)
    time.sleep(seconds)
    (cache / "let-go").touch()
"""


@contextmanager
def holder(cache: Path, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", HOLD, str(cache), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_waits_and_is_told_for_whom(tmp_path: Path) -> None:
    told = []
    with holder(tmp_path, 0.4) as process:
        with build_lock(tmp_path, "b", told.append):
            assert (tmp_path / "let-go").exists()
    assert len(told) == 1
    assert told[0].startswith(f"process {process.pid} on ")


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with holder(tmp_path, 60) as process:
        assert is_locked(tmp_path, "b")
        process.kill()
        process.wait()
        assert not is_locked(tmp_path, "b")
        start = time.monotonic()
        with build_lock(tmp_path, "b", pytest.fail):
            pass
        assert time.monotonic() - start < 5


def test_locks_of_other_builds_are_free(tmp_path: Path) -> None:
    with build_lock(tmp_path, "a", pytest.fail):
        assert is_locked(tmp_path, "a")
        assert not is_locked(tmp_path, "b")
        with build_lock(tmp_path, "b", pytest.fail):
            assert is_locked(tmp_path, "b")


def test_a_lock_is_let_go_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(LookupError), build_lock(tmp_path, "b", pytest.fail):
        raise LookupError
    assert not is_locked(tmp_path, "b")
    assert not list((tmp_path / ".locks").glob("*.owner"))


def test_asking_makes_no_lock(tmp_path: Path) -> None:
    assert not is_locked(tmp_path, "b")
    assert list(tmp_path.iterdir()) == []


def test_the_owner_is_named_while_the_lock_is_held(tmp_path: Path) -> None:
    with build_lock(tmp_path, "b", pytest.fail):
        text = describe_owner(tmp_path / ".locks" / "b.owner")
    assert text.startswith(f"process {os.getpid()} on ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_reader_without_the_right_to_write_may_ask(tmp_path: Path) -> None:
    with build_lock(tmp_path, "b", pytest.fail):
        (tmp_path / ".locks" / "b.lock").chmod(0o444)
        (tmp_path / ".locks").chmod(0o555)
        assert is_locked(tmp_path, "b")
        (tmp_path / ".locks").chmod(0o755)
    assert not is_locked(tmp_path, "b")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}'])
def test_an_owner_that_cannot_be_read_is_another_process(tmp_path: Path, content: str) -> None:
    (tmp_path / "b.owner").write_text(content)
    assert describe_owner(tmp_path / "b.owner") == "another process"
    assert describe_owner(tmp_path / "missing") == "another process"
