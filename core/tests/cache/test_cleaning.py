"""Making room: what is chosen, and what goes."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.cache import cleaning
from turnkeyml.cache.cleaning import (
    beyond_size,
    bytes_from,
    clean_build,
    cleanable_size,
    delete_build,
    last_used,
    seconds_from,
    size_of,
    used_before,
)
from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA, BuildDirectory, Cache
from turnkeyml.cache.locks import build_lock
from turnkeyml.errors import CacheError, UsageError


def make(cache: Path, name: str, size: int = 1000, age_s: float = 0) -> BuildDirectory:
    build = BuildDirectory(cache, name)
    (build.path / "onnx").mkdir(parents=True)
    (build.path / "onnx" / "a.onnx").write_bytes(b"x" * size)
    build.log_file("export").write_text("log")
    state = {"status": "successful", "artifacts": [1], "records": [2], "seals": {"a": 1}, "x": "y"}
    write_document(build.state_file, STATE_SCHEMA, state)
    used = time.time() - age_s
    os.utime(build.state_file, (used, used))
    return build


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1000", 1000),
        ("1000B", 1000),
        ("1K", 1024),
        ("1kb", 1024),
        ("1KiB", 1024),
        ("500MB", 500 << 20),
        (" 1.5 G ", 3 << 29),
        ("2T", 2 << 40),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert bytes_from(text) == size


@pytest.mark.parametrize("text", ["", "-1", "1X", "MB", "1e3", "1,5G", "ten", "1 0", "٣x", "1Z"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no size") as caught:
        bytes_from(text)
    assert caught.value.hint == "Give one like 500MB or 10GB."


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("12h", 43_200), ("30d", 2_592_000), (" 2 W ", 1_209_600), ("0.5d", 43_200)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert seconds_from(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1y", "1 month", "1d1h", "nan d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration"):
        seconds_from(text)


@given(st.text(max_size=12))
def test_any_text_is_a_size_and_a_duration_or_is_refused(text: str) -> None:
    for read in (bytes_from, seconds_from):
        try:
            assert read(text) >= 0
        except UsageError:
            continue


def test_builds_are_chosen_by_their_age(tmp_path: Path) -> None:
    old, new = make(tmp_path, "old", age_s=7200), make(tmp_path, "new")
    now = time.time()
    assert used_before([old, new], now - 3600) == [old]
    assert used_before([old, new], now + 1) == [old, new]
    assert used_before([old, new], now - 1e12) == []


def test_the_longest_unused_are_chosen_until_the_rest_fits(tmp_path: Path) -> None:
    ages = {"a": 10, "b": 30, "c": 20}
    builds = {n: make(tmp_path, n, size=100_000, age_s=age) for n, age in ages.items()}
    everything = list(builds.values())
    total = sum(map(size_of, everything))
    chosen = [
        [build.name for build in beyond_size(everything, limit)]
        for limit in (total, total - 1, total - 100_001, 0)
    ]
    assert chosen == [[], ["b"], ["b", "c"], ["b", "c", "a"]]


def test_cleaning_what_was_chosen_is_enough(tmp_path: Path) -> None:
    """Logs and statistics stay, so what they take is no room made."""
    builds = [make(tmp_path, f"b{n}", size=5000, age_s=n) for n in range(6)]
    for build in builds:
        build.log_file("export").write_bytes(b"x" * 4000)
    limit = sum(map(size_of, builds)) - 12_000
    chosen = beyond_size(builds, limit)
    assert len(chosen) == 3
    for build in chosen:
        clean_build(build)
    assert sum(map(size_of, builds)) <= limit
    assert beyond_size(builds, limit) == []


def test_builds_that_have_nothing_left_are_not_chosen(tmp_path: Path) -> None:
    one = make(tmp_path, "one", age_s=60)
    clean_build(one)
    assert cleanable_size(one) == 0
    assert beyond_size([one], 0) == []


def test_cleaning_leaves_logs_state_and_statistics(tmp_path: Path) -> None:
    build = make(tmp_path, "one", size=1000)
    build.stats_file.write_text("schema: 1\n")
    (build.path / ".claim").write_text("x")
    (build.path / ".tmp-of-a-killed-process").write_text("y" * 10)
    (build.path / "notes.txt").write_text("the user's")
    assert clean_build(build) == 1010
    assert {p.name for p in build.path.iterdir()} == {
        *(".claim", "log_export.txt", "one_state.yaml", "turnkey_stats.yaml", "notes.txt"),
    }
    assert read_document(build.state_file, STATE_SCHEMA) == {
        "schema": STATE_SCHEMA,
        "status": "successful",
        "x": "y",
        "artifacts": [],
        "records": [],
        "seals": {},
    }
    assert clean_build(build) == 0


def test_cleaning_is_no_use_of_a_build(tmp_path: Path) -> None:
    build = make(tmp_path, "one", age_s=5000)
    before = last_used(build)
    clean_build(build)
    assert last_used(build) == before


def test_cleaning_follows_no_link(tmp_path: Path) -> None:
    build = make(tmp_path / "cache", "one")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "thesis.txt").write_text("years of work")
    (build.path / "link").symlink_to(outside, target_is_directory=True)
    (build.path / "onnx" / "link").symlink_to(outside, target_is_directory=True)
    clean_build(build)
    assert (outside / "thesis.txt").exists()
    delete_build(build)
    assert (outside / "thesis.txt").exists()
    assert not build.path.exists()


def test_a_build_in_use_is_left_alone(tmp_path: Path) -> None:
    build = make(tmp_path, "one")
    with build_lock(tmp_path, "one", pytest.fail):
        for action in (clean_build, delete_build):
            with pytest.raises(CacheError, match=r"one is in use by process \d+ on") as caught:
                action(build)
            assert caught.value.hint == "Try again when it has ended."
    assert (build.path / "onnx" / "a.onnx").exists()


def test_a_state_that_cannot_be_read_keeps_a_build_from_being_cleaned(tmp_path: Path) -> None:
    build = make(tmp_path, "one")
    build.state_file.write_text("{half")
    with pytest.raises(CacheError, match="cannot be read") as caught:
        clean_build(build)
    assert caught.value.hint == "This removes the whole build: turnkey cache delete one"
    assert (build.path / "onnx" / "a.onnx").exists()
    assert delete_build(build) > 1000
    assert not build.path.exists()


def test_a_build_of_a_newer_turnkey_is_not_cleaned(tmp_path: Path) -> None:
    build = make(tmp_path, "one")
    write_document(build.state_file, STATE_SCHEMA + 1, {})
    with pytest.raises(CacheError, match="newer turnkey"):
        clean_build(build)
    assert (build.path / "onnx" / "a.onnx").exists()


@pytest.mark.parametrize(("action", "what"), [(clean_build, "cleaned"), (delete_build, "deleted")])
def test_what_the_system_refuses_is_said(
    action: object, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = make(tmp_path, "one")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(cleaning.shutil, "rmtree", refuse)
    with pytest.raises(CacheError, match=f"one cannot be {what}: .*: Permission denied"):
        action(build)  # type: ignore[operator]


@pytest.mark.parametrize("action", [clean_build, delete_build])
def test_a_cache_that_takes_no_lock_is_said(action: object, tmp_path: Path) -> None:
    build = make(tmp_path, "one")
    (tmp_path / ".locks").write_text("no folder")
    with pytest.raises(CacheError, match=r"one\.lock cannot be had: File exists"):
        action(build)  # type: ignore[operator]


def test_what_vanishes_while_it_is_counted_counts_nothing(tmp_path: Path) -> None:
    build = make(tmp_path, "one")
    (build.path / "onnx" / "dangling").symlink_to("nowhere")
    assert size_of(build) > 1000
    shutil.rmtree(build.path)
    assert (size_of(build), cleanable_size(build), last_used(build)) == (0, 0, 0.0)


@pytest.mark.parametrize("action", [clean_build, delete_build])
def test_who_is_done_in_a_moment_is_waited_for(action: object, tmp_path: Path) -> None:
    build = make(tmp_path, "one")
    gone = threading.Event()

    def work() -> None:
        with build_lock(tmp_path, "one", pytest.fail):
            begun.set()
            time.sleep(0.2)
            gone.set()

    begun = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(10)
    assert action(build)  # type: ignore[operator]
    assert gone.is_set()
    thread.join()


@pytest.mark.parametrize("action", [clean_build, delete_build])
def test_what_another_process_has_deleted_meanwhile_is_no_error(
    action: object, tmp_path: Path
) -> None:
    build = make(tmp_path, "one")
    assert delete_build(build)
    assert action(build) is None  # type: ignore[operator]
    assert not build.path.exists()


def test_a_build_that_was_used_since_it_was_chosen_is_left(tmp_path: Path) -> None:
    build = make(tmp_path, "one", age_s=7200)
    limit = time.time() - 3600
    assert used_before([build], limit) == [build]
    os.utime(build.state_file)
    assert clean_build(build, unless_used_since=limit) is None
    assert (build.path / "onnx/a.onnx").exists()
    assert clean_build(build)


def test_a_build_that_is_claimed_while_it_goes_is_deleted_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path)
    build = cache.claim(Path("/a.toy"), "0" * 64)
    write_document(build.state_file, STATE_SCHEMA, {})

    def rmtree(path: Path) -> None:
        monkeypatch.undo()
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    monkeypatch.setattr(cleaning.shutil, "rmtree", rmtree)
    assert delete_build(build)


def test_a_folder_that_vanishes_while_it_is_counted_counts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = make(tmp_path, "one")
    (build.path / ".tmp-scratch/deep").mkdir(parents=True)
    real = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == ".tmp-scratch":
            monkeypatch.undo()
            shutil.rmtree(path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert cleanable_size(build) == 1000
