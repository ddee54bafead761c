"""Builds at a glance: the same as reading all of their states, only sooner."""

from __future__ import annotations

from pathlib import Path

import pytest

from turnkeyml.cache.cleaning import tree_size
from turnkeyml.cache.documents import write_document
from turnkeyml.cache.layout import STATE_SCHEMA, BuildDirectory, Cache
from turnkeyml.cache.locks import build_lock
from turnkeyml.cache.overview import look_over, status_of
from turnkeyml.errors import CacheError
from turnkeyml.outcomes import Status
from turnkeyml.saved_state import load_state


def make(cache: Path, content: dict[str, object], schema: int = STATE_SCHEMA) -> BuildDirectory:
    build = BuildDirectory(cache, "a_1")
    build.path.mkdir(parents=True, exist_ok=True)
    write_document(build.state_file, schema, content)
    return build


def slowly(build: BuildDirectory) -> str:
    try:
        return load_state(build).status.value
    except CacheError:
        return "unreadable"


@pytest.mark.parametrize("status", [*(status.value for status in Status), "nonsense", "", 7, None])
def test_a_status_is_what_the_state_says(status: object, tmp_path: Path) -> None:
    build = make(tmp_path, {"name": "a", "status": status, "artifacts": [], "error": "status: x"})
    assert status_of(build) == slowly(build)
    with build_lock(tmp_path, build.name, pytest.fail):
        assert status_of(build) == slowly(build)


def test_what_only_looks_like_a_status_is_none(tmp_path: Path) -> None:
    content = {"error": "it says\nstatus: failed\nand more", "status": "successful"}
    build = make(tmp_path, content)
    assert status_of(build) == slowly(build) == "successful"


@pytest.mark.parametrize("harm", ["edited", "cut", "newer", "no digest", "a folder", "gone"])
def test_what_is_not_as_it_was_written_is_read_with_care(harm: str, tmp_path: Path) -> None:
    build = make(tmp_path, {"status": "successful"}, schema=99 if harm == "newer" else STATE_SCHEMA)
    raw = build.state_file.read_bytes()
    if harm == "edited":
        build.state_file.write_bytes(raw.replace(b"successful", b"failed"))
    elif harm == "cut":
        build.state_file.write_bytes(raw[:-5])
    elif harm == "no digest":
        build.state_file.write_bytes(raw.partition(b"\n")[2])
    elif harm in ("a folder", "gone"):
        build.state_file.unlink()
        if harm == "a folder":
            build.state_file.mkdir()
    assert status_of(build) == slowly(build)
    assert (status_of(build) == "successful") == (harm == "no digest")


def test_sizes_are_those_of_files_and_not_of_what_links_lead_to(tmp_path: Path) -> None:
    build = make(tmp_path / "cache", {"status": "successful"})
    own = tree_size(build.path)
    (build.path / "onnx/deep").mkdir(parents=True)
    (build.path / "onnx/deep/a").write_bytes(b"x" * 100)
    (tmp_path / "large").write_bytes(b"x" * 10_000)
    (build.path / "link").symlink_to(tmp_path / "large")
    (build.path / "loop").symlink_to(build.path)
    links = sum((build.path / name).lstat().st_size for name in ("link", "loop"))
    (facts,) = look_over(Cache(tmp_path / "cache"))
    assert facts.size == own + 100 + links
    assert tree_size(tmp_path / "none") == 0


def test_a_build_deleted_after_the_cache_was_read_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = make(tmp_path, {"status": "successful"})
    listed = Cache(tmp_path).builds()
    build.state_file.unlink()
    monkeypatch.setattr(Cache, "builds", lambda self: listed)
    assert list(look_over(Cache(tmp_path))) == []
    build.state_file.write_text("{half")
    assert [facts.status for facts in look_over(Cache(tmp_path))] == ["unreadable"]
