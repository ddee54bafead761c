"""What a build no longer needs goes, and nothing else does."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from builds import files_of, ran, the_build, the_state
from core_env import Ended, FakePlugins, run_here

from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA
from turnkeyml.cache.stats import Stats
from turnkeyml.errors import ExitCode
from turnkeyml.plugins import hookimpl
from turnkeyml.state import Status

FIND = ("-i", "a.toy", "find")


@pytest.fixture
def cache(weavers: FakePlugins, tmp_path: Path) -> Path:
    (tmp_path / "a.toy").write_text("one 1 in=3,4\n")
    return tmp_path / "cache"


def chain(*words: str) -> Ended:
    return run_here(*FIND, *words)


def in_net(cache: Path) -> set[str]:
    return {path.name for path in (the_build(cache).path / "net").iterdir()}


def referenced(cache: Path) -> set[str]:
    state = the_state(cache)
    artifacts = [*state.artifacts, *(a for r in state.records for a in r.artifacts)]
    return {Path(f.path).name for a in artifacts for f in a.files if f.path.startswith("net/")}


def test_files_of_a_result_that_was_replaced_go(cache: Path) -> None:
    chain("weave", "trouble", "--do", "nothing")
    old = in_net(cache)
    chain("weave", "trouble", "--do", "full")
    # The half of a file that the failed step left is referred to by nothing.
    assert in_net(cache) == old == referenced(cache)


def test_data_files_stay_as_long_as_one_net_needs_them(cache: Path) -> None:
    (cache.parent / "a.toy").write_text("one 1 in=3,4\n")
    chain("weave", "twist")
    (data,) = (name for name in in_net(cache) if name.endswith(".data"))
    path = the_build(cache).path / "net"
    for net in path.glob("weave*"):
        net.unlink()
    chain("weave", "twist")
    assert data in in_net(cache)
    assert in_net(cache) == referenced(cache)


def test_data_files_that_nothing_needs_any_more_go(cache: Path) -> None:
    chain("weave", "twist")
    folder = the_build(cache).path / "net"
    (folder / f"{'0' * 32}.data").write_text("of a build long ago")
    (folder / "twist-0123abcd.net").write_text("{}")
    assert ran(chain("weave", "twist")) == []
    assert in_net(cache) == referenced(cache)


def test_files_of_the_users_own_stay(cache: Path) -> None:
    chain("weave", "twist")
    build = the_build(cache)
    mine = (
        "net/notes.txt",
        "net/weave.net",
        "net/my-notes-20240101.txt",
        "net/weave-5a7295c2",
        "net/Weave-5A7295C2.net",
        f"net/{'g' * 32}.data",
        "net/sub/twist-0123abcd.net",
        "mine/twist-0123abcd.net",
        "twist-0123abcd.net",
        "readme.md",
    )
    for name in mine:
        (build.path / name).parent.mkdir(exist_ok=True)
        (build.path / name).write_text("mine")
    chain("weave", "twist", "--times", "2")
    for name in mine:
        assert (build.path / name).read_text() == "mine", name


def test_unfinished_files_go_when_nobody_can_be_writing_them(cache: Path) -> None:
    chain("weave")
    build = the_build(cache)
    for where in (build.path / "net", build.path):
        (where / ".tmp-old").write_text("x" * 1000)
        (where / ".tmp-new").write_text("of a process that is just writing it")
        long_ago = time.time() - 7200
        os.utime(where / ".tmp-old", (long_ago, long_ago))
    chain("weave")
    assert sorted(p.name for p in build.path.rglob(".tmp-*")) == [".tmp-new", ".tmp-new"]


def test_nothing_is_deleted_through_a_link(cache: Path, tmp_path: Path) -> None:
    """A cache that came from somebody may have a link where a folder should be."""
    chain("weave")
    outside = tmp_path / "outside"
    folder = the_build(cache).path / "net"
    shutil.move(folder, outside)
    (outside / "twist-0123abcd.net").write_text("precious")
    (outside / f"{'0' * 32}.data").write_text("precious")
    folder.symlink_to(outside, target_is_directory=True)
    chain("compile")
    assert (outside / "twist-0123abcd.net").read_text() == "precious"
    assert (outside / f"{'0' * 32}.data").read_text() == "precious"


@pytest.mark.parametrize("there", ["nothing", "a file"])
def test_a_folder_of_earlier_results_that_is_gone_does_not_matter(there: str, cache: Path) -> None:
    chain("weave")
    folder = the_build(cache).path / "net"
    shutil.rmtree(folder)
    if there == "a file":
        folder.write_text("x")
    done = chain("compile")
    assert done.code == ExitCode.OK, done.text
    assert the_state(cache).status is Status.SUCCESSFUL


def test_a_state_that_names_other_folders_cleans_nothing_there(cache: Path) -> None:
    chain("weave")
    build = the_build(cache)
    (build.path / "mine").mkdir()
    (build.path / "mine" / f"{'0' * 32}.data").write_text("in the way")
    (build.path / "other").write_text("no folder")
    content = read_document(build.state_file, STATE_SCHEMA)
    content["artifacts"][-1]["files"][0]["path"] = "other/x.net"
    del content["schema"]
    write_document(build.state_file, STATE_SCHEMA, content)
    assert chain("weave").code == ExitCode.OK
    assert (build.path / "mine" / f"{'0' * 32}.data").exists()


# --lean-cache


def lean(*words: str) -> Ended:
    return run_here("--lean-cache", *FIND, *words)


def test_a_lean_build_keeps_logs_state_and_statistics(cache: Path) -> None:
    done = lean("weave", "twist", "check")
    assert done.code == ExitCode.OK
    build = the_build(cache)
    assert {p.name for p in build.path.iterdir()} == {
        ".claim",
        f"{build.name}_state.yaml",
        "turnkey_stats.yaml",
        *(f"log_{tool}.txt" for tool in ("find", "weave", "twist", "check")),
    }
    assert "woven" in build.log_file("weave").read_text()
    state = the_state(cache)
    assert state.status is Status.SUCCESSFUL
    assert (state.artifacts, state.records) == ((), ())
    assert {s["tool"]: s["status"] for s in Stats.load(build).steps.values()} == dict.fromkeys(
        ("find", "weave", "twist", "check"), "successful"
    )


def test_a_lean_build_that_failed_is_lean_too(cache: Path) -> None:
    done = lean("weave", "trouble", "--do", "fail", "twist")
    assert done.code == ExitCode.FAILED
    build = the_build(cache)
    assert not any(path.is_dir() for path in build.path.iterdir())
    assert "after all was done" in build.log_file("trouble").read_text()
    assert the_state(cache).status is Status.FAILED
    assert the_state(cache).content["failed_step"] == "trouble"


def test_a_lean_build_that_was_interrupted_is_lean_too(cache: Path) -> None:
    done = lean("compile", "act", "--do", "interrupt")
    assert done.code == ExitCode.INTERRUPTED
    assert not any(path.is_dir() for path in the_build(cache).path.iterdir())
    assert the_state(cache).status is Status.INTERRUPTED


def test_after_a_lean_build_everything_is_made_again(cache: Path) -> None:
    lean("weave", "twist")
    done = run_here("--explain", *FIND, "weave", "twist")
    assert ran(done) == ["weave", "twist"]
    assert "weave: is run, because no earlier result is in the cache." in done.out
    assert "damaged" not in done.out


def test_a_lean_build_takes_what_an_earlier_one_left_before_it_goes(cache: Path) -> None:
    chain("weave", "twist")
    assert ran(lean("weave", "twist")) == []
    assert files_of(the_build(cache))[1:] == [
        f"{the_build(cache).name}_state.yaml",
        "turnkey_stats.yaml",
    ]


def test_a_lean_build_leaves_links_alone(cache: Path, tmp_path: Path) -> None:
    chain("weave")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "thesis.txt").write_text("years of work")
    link = the_build(cache).path / "link"
    link.symlink_to(tmp_path / "outside", target_is_directory=True)
    lean("weave")
    assert (tmp_path / "outside" / "thesis.txt").read_text() == "years of work"


def test_listeners_hear_of_a_lean_build_when_it_is_lean(cache: Path, weavers: FakePlugins) -> None:
    heard = []

    @hookimpl
    def turnkey_build_finished(state):
        heard.append((state.status, list(state.artifacts)))

    weavers.add(turnkey_build_finished=turnkey_build_finished)
    lean("weave")
    assert heard == [(Status.SUCCESSFUL, [])]
