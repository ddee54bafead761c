"""Seals: a file is read again when anything may have changed it, and only then."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from turnkeyml.artifacts import Artifact, FileRecord
from turnkeyml.cache import seals
from turnkeyml.cache.seals import Seals


def record(root: Path, name: str, content: bytes = b"content") -> FileRecord:
    (root / name).write_bytes(content)
    return FileRecord(name, len(content), hashlib.sha256(content).hexdigest())


def artifact(*records: FileRecord) -> list[Artifact]:
    return [Artifact("kind", "step-1", records)]


class Reads:
    """Counts what is read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        real = seals.sha256_of

        def read(path: Path) -> str:
            self.names.append(path.name)
            return real(path)

        monkeypatch.setattr(seals, "sha256_of", read)

    def taken(self) -> list[str]:
        found, self.names = sorted(self.names), []
        return found


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


def sealed(root: Path, *records: FileRecord) -> Seals:
    """Seal files in one process, and learn it in another."""
    first = Seals(root)
    first.watch(records)
    first.seal(records)
    second = Seals(root)
    second.learn(first.to_json(r.path for r in records))
    return second


def test_a_sealed_file_is_not_read_again(tmp_path: Path, reads: Reads) -> None:
    one, two = record(tmp_path, "one"), record(tmp_path, "two")
    found = sealed(tmp_path, one, two)
    assert found.damaged(artifact(one, two), read=False) == []
    assert reads.taken() == []


def test_what_is_about_to_be_used_is_read_once_a_process(tmp_path: Path, reads: Reads) -> None:
    one, two = record(tmp_path, "one"), record(tmp_path, "two")
    found = sealed(tmp_path, one, two)
    assert found.damaged(artifact(one, two), read=True) == []
    assert reads.taken() == ["one", "two"]
    assert found.damaged(artifact(one), read=True) == []
    assert found.damaged(artifact(one), read=False) == []
    assert reads.taken() == []


def test_what_this_process_wrote_is_not_read(tmp_path: Path, reads: Reads) -> None:
    one = record(tmp_path, "one")
    found = Seals(tmp_path)
    found.watch([one])
    assert found.damaged(artifact(one), read=True) == []
    assert reads.taken() == []


def test_without_a_seal_a_file_is_read_and_then_sealed(tmp_path: Path, reads: Reads) -> None:
    one = record(tmp_path, "one")
    found = Seals(tmp_path)
    assert found.damaged(artifact(one), read=False) == []
    assert reads.taken() == ["one"]
    assert found.damaged(artifact(one), read=False) == []
    assert reads.taken() == []
    assert list(found.to_json(["one", "other"])) == ["one"]


def overwrite(path: Path) -> None:
    path.write_bytes(b"CONTENT")


def overwrite_and_set_time(path: Path) -> None:
    before = path.stat()
    path.write_bytes(b"CONTENT")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_and_set_time(path: Path) -> None:
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"CONTENT")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def remove(path: Path) -> None:
    path.unlink()


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"!")


def shrink(path: Path) -> None:
    os.truncate(path, 3)


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES = [
    overwrite,
    overwrite_and_set_time,
    replace_and_set_time,
    remove,
    grow,
    shrink,
    become_a_folder,
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("read", [False, True])
def test_no_change_goes_unseen(change: Callable[[Path], None], read: bool, tmp_path: Path) -> None:
    one, two = record(tmp_path, "one"), record(tmp_path, "two")
    found = sealed(tmp_path, one, two)
    change(tmp_path / "one")
    assert found.damaged(artifact(one, two), read=read) == ["one"]
    assert found.damaged(artifact(one, two), read=read) == ["one"]
    assert list(found.to_json(["two"])) == ["two"]


@pytest.mark.parametrize("change", CHANGES)
def test_no_change_goes_unseen_in_the_process_that_wrote(
    change: Callable[[Path], None], tmp_path: Path
) -> None:
    one = record(tmp_path, "one")
    found = Seals(tmp_path)
    found.watch([one])
    found.seal([one])
    change(tmp_path / "one")
    assert found.damaged(artifact(one), read=True) == ["one"]


def test_a_change_right_after_sealing_is_seen(tmp_path: Path) -> None:
    """Sealing waits until a further change would have another time."""
    for number in range(20):
        one = record(tmp_path, f"one{number}")
        found = sealed(tmp_path, one)
        overwrite_and_set_time(tmp_path / one.path)
        assert found.damaged(artifact(one), read=False) == [one.path]


def test_a_file_that_was_only_touched_is_read_and_found_right(tmp_path: Path, reads: Reads) -> None:
    one = record(tmp_path, "one")
    found = sealed(tmp_path, one)
    (tmp_path / "one").touch()
    assert found.damaged(artifact(one), read=False) == []
    assert reads.taken() == ["one"]


def test_a_file_from_the_future_is_sealed_without_waiting_for_it(
    tmp_path: Path, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was put back must not stop a command for a day."""
    one = record(tmp_path, "one")
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - 86_400 * 10**9)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"it slept {seconds} s"))
    found = sealed(tmp_path, one)
    assert found.damaged(artifact(one), read=False) == []
    tomorrow = (time.time() + 86_400) * 1e9
    os.utime(tmp_path / "one", ns=(int(tomorrow), int(tomorrow)))
    assert found.damaged(artifact(one), read=False) == []
    assert reads.taken() == ["one"]


def test_what_was_changed_between_hashing_and_sealing_is_not_sealed(tmp_path: Path) -> None:
    one = record(tmp_path, "one")
    found = Seals(tmp_path)
    found.watch([one])
    time.sleep(0.03)
    overwrite(tmp_path / "one")
    found.seal([one])
    assert found.to_json(["one"]) == {}
    assert found.damaged(artifact(one), read=False) == ["one"]


def test_what_changes_while_it_is_read_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = record(tmp_path, "one")
    real = seals.sha256_of

    def slowly(path: Path) -> str:
        digest = real(path)
        overwrite(path)
        return digest

    monkeypatch.setattr(seals, "sha256_of", slowly)
    found = Seals(tmp_path)
    assert found.damaged(artifact(one), read=False) == ["one"]
    assert found.to_json(["one"]) == {}


def test_the_same_file_in_two_artifacts_is_named_once(tmp_path: Path) -> None:
    one = record(tmp_path, "one")
    (tmp_path / "one").unlink()
    both = [*artifact(one), *artifact(one)]
    assert Seals(tmp_path).damaged(both, read=True) == ["one"]
    assert Seals(tmp_path).damaged([], read=True) == []


@pytest.mark.parametrize(
    "data",
    [
        None,
        3,
        [],
        "text",
        {"one": None},
        {"one": [1, 2, 3]},
        {"one": [1, 2, 3, "4"]},
        {"one": [1.0, 2, 3, 4]},
        {"one": [True, 1, 1, 1]},
    ],
)
def test_malformed_seals_cost_a_reading_and_nothing_else(
    data: object, tmp_path: Path, reads: Reads
) -> None:
    one = record(tmp_path, "one")
    found = Seals(tmp_path)
    found.learn(data)
    assert found.damaged(artifact(one), read=False) == []
    assert reads.taken() == ["one"]


def test_a_seal_that_was_made_up_does_not_hide_a_wrong_file(tmp_path: Path) -> None:
    """It would have to be the marks of the wrong file; then it is read before it is used."""
    one = record(tmp_path, "one")
    overwrite(tmp_path / "one")
    marks = (tmp_path / "one").stat()
    found = Seals(tmp_path)
    found.learn({"one": [7, marks.st_mtime_ns, marks.st_ctime_ns, marks.st_ino]})
    assert found.damaged(artifact(one), read=True) == ["one"]
