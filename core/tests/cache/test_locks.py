"""Locks: one process a build, named to those who wait, and freed when it dies."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from turnkeyml.cache.locks import build_lock, build_lock_if_free, describe_owner, is_locked
from turnkeyml.errors import CacheError

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


def test_a_link_where_a_lock_should_be_is_not_followed(tmp_path: Path) -> None:
    """A cache may come from anybody, and opening a lock empties the file."""
    precious = tmp_path / "precious"
    precious.write_text("years of work")
    cache = tmp_path / "cache"
    (cache / ".locks").mkdir(parents=True)
    (cache / ".locks" / "one.lock").symlink_to(precious)
    (cache / ".locks" / "two.owner").symlink_to(precious)
    with (
        pytest.raises(CacheError, match=r"one\.lock is a link"),
        build_lock(cache, "one", pytest.fail),
    ):
        pytest.fail("it was locked")
    assert not is_locked(cache, "one")
    with build_lock(cache, "two", pytest.fail):
        assert not (cache / ".locks" / "two.owner").is_symlink()
    assert precious.read_text() == "years of work"


def test_a_place_without_locks_is_said(tmp_path: Path) -> None:
    (tmp_path / ".locks").write_text("in the way")
    with (
        pytest.raises(CacheError, match="cannot be had"),
        build_lock(tmp_path, "one", pytest.fail),
    ):
        pytest.fail("it was locked")


def test_a_lock_is_held_although_its_owner_cannot_be_told(tmp_path: Path) -> None:
    (tmp_path / ".locks" / "one.owner").mkdir(parents=True)
    with build_lock(tmp_path, "one", pytest.fail):
        assert is_locked(tmp_path, "one")
    assert not is_locked(tmp_path, "one")


def test_a_lock_that_is_free_is_held_and_another_is_not_waited_for(tmp_path: Path) -> None:
    with build_lock_if_free(tmp_path, "one") as is_held:
        assert is_held
        assert is_locked(tmp_path, "one")
        with build_lock_if_free(tmp_path, "one") as twice:
            assert not twice
        assert is_locked(tmp_path, "one"), "who does not hold it does not give it back"
    assert not is_locked(tmp_path, "one")


def test_who_only_asks_is_in_nobodys_way(tmp_path: Path) -> None:
    with build_lock(tmp_path, "b", pytest.fail):
        pass
    with (tmp_path / ".locks/b.lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert not is_locked(tmp_path, "b")
