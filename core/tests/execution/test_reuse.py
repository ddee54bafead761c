"""Reuse: exactly what depends on a change is run again, and whatever is damaged is made anew."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from builds import content_of, files_of, notes, ran, results_of, spared, steps_of, the_build
from builds import the_state as state_in
from core_env import Ended, Environment, FakePlugins, run_here

from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA
from turnkeyml.cache.seals import Seals
from turnkeyml.errors import ExitCode
from turnkeyml.execution import reuse
from turnkeyml.plugins import hookimpl
from turnkeyml.saved_state import SavedState
from turnkeyml.state import Status

FIND = ("-i", "a.toy", "find")
CHAIN = ("weave", "twist", "check")


@pytest.fixture
def cache(weavers: FakePlugins, tmp_path: Path) -> Path:
    (tmp_path / "a.toy").write_text("one 1 in=3,4\n")
    return tmp_path / "cache"


def run(*words: str, code: int = ExitCode.OK) -> Ended:
    done = run_here(*words)
    assert done.code == code, done.text
    return done


def chain(*steps: str, before: tuple[str, ...] = (), code: int = ExitCode.OK) -> Ended:
    return run(*before, *FIND, *(steps or CHAIN), code=code)


def the_state(cache: Path) -> SavedState:
    return state_in(cache)


def same_as_in_an_empty_cache(cache: Path, *steps: str) -> bool:
    """Tell whether what the cache has is what the same chain makes without one."""
    elsewhere = cache.parent / "elsewhere"
    run("-d", str(elsewhere), *FIND, *steps)
    fresh = results_of(elsewhere)
    shutil.rmtree(elsewhere)
    return results_of(cache) == fresh


def test_what_a_step_noted_is_told_whenever_its_result_is_used(cache: Path) -> None:
    steps = ("weave", "trouble", "--do", "say", "--word", "careful", "twist")
    first, again = chain(*steps), chain(*steps)
    assert "trouble" in ran(first)
    assert "trouble" in spared(again)
    assert notes(again) == notes(first)
    assert any("careful" in note for note in notes(first))


@pytest.mark.parametrize("content", ["7", "{a: b}", "[[1], null]"])
def test_notes_that_somebody_changed_do_no_harm(cache: Path, content: str) -> None:
    steps = ("weave", "trouble", "--do", "say", "--word", "careful", "twist")
    chain(*steps)
    file = the_build(cache).stats_file
    text = file.read_text()
    damaged = re.sub(r"notes:\n\s+- .*careful", f"notes: {content}", text)
    assert damaged != text
    file.write_text(damaged)
    assert "trouble" in spared(chain(*steps))


# What changes, and what is run again for it.


def test_the_same_command_again_runs_discovery_and_what_makes_nothing(cache: Path) -> None:
    assert ran(chain()) == ["weave", "twist", "check"]
    before = results_of(cache)
    again = chain()
    assert ran(again) == ["check"]
    assert spared(again) == ["weave", "twist"]
    assert "a.toy: find" in again.err
    assert results_of(cache) == before
    assert notes(again) == []


@pytest.mark.parametrize(
    ("line", "steps", "again"),
    [
        ("one 1 in=3,4", ("weave", "twist", "stamp"), []),
        ("one 2 in=3,4", ("weave", "twist", "stamp"), ["weave", "twist", "stamp"]),
        ("one 1 in=3,4 code=2", ("weave", "twist", "stamp"), ["weave", "twist", "stamp"]),
        # Only what reads the captured inputs depends on them, and what it makes is another.
        ("one 1 in=3,5", ("weave", "twist", "stamp"), ["weave", "twist", "stamp"]),
        ("one 1 in=3,4", ("weave", "twist", "--times", "2", "stamp"), ["twist", "stamp"]),
        ("one 1 in=3,4", ("weave", "twist", "--times", "1", "stamp"), []),
        ("one 1 in=3,4", ("weave", "stamp"), ["stamp"]),
        ("one 1 in=3,4", ("weave", "twist", "stamp", "twist"), ["twist"]),
        ("one 1 in=3,4", ("weave", "--opset", "20", "twist", "stamp"), ["weave", "twist", "stamp"]),
        ("one 1 in=3,4", ("weave", "--name", "x", "twist", "stamp"), ["weave", "twist", "stamp"]),
    ],
)
def test_a_change_runs_exactly_what_depends_on_it(
    line: str, steps: tuple[str, ...], again: list[str], cache: Path
) -> None:
    chain("weave", "twist", "stamp")
    Path("a.toy").write_text(f"{line}\n")
    # Another weight is another model, with a build of its own.
    if "one 2" in line:
        shutil.rmtree(cache)
    assert ran(chain(*steps)) == again
    assert same_as_in_an_empty_cache(cache, *steps)


def test_inputs_that_no_step_reads_are_part_of_no_key(cache: Path) -> None:
    chain("compile", "shrink")
    Path("a.toy").write_text("one 1 in=9\n")
    assert ran(chain("compile", "shrink")) == []


def test_a_step_whose_result_came_out_the_same_spares_those_after_it(cache: Path) -> None:
    Path("a.toy").write_text("one 1234567890\n")
    chain("compile", "--level", "1", "shrink")
    again = chain("compile", "--level", "2", "shrink")
    # `shrink` keeps eight characters, which are those of the weight; the file's facts differ.
    assert ran(again) == ["compile", "shrink"]
    third = chain("compile", "--level", "2", "shrink", "shrink")
    assert ran(third) == ["shrink"]


def test_another_chain_takes_what_it_has_in_common(cache: Path) -> None:
    chain("weave", "twist", "stamp")
    again = chain("weave", "act", "twist", "check")
    assert ran(again) == ["act", "check"]
    assert spared(again) == ["weave", "twist"]


def test_going_back_and_forth_between_options_costs_nothing(cache: Path) -> None:
    for times in ("1", "2"):
        assert "twist" in ran(chain("weave", "twist", "--times", times))
    for times in ("1", "2", "1"):
        done = chain("weave", "twist", "--times", times)
        assert ran(done) == []
        content = content_of(the_build(cache), the_state(cache).artifacts[-1])[0]
        assert f"twist {times}" in content.decode()


def test_source_that_goes_back_to_what_it_was_is_built_again_rightly(cache: Path) -> None:
    steps = ("weave", "twist")
    for line in ("one 1 code=1", "one 1 code=2", "one 1 code=1"):
        Path("a.toy").write_text(f"{line}\n")
        assert ran(chain(*steps)) == ["weave", "twist"]
        assert same_as_in_an_empty_cache(cache, *steps)


def test_a_model_of_which_nothing_is_known_is_built_every_time(cache: Path) -> None:
    Path("a.toy").write_text("one 1 unkeyed\n")
    assert ran(chain("weave", "twist")) == ["weave", "twist"]
    # What it comes to is the same, and that is known of files.
    assert ran(chain("weave", "twist")) == ["weave"]
    assert same_as_in_an_empty_cache(cache, "weave", "twist")


def test_one_tool_twice_in_a_chain_is_run_once_where_it_would_make_the_same(cache: Path) -> None:
    done = chain("weave", "weave", "twist", "twist")
    assert ran(done) == ["weave", "twist", "twist"]
    assert spared(done) == ["weave"]
    assert ran(chain("weave", "weave", "twist", "twist")) == []


def test_a_result_of_a_later_step_is_not_taken_by_an_earlier_one(cache: Path) -> None:
    """Else the later step would write over the file that the earlier one has as its result."""
    steps = ("weave", "count", "count")
    chain(*steps)
    # What `weave` makes now is what the first `count` made then.
    Path("a.toy").write_text("one 1 in=3,4 code=1\n")
    chain(*steps)
    assert same_as_in_an_empty_cache(cache, *steps)
    Path("a.toy").write_text("one 1 in=3,4\n")
    chain(*steps)
    assert same_as_in_an_empty_cache(cache, *steps)


def change_package(monkeypatch: pytest.MonkeyPatch, plugins: FakePlugins) -> None:
    monkeypatch.setattr(plugins, "_distributions", plugins._distributions[:-1])
    plugins.add_entry_point("weaveplug", distribution="weaveplug", version="1.1")


def change_turnkey(monkeypatch: pytest.MonkeyPatch, plugins: FakePlugins) -> None:
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda n: "77.1.0" if "core" in n else real(n))


def patch_turnkey(monkeypatch: pytest.MonkeyPatch, plugins: FakePlugins) -> None:
    here = metadata.version("turnkeyml-core")
    major, minor, _ = here.split(".", 2)
    monkeypatch.setattr(metadata, "version", lambda name: f"{major}.{minor}.99")


def change_library(monkeypatch: pytest.MonkeyPatch, plugins: FakePlugins) -> None:
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda n: "2.5" if n == "toylib" else real(n))
    reuse.version_of.cache_clear()


@pytest.mark.parametrize(
    ("change", "again", "said"),
    [
        (change_package, ["weave", "stamp", "twist"], "package (weaveplug 1.0 -> weaveplug 1.1)"),
        (change_turnkey, ["weave", "stamp", "twist"], "turnkey (0.1 -> 77.1)"),
        (patch_turnkey, [], ""),
        (change_library, ["stamp", "twist"], "library toylib (none -> 2.5)"),
    ],
)
def test_another_version_runs_what_it_decides(
    change: Callable[[pytest.MonkeyPatch, FakePlugins], None],
    again: list[str],
    said: str,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    weavers: FakePlugins,
) -> None:
    reuse.version_of.cache_clear()
    chain("weave", "stamp", "twist")
    change(monkeypatch, weavers)
    done = chain("weave", "stamp", "twist", before=("--explain",))
    assert ran(done) == again
    assert said in done.out
    reuse.version_of.cache_clear()


def test_a_library_that_is_upgraded_between_two_commands_is_noticed(
    environment: Environment,
) -> None:
    environment.install_toys()
    environment.install_weavers()
    environment.install("toylib", "", version="1.0")
    (environment.home / "a.toy").write_text("one 1\n")
    words = (*FIND, "weave", "stamp", "twist")
    environment.turnkey(*words)
    assert ran(environment.turnkey(*words)) == []
    old = environment.own / "toylib-1.0.dist-info"
    text = (old / "METADATA").read_text().replace("Version: 1.0", "Version: 2.0")
    (old / "METADATA").write_text(text)
    old.rename(environment.own / "toylib-2.0.dist-info")
    done = environment.turnkey("--explain", *words)
    assert ran(done) == ["stamp", "twist"]
    assert "stamp: is run, because this has changed: library toylib (1.0 -> 2.0)." in done.out


# What is said.


def test_explain_says_for_each_step_why_it_was_run_or_not(cache: Path) -> None:
    first = notes(chain(before=("--explain",)))
    name = the_build(cache).name
    assert first == [
        f"{name}: weave: is run, because no earlier result is in the cache.",
        f"{name}: twist: is run, because no earlier result is in the cache.",
        f"{name}: check: is run, because it makes nothing that could be kept.",
    ]
    Path("a.toy").write_text("one 1 in=3,4,5 code=2\n")
    words = ("weave", "--opset", "20", "twist", "check")
    changed, files, _ = notes(chain(*words, before=("--explain",)))
    assert changed == (
        f"{name}: weave: is run, because this has changed: option opset (18 -> 20), "
        "code of toy-model, files of inputs."
    )
    why = "this has changed: facts of toy-net, files of toy-net."
    assert files.endswith(f"twist: is run, because {why}")
    again = notes(chain(*words, before=("--explain",)))
    assert re.fullmatch(
        rf"{name}: weave: what was made at \d{{4}}-\d\d-\d\dT[0-9:]+\+00:00 is used again\.",
        again[0],
    )
    always = notes(chain(*words, before=("--explain", "--rebuild", "always")))
    assert always[0] == f"{name}: weave: is run, because --rebuild always was given."


def test_explain_says_when_nothing_is_known_of_the_model(cache: Path) -> None:
    Path("a.toy").write_text("one 1 unkeyed\n")
    done = chain("weave", before=("--explain",))
    assert notes(done)[0].endswith(
        "weave: is run, because nothing tells whether what it starts from is the same as before."
    )


def test_a_step_that_was_spared_shows_the_statistics_of_the_run_that_made_it(cache: Path) -> None:
    chain()
    first = steps_of(cache)["weave"]
    chain("act", "weave", "check")
    again = steps_of(cache)["weave"]
    assert again["reused"] is True
    assert "reused" not in first
    own = {"reused", "number", "started_at"}
    assert {k: v for k, v in again.items() if k not in own} == {
        k: v for k, v in first.items() if k not in own
    }
    assert (first["number"], again["number"]) == (2, 3)


def test_a_step_is_spared_after_a_listener_objected_to_it(
    cache: Path, weavers: FakePlugins
) -> None:
    from turnkeyml.errors import BuildError

    objections = [BuildError("crooked")]

    @hookimpl
    def turnkey_step_finished(state, step):
        if objections and step.name == "weave":
            raise objections[0]

    weavers.add(turnkey_step_finished=turnkey_step_finished)
    chain("weave", "twist", code=ExitCode.FAILED)
    assert steps_of(cache)["weave"]["status"] == "failed"
    objected = chain("weave", "twist", code=ExitCode.FAILED)
    assert "Failed in weave: crooked" in objected.out
    objections.clear()
    done = chain("weave", "twist")
    assert spared(done) == ["weave"]
    entry = steps_of(cache)["weave"]
    assert entry["status"] == "successful"
    assert "error" not in entry


# --rebuild


def test_rebuild_always_runs_everything_and_makes_the_same(cache: Path) -> None:
    chain("weave", "twist", "twist")
    before = results_of(cache)
    done = chain("weave", "twist", "twist", before=("--rebuild", "always"))
    assert ran(done) == ["weave", "twist", "twist"]
    assert results_of(cache) == before
    # Within one command it still holds that the same step is run once.
    done = chain("weave", "weave", before=("--rebuild", "always"))
    assert (ran(done), spared(done)) == (["weave"], ["weave"])


def test_rebuild_never_uses_what_is_there_and_says_what_is_stale(cache: Path) -> None:
    chain("weave", "twist")
    before = results_of(cache)
    assert notes(chain("weave", "twist", before=("--rebuild", "never"))) == []
    Path("a.toy").write_text("one 1 in=3,4 code=2\n")
    done = chain("weave", "--opset", "20", "twist", before=("--rebuild", "never"))
    assert ran(done) == []
    assert notes(done) == [
        f"{the_build(cache).name}: weave: an earlier result is used although this has changed: "
        "option opset (18 -> 20), code of toy-model."
    ]
    kinds = [bytes_ for _, _, bytes_ in next(iter(results_of(cache).values()))]
    assert kinds == [bytes_ for _, _, bytes_ in next(iter(before.values()))]
    assert ran(chain("weave", "twist")) == ["weave", "twist"]


def test_rebuild_never_fails_where_nothing_was_made(cache: Path) -> None:
    done = chain("weave", "twist", before=("--rebuild", "never"), code=ExitCode.FAILED)
    assert "There is no earlier result of weave" in done.out
    assert "Run the command once without it." in done.out
    assert ran(done) == []
    chain("weave")
    done = chain("weave", "twist", before=("--rebuild", "never"), code=ExitCode.FAILED)
    assert "There is no earlier result of twist" in done.out


def test_rebuild_never_holds_for_models_of_which_nothing_is_known(cache: Path) -> None:
    Path("a.toy").write_text("one 1 unkeyed\n")
    chain("weave", "twist")
    done = chain("weave", "twist", before=("--rebuild", "never"))
    assert ran(done) == []
    assert "an earlier result is used although what it was made from is not known." in done.out


def test_rebuild_never_does_not_serve_what_is_damaged(cache: Path) -> None:
    chain("weave", "twist")
    spoil(cache, ".net", "twist")
    done = chain("weave", "twist", before=("--rebuild", "never"), code=ExitCode.FAILED)
    assert "is damaged or missing, and --rebuild never keeps it from being made again" in done.out
    assert notes(chain("weave", "twist"))
    assert same_as_in_an_empty_cache(cache, "weave", "twist")


def test_rebuild_never_still_measures(cache: Path) -> None:
    chain()
    assert ran(chain(before=("--rebuild", "never"))) == ["check"]


# Damage.


def spoil(cache: Path, suffix: str, tool: str = "") -> Path:
    """Change one byte of the file whose name ends and begins so."""
    (path,) = the_build(cache).path.rglob(f"{tool}*{suffix}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    return path


def test_a_flipped_byte_is_mended_with_a_warning(cache: Path) -> None:
    steps = ("weave", "twist", "stamp")
    chain(*steps)
    before, build = results_of(cache), the_build(cache)
    for suffix, tool in ((".net", "weave"), (".net", "twist"), (".net", "stamp"), (".data", "")):
        path = spoil(cache, suffix, tool)
        done = chain(*steps)
        where = path.relative_to(build.path).as_posix()
        maker = tool or "weave"
        assert ran(done) == [maker]
        assert notes(done) == [
            f"{where} of {build.name} is damaged or missing; {maker} makes it again."
        ]
        assert results_of(cache) == before
    assert ran(chain(*steps)) == []


def put_back_times(path: Path, before: os.stat_result) -> None:
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def overwritten(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def replaced(path: Path, content: bytes) -> None:
    other = path.with_name("other")
    other.write_bytes(content)
    other.replace(path)


@pytest.mark.parametrize("write", [overwritten, replaced])
def test_a_change_is_seen_although_size_and_time_are_as_they_were(
    write: Callable[[Path, bytes], None], cache: Path
) -> None:
    chain("weave", "twist")
    path = next((the_build(cache).path / "net").glob("twist*"))
    before = path.stat()
    write(path, path.read_bytes().replace(b"twist 1", b"twist 9"))
    put_back_times(path, before)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    done = chain("weave", "twist")
    assert ran(done) == ["twist"]
    assert same_as_in_an_empty_cache(cache, "weave", "twist")


def removed(path: Path) -> None:
    path.unlink()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def made_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def made_a_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def made_a_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def made_a_link_to_another(path: Path) -> None:
    path.unlink()
    path.symlink_to("../../../a.toy")


@pytest.mark.parametrize("pattern", ["weave*.net", "twist*.net", "*.data"])
def test_whatever_happens_to_a_file_is_mended(pattern: str, cache: Path) -> None:
    chain("weave", "twist")
    before, folder = results_of(cache), the_build(cache).path / "net"
    for harm in (
        removed,
        cut_short,
        emptied,
        made_a_dangling_link,
        made_a_link_to_itself,
        made_a_link_to_another,
    ):
        harm(next(folder.glob(pattern)))
        assert len(notes(chain("weave", "twist"))) == 1, harm
        assert results_of(cache) == before, harm
        assert all(not path.is_symlink() for path in folder.iterdir())
    assert Path("a.toy").read_text() == "one 1 in=3,4\n"


def test_a_folder_where_a_file_was_is_explained(cache: Path) -> None:
    chain("weave", "twist")
    path = next((the_build(cache).path / "net").glob("twist*.net"))
    made_a_folder(path)
    done = chain("weave", "twist", code=ExitCode.FAILED)
    assert "Failed in twist: IsADirectoryError" in done.out
    path.rmdir()
    assert ran(chain("weave", "twist")) == ["twist"]


def test_damage_in_what_a_step_is_about_to_use_makes_the_earlier_step_run_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The marks of a file say nothing of bits that rot on the disk; reading it does."""
    chain("weave", "twist")
    spoil(cache, ".net", "weave")
    spoil(cache, ".net", "twist")
    monkeypatch.setattr(Seals, "_is_trusted", lambda self, record, *, read: not read)
    done = chain("weave", "twist", "stamp")
    # `stamp` reads what `twist` made, and `twist` then what `weave` made.
    assert spared(done) == ["weave", "twist"]
    assert ran(done) == ["weave", "twist", "stamp"]
    assert [note.rpartition("; ")[2] for note in notes(done)] == [
        "twist makes it again.",
        "weave makes it again.",
    ]
    assert same_as_in_an_empty_cache(cache, "weave", "twist", "stamp")


def test_a_step_that_breaks_what_it_was_given_fails_instead_of_going_round(cache: Path) -> None:
    done = chain("weave", "trouble", "--do", "tamper", "twist", code=ExitCode.FAILED)
    assert "is damaged again after trouble made it anew" in done.out
    assert "the disk is failing" in done.out
    assert the_state(cache).status is Status.FAILED


def test_what_a_step_changed_after_handing_it_over_is_not_served_later(cache: Path) -> None:
    chain("weave", "trouble", "--do", "tamper")
    done = chain("weave", "trouble", "--do", "tamper")
    assert ran(done) == ["trouble"]
    assert "is damaged or missing; trouble makes it again" in notes(done)[0]


def test_a_step_that_deletes_its_input_does_not_harm_the_next_run(cache: Path) -> None:
    steps = ("weave", "trouble", "--do", "delete-input", "twist")
    chain(*steps)
    done = chain(*steps)
    assert "weave makes it again" in notes(done)[0]
    assert ran(done) == ["weave"]
    assert notes(chain(*steps)) == []
    final = content_of(the_build(cache), the_state(cache).artifacts[-1])
    assert b"trouble" in final[0]


def test_a_failed_step_leaves_nothing_that_is_served(cache: Path) -> None:
    steps = ("weave", "trouble", "--do", "fail", "twist")
    for _ in range(2):
        done = chain(*steps, code=ExitCode.FAILED)
        assert ran(done)[-1:] == ["trouble"]
        assert "Failed in trouble: ValueError: after all was done" in done.out
    assert [r.parts["tool"] for r in the_state(cache).records] == ["weave"]


def test_what_an_interrupted_step_made_is_not_gone_on_from(cache: Path) -> None:
    chain("weave", "trouble", "--do", "interrupt", "twist", code=ExitCode.INTERRUPTED)
    state = the_state(cache)
    assert state.status is Status.INTERRUPTED
    assert [a.step.partition("-")[0] for a in state.artifacts] == ["find", "weave"]
    assert spared(chain("weave", "twist")) == ["weave"]


def test_a_result_that_was_half_replaced_when_the_process_died_is_not_called_damaged(
    environment: Environment,
) -> None:
    environment.install_toys()
    environment.install_weavers()
    words = (*FIND, "weave", "trouble", "--do", "die-if-there", "--word", "flag")
    toy, flag = environment.home / "a.toy", environment.home / "flag"
    toy.write_text("one 1 code=1\n")
    assert environment.turnkey(*words).code == ExitCode.OK
    before = results_of(environment.cache)
    toy.write_text("one 1 code=2\n")
    flag.touch()
    assert environment.turnkey(*words).code < 0
    toy.write_text("one 1 code=1\n")
    flag.unlink()
    done = environment.turnkey(*words)
    assert ran(done) == ["weave", "trouble"]
    assert notes(done) == []
    assert results_of(environment.cache) == before


def test_a_step_that_fails_is_tried_again_and_those_before_it_are_not(cache: Path) -> None:
    steps = ("weave", "trouble", "--do", "fail-once", "--word", "flag", "twist")
    chain(*steps, code=ExitCode.FAILED)
    assert the_state(cache).status is Status.FAILED
    done = chain(*steps)
    assert spared(done) == ["weave"]
    assert ran(done) == ["trouble", "twist"]
    assert the_state(cache).status is Status.SUCCESSFUL


def test_a_full_disk_fails_the_step_and_the_next_run_mends_it(cache: Path) -> None:
    chain("weave", "trouble", "--do", "nothing")
    before = results_of(cache)
    done = chain("weave", "trouble", "--do", "full", code=ExitCode.FAILED)
    assert "Failed in trouble: OSError: [Errno 28] No space left on device" in done.out
    assert ran(chain("weave", "trouble", "--do", "nothing")) == []
    assert results_of(cache) == before


def test_inputs_that_were_changed_after_discovery_are_not_used(
    cache: Path, weavers: FakePlugins
) -> None:
    """What the first step made cannot be made again without it, so that is said."""

    @hookimpl
    def turnkey_models_found(states):
        for state in states:
            path = state.folder("inputs") / "inputs.bin"
            path.write_bytes(bytes(path.stat().st_size))

    weavers.add(turnkey_models_found=turnkey_models_found)
    done = chain("weave", code=ExitCode.FAILED)
    assert (
        f"inputs/inputs.bin of {the_build(cache).name} is not what find made: "
        "it was changed, damaged or removed. Run the command that made it again."
    ) in done.out


def test_the_tensors_that_an_artifact_is_called_with_are_verified_too(cache: Path) -> None:
    """`check` declares only the net; it is the net's facts that name the folder of its inputs."""
    chain("weave", "twist")
    state_file = str(the_build(cache).state_file)
    path = the_build(cache).path / "inputs" / "inputs.bin"
    path.write_bytes(bytes(path.stat().st_size))
    done = run("-i", state_file, "load-build", "check", code=ExitCode.FAILED)
    assert "inputs/inputs.bin of" in done.out
    assert "is not what find made" in done.out


def test_a_damaged_state_file_is_said_and_everything_made_again(cache: Path) -> None:
    chain("weave", "twist")
    before = results_of(cache)
    state_file = the_build(cache).state_file
    state_file.write_text(state_file.read_text().replace("opset: 18", "opset: 19"))
    done = chain("weave", "twist")
    assert ran(done) == ["weave", "twist"]
    assert notes(done) == [
        f"{state_file} is not as turnkey wrote it: it was damaged or edited. "
        "Everything is made again."
    ]
    assert results_of(cache) == before


def rewrite_state(cache: Path, change: Callable[[dict], None]) -> None:
    path = the_build(cache).state_file
    content = read_document(path, STATE_SCHEMA)
    change(content)
    del content["schema"]
    write_document(path, STATE_SCHEMA, content)


def climb_out(content: dict) -> None:
    content["records"][0]["artifacts"][0]["files"][0]["path"] = "../../a.toy"


def be_absolute(content: dict) -> None:
    content["records"][0]["artifacts"][0]["files"][0]["path"] = "/etc/passwd"


def endless_size(content: dict) -> None:
    content["artifacts"][-1]["files"][0]["size"] = float("inf")


def no_parts(content: dict) -> None:
    content["records"][0]["parts"] = None


def records_of_another_kind(content: dict) -> None:
    content["records"] = "all of them"


@pytest.mark.parametrize(
    "change", [climb_out, be_absolute, endless_size, no_parts, records_of_another_kind]
)
def test_a_hostile_state_file_is_said_and_not_followed(
    change: Callable[[dict], None], cache: Path
) -> None:
    chain("weave", "twist")
    before = results_of(cache)
    rewrite_state(cache, change)
    done = chain("weave", "twist")
    assert ran(done) == ["weave", "twist"]
    assert "Everything is made again." in notes(done)[0]
    assert results_of(cache) == before
    assert Path("a.toy").read_text() == "one 1 in=3,4\n"


def strange_seals(content: dict) -> None:
    content["seals"] = {"net/x": [1, 2], "y": "z", "net/w": [True, 1, 1, 1]}


def no_seals(content: dict) -> None:
    content["seals"] = []


def other_name(content: dict) -> None:
    content["name"] = "somebody-elses"


@pytest.mark.parametrize("change", [strange_seals, no_seals, other_name])
def test_what_a_state_file_need_not_say_rightly_costs_a_reading_at_most(
    change: Callable[[dict], None], cache: Path
) -> None:
    chain("weave", "twist")
    rewrite_state(cache, change)
    assert ran(chain("weave", "twist")) == []


def test_a_state_file_of_a_newer_turnkey_fails_the_model_and_is_left_alone(cache: Path) -> None:
    chain("weave")
    path = the_build(cache).state_file
    write_document(path, STATE_SCHEMA + 1, {"precious": 1})
    before = path.read_bytes()
    done = chain("weave", code=ExitCode.FAILED)
    assert "was written by a newer turnkey" in done.out
    assert "Update turnkeyml-core to read it." in done.out
    assert path.read_bytes() == before


@pytest.mark.parametrize("harm", [removed, emptied, cut_short])
def test_a_stats_file_that_is_lost_costs_no_building(
    harm: Callable[[Path], None], cache: Path
) -> None:
    chain("weave", "twist")
    harm(the_build(cache).stats_file)
    assert ran(chain("weave", "twist")) == []
    entry = steps_of(cache)["twist"]
    assert (entry["status"], entry["reused"], entry["package"]) == (
        "successful",
        True,
        "weaveplug 1.0",
    )


# Caches that move.


def test_a_moved_cache_is_used_without_being_read_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from turnkeyml.cache import seals

    chain("weave", "twist")
    moved = cache.rename(cache.parent / "moved here")
    monkeypatch.setattr(seals, "sha256_of", lambda path: pytest.fail(f"{path} was read"))
    assert ran(chain("weave", "twist", before=("-d", str(moved)))) == []


def test_a_copied_cache_is_verified_and_used(cache: Path) -> None:
    chain("weave", "twist")
    copied = cache.parent / "copied"
    shutil.copytree(cache, copied)
    assert ran(chain("weave", "twist", before=("-d", str(copied)))) == []
    spoil(copied, ".net", "twist")
    assert ran(chain("weave", "twist", before=("-d", str(copied)))) == ["twist"]
    assert ran(chain("weave", "twist")) == []


def test_a_build_that_vanishes_while_a_process_waits_for_it_is_made_anew(
    cache: Path, weavers: FakePlugins
) -> None:
    @hookimpl
    def turnkey_models_found(states):
        shutil.rmtree(states[0].build.path)

    Path("a.toy").write_text("one 1\n")
    weavers.add(turnkey_models_found=turnkey_models_found)
    assert ran(chain("weave", "twist")) == ["weave", "twist"]
    assert files_of(the_build(cache))


def test_what_is_measured_twice_because_of_damage_is_shown_once(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain("weave", "compile")
    spoil(cache, ".net", "weave")
    # Only reading finds it, so `twist` is the first to, after the benchmark.
    monkeypatch.setattr(Seals, "_is_trusted", lambda self, record, *, read: not read)
    steps = ("benchmark", "--iterations", "2", "twist", "act", "--do", "boom")
    done = chain("weave", "compile", *steps, code=ExitCode.FAILED)
    assert ran(done) == ["benchmark", "weave", "benchmark", "twist", "act"]
    assert done.out.count("Successfully benchmarked") == 1
    assert done.out.count("Failed in act") == 1
