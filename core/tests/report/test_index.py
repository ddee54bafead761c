"""What was read before is used again, and whatever is wrong with it never shows in a report."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from core_env import FakePlugins
from report_builds import RESULT, settle, stats_of, values_of, write_build

from turnkeyml.cache.layout import BuildDirectory, Cache
from turnkeyml.plugins.registry import Registry
from turnkeyml.report import gathering, index, parallel
from turnkeyml.report.index import load_index
from turnkeyml.report.reading import BuildReader, find_builds

FILE = Path(".report/index.sqlite3")


@pytest.fixture
def registry(plugins: FakePlugins) -> Registry:
    return plugins.registry()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        write_build(tmp_path / "cache", name)
    return tmp_path / "cache"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the builds whose files are read."""
    names: list[str] = []
    own = BuildReader.rows_of

    def rows_of(self: BuildReader, name: str) -> Any:
        names.append(name)
        return own(self, name)

    monkeypatch.setattr(BuildReader, "rows_of", rows_of)
    return names


def latencies(registry: Registry, cache: Path) -> list[Any]:
    return [row.get("mean_latency_ms") for row in values_of(registry, cache)]


def remeasure(cache: Path, name: str, latency: float) -> None:
    write_build(
        cache, name, None, stats_of(results={"6fbe4f15": {**RESULT, "mean_latency_ms": latency}})
    )


def test_builds_are_read_once(cache: Path, registry: Registry, reads: list[str]) -> None:
    first = values_of(registry, cache)
    assert reads == ["a", "b", "c"]
    assert values_of(registry, cache) == first
    assert reads == ["a", "b", "c"]


def test_a_build_that_changed_is_read_again(
    cache: Path, registry: Registry, reads: list[str]
) -> None:
    values_of(registry, cache)
    remeasure(cache, "b", 7.5)
    del reads[:]
    assert latencies(registry, cache) == [2.5, 7.5, 2.5]
    assert reads == ["b"]


def test_a_change_that_leaves_size_and_time_is_seen(cache: Path, registry: Registry) -> None:
    values_of(registry, cache)
    build = BuildDirectory(cache, "b")
    before = build.stats_file.stat()
    remeasure(cache, "b", 3.5)
    os.utime(build.stats_file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert build.stats_file.stat().st_size == before.st_size
    assert latencies(registry, cache) == [2.5, 3.5, 2.5]


def test_a_change_in_place_that_leaves_size_and_time_is_seen(
    cache: Path, registry: Registry
) -> None:
    values_of(registry, cache)
    path = BuildDirectory(cache, "b").state_file
    before = path.stat()
    text = path.read_bytes()
    with path.open("r+b") as file:
        file.write(text.replace(b"google", b"gaggle"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_ino, after.st_mtime_ns) == (
        before.st_size,
        before.st_ino,
        before.st_mtime_ns,
    )
    assert values_of(registry, cache)[1]["status"] == "unreadable"


def test_a_build_that_was_written_just_now_is_read_again(
    cache: Path, registry: Registry, reads: list[str]
) -> None:
    settle(BuildDirectory(cache, "b"), 0)
    settle(BuildDirectory(cache, "c"), -3600)
    for _ in range(2):
        values_of(registry, cache)
    assert reads == ["a", "b", "c", "b", "c"]


def test_builds_that_come_and_go(cache: Path, registry: Registry) -> None:
    values_of(registry, cache)
    for path in (cache / "a").iterdir():
        path.unlink()
    (cache / "a").rmdir()
    write_build(cache, "d")
    assert [row["build_name"] for row in values_of(registry, cache)] == ["b", "c", "d"]
    assert set(load_index(cache).entries) == {"b", "c", "d"}


def test_statistics_that_come_and_go(cache: Path, registry: Registry) -> None:
    text = (cache / "b" / "turnkey_stats.yaml").read_bytes()
    values_of(registry, cache)
    (cache / "b" / "turnkey_stats.yaml").unlink()
    assert latencies(registry, cache) == [2.5, None, 2.5]
    (cache / "b" / "turnkey_stats.yaml").write_bytes(text)
    assert latencies(registry, cache) == [2.5, 2.5, 2.5]


def test_a_cache_that_was_moved_has_its_new_paths(
    cache: Path, registry: Registry, tmp_path: Path
) -> None:
    values_of(registry, cache)
    cache.rename(tmp_path / "moved")
    row = values_of(registry, tmp_path / "moved")[0]
    assert row["cache"] == str(tmp_path / "moved")
    assert row["build_dir"] == str(tmp_path / "moved" / "a")


def garbage(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + os.urandom(5000))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def statement(text: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        database = sqlite3.connect(path)
        with database:
            database.executescript(text)
        database.close()

    return change


DAMAGES = {
    "garbage": garbage,
    "empty": empty,
    "half": half,
    "a folder": folder,
    "a link": link,
    "no tables": statement("DROP TABLE builds; DROP TABLE shapes; DROP TABLE about"),
    "one table less": statement("DROP TABLE shapes"),
    "other columns": statement("DROP TABLE builds; CREATE TABLE builds (x)"),
    "other columns of shapes": statement("DROP TABLE shapes; CREATE TABLE shapes (id, names)"),
    "another version": statement("UPDATE about SET version = '0 0'"),
    "two versions": statement("INSERT INTO about VALUES ('0 0')"),
    "other content": statement("UPDATE builds SET content = '[[1],[\"x\"]]'"),
    "no text": statement("UPDATE builds SET content = 5"),
    "no JSON": statement("UPDATE builds SET content = 'x'"),
    "other names": statement("UPDATE shapes SET names = '[\"x\"]'"),
    "an endless view": statement(
        "DROP TABLE builds; CREATE VIEW builds AS WITH RECURSIVE t(name, stamp, content, sum) AS "
        "(VALUES ('a', 's', 'c', 1) UNION ALL SELECT name, stamp, content, sum FROM t) "
        "SELECT * FROM t"
    ),
    "a trigger": statement("CREATE TRIGGER t AFTER DELETE ON builds BEGIN DELETE FROM shapes; END"),
    "stamps of no use": statement("UPDATE builds SET stamp = 'x'"),
    "strange names": statement("UPDATE builds SET name = x'00ff' WHERE name = 'a'"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_whatever_happened_to_the_index_the_report_is_right(
    damage: Callable[[Path], None], cache: Path, registry: Registry
) -> None:
    right = values_of(registry, cache)
    damage(cache / FILE)
    for _ in range(2):
        assert values_of(registry, cache) == right
    remeasure(cache, "b", 8.5)
    assert latencies(registry, cache) == [2.5, 8.5, 2.5]


@pytest.mark.parametrize("name", [n for n in DAMAGES if n not in ("a folder", "a link")])
def test_a_damaged_index_is_mended(
    name: str, cache: Path, registry: Registry, reads: list[str]
) -> None:
    values_of(registry, cache)
    DAMAGES[name](cache / FILE)
    values_of(registry, cache)
    remeasure(cache, "a", 1.5)
    values_of(registry, cache)
    del reads[:]
    assert latencies(registry, cache) == [1.5, 2.5, 2.5]
    assert reads == []


def consistent(content: str, names: str) -> str:
    """Change an index as somebody would who knows how it is checked."""
    total = index._sum("a", "STAMP", content)
    shape = index._sum(1, names)
    return (
        f"UPDATE shapes SET names = '{names}', sum = {shape} WHERE id = 1;"
        f"UPDATE builds SET content = '{content}', sum = {total} WHERE name = 'a'"
    )


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("5", "[]"),
        ("[]", "[]"),
        ("[[1],[1,2]]", '["x"]'),
        ("[[1,1],[1]]", '["x"]'),
        ("[[9],[1]]", '["x"]'),
        ("[[1],5]", '["x"]'),
        ("[[1],[1]]", "[5]"),
        ("[[1],[1]]", "5"),
        ("[[[1]],[1]]", '["x"]'),
        ("{}", "[]"),
        ("[" * 100_000, "[]"),
    ],
)
def test_an_index_with_wrong_content_and_right_sums_gives_the_builds_own_rows(
    content: str, names: str, cache: Path, registry: Registry
) -> None:
    right = values_of(registry, cache)
    stamp = load_index(cache).entries["a"].stamp
    text = consistent(content, names).replace("STAMP", stamp)
    total = index._sum("a", stamp, content)
    statement(text.replace(str(index._sum("a", "STAMP", content)), str(total)))(cache / FILE)
    assert load_index(cache).entries["a"].content == content
    from turnkeyml.cache.layout import Cache
    from turnkeyml.report import gather

    report = gather([Cache(cache)], registry)
    assert next(iter(report.rows())).values == right[0]
    assert "mean_latency_ms" in report.columns()


def test_a_cache_that_cannot_be_written_is_reported_all_the_same(
    cache: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = values_of(registry, cache)
    (cache / FILE).unlink()

    def refuse(path: Path, mode: str) -> Any:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(index, "_connect", refuse)
    assert values_of(registry, cache) == right
    assert not (cache / FILE).exists()


def test_a_file_where_the_index_folder_would_be(cache: Path, registry: Registry) -> None:
    (cache / ".report").write_text("mine")
    assert len(values_of(registry, cache)) == 3
    assert (cache / ".report").read_text() == "mine"


def test_a_link_is_not_followed(cache: Path, registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (cache / ".report").symlink_to(tmp_path / "elsewhere")
    assert len(values_of(registry, cache)) == 3
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_index_that_is_in_use_is_done_without(
    cache: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = values_of(registry, cache)
    monkeypatch.setattr(index, "_WAIT_S", 0.05)
    database = sqlite3.connect(cache / FILE, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    assert values_of(registry, cache) == right
    write_build(cache, "d")
    assert len(values_of(registry, cache)) == 4
    database.execute("ROLLBACK")
    database.close()
    assert set(load_index(cache).entries) == {"a", "b", "c"}


def test_a_full_disk_is_no_reason_to_fail(
    cache: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(index, "_save", full)
    assert len(values_of(registry, cache)) == 3


def test_many_reports_at_once(cache: Path, registry: Registry) -> None:
    found: list[int] = []

    def report() -> None:
        for _ in range(5):
            found.append(len(values_of(registry, cache)))

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [3] * 20
    assert len(values_of(registry, cache)) == 3


KILLED = """
import os, sys
from pathlib import Path
from turnkeyml.report import index
from turnkeyml.report.reading import BuildReader, find_builds
cache = Path(sys.argv[1])
read = list(BuildReader(cache).read_all(find_builds(cache)))
own = index._records
def records(*arguments):
    for number, record in enumerate(own(*arguments)):
        yield record
        if number == 1:
            os.kill(os.getpid(), 9)
index._records = records
index.save_index(cache, read, [])
"""


def test_killed_while_writing_the_index(cache: Path, registry: Registry, reads: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(cache)], check=False)
    assert done.returncode == -9
    assert len(values_of(registry, cache)) == 3
    assert reads == ["a", "b", "c"]
    assert set(load_index(cache).entries) == {"a", "b", "c"}


def test_files_that_are_no_builds(cache: Path, registry: Registry, tmp_path: Path) -> None:
    (cache / "mine").mkdir()
    (cache / "file").touch()
    (cache / "dir_state").mkdir()
    (cache / "dir_state" / "dir_state_state.yaml").mkdir()
    (cache / "gone").symlink_to(tmp_path / "nowhere")
    assert [found.name for found in find_builds(cache)] == ["a", "b", "c"]


DAMAGED_FILES = {
    "no YAML": b"{half",
    "empty": b"",
    "a list": b"- 1\n",
    "a newer schema": b"schema: 99\n",
    "no text": b"schema: 1\nname: \xff\n",
    "an alias": b"schema: 1\na: &x [1]\nb: *x\n",
    "a tag": b"schema: 1\na: !!python/object:os.system {}\n",
    "deep": b"schema: 1\na: " + b"[" * 1000,
    "edited": b"# sha256 " + b"0" * 64 + b"\nschema: 1\n",
}


@pytest.mark.parametrize("file", ["state", "stats"])
@pytest.mark.parametrize("content", DAMAGED_FILES.values(), ids=DAMAGED_FILES)
def test_a_build_with_a_damaged_file_is_a_row_that_says_so(
    content: bytes, file: str, cache: Path, registry: Registry
) -> None:
    build = BuildDirectory(cache, "b")
    path = build.state_file if file == "state" else build.stats_file
    path.write_bytes(content)
    settle(build)
    for _ in range(2):
        rows = values_of(registry, cache)
        assert [row["status"] for row in rows] == ["successful", "unreadable", "successful"]
        assert path.name in rows[1]["error"]
        assert rows[1]["build_name"] == "b"
    assert "b" in load_index(cache).entries


def test_a_statistics_file_that_leads_nowhere(cache: Path, registry: Registry) -> None:
    (cache / "b" / "turnkey_stats.yaml").unlink()
    (cache / "b" / "turnkey_stats.yaml").symlink_to("/nonexistent/stats.yaml")
    assert values_of(registry, cache)[1]["status"] == "unreadable"


def test_a_state_file_that_nobody_may_read(
    cache: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Path.read_bytes

    def read_bytes(self: Path) -> bytes:
        if self.parent.name == "b":
            raise PermissionError(13, "Permission denied")
        return own(self)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    monkeypatch.setattr(
        "turnkeyml.report.reading.open",
        lambda path, mode: (_ for _ in ()).throw(PermissionError(13, "Permission denied")),
        raising=False,
    )
    rows = values_of(registry, cache)
    assert [row["status"] for row in rows] == ["successful", "unreadable", "successful"]
    assert "Permission denied" in rows[1]["error"]


def test_helpers_read_what_one_process_reads(
    cache: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = values_of(registry, cache)
    builds = find_builds(cache)
    one = parallel.read_builds(cache, builds)
    monkeypatch.setattr(parallel, "WORTH_IT", 1)
    monkeypatch.setattr(parallel, "_cores", lambda: 3)
    assert parallel.read_builds(cache, builds) == one
    (cache / FILE).unlink()
    assert values_of(registry, cache) == right


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit(3)",
        "print('half')",
        "import os; os.kill(os.getpid(), 9)",
        "print('[\"other\", [], []]')",
        "print('5')",
        "print('[\"c\", [0], [\"[]\"]]\\n[1,2', end='')",
        "print('[\"c\", [7], []]\\n[1,2]')",
    ],
)
def test_what_a_helper_leaves_undone_is_done(
    program: str, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    builds = find_builds(cache)
    one = parallel.read_builds(cache, builds)
    (tmp_path / "helper.py").write_text(program)
    monkeypatch.setattr(parallel, "_HELPER", tmp_path / "helper.py")
    monkeypatch.setattr(parallel, "WORTH_IT", 1)
    monkeypatch.setattr(parallel, "_cores", lambda: 2)
    assert parallel.read_builds(cache, builds) == one


def test_the_index_keeps_names_that_are_hard(cache: Path, registry: Registry) -> None:
    names = ["new\nline", "x\x1b[31m", "quote'\"", "é" * 50, " plan", "a::b"]
    for name in names:
        write_build(cache, name)
    (cache / os.fsdecode(b"\xff")).mkdir()
    first = values_of(registry, cache)
    assert {row["build_name"] for row in first} >= {*names, "a"}
    assert values_of(registry, cache) == first
    assert json.dumps(first)


def test_a_build_deleted_after_it_was_listed_has_no_row(
    cache: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = gathering.read_builds

    def read(path: Path, changed: Any) -> Any:
        shutil.rmtree(path / "b")
        return real(path, changed)

    monkeypatch.setattr(gathering, "read_builds", read)
    found = gathering.gather([Cache(cache)], registry)
    assert {row.text("build_name") for row in found.rows()} == {"a", "c"}
    assert found.build_count == 2
    monkeypatch.undo()
    assert gathering.gather([Cache(cache)], registry).build_count == 2
