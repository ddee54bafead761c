"""load-build: go on from what a cache has, wherever it is and whoever wrote it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from builds import builds_in, content_of, notes, ran, spared, the_build, the_state
from core_env import Ended, FakePlugins, run_here

from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA, BuildDirectory
from turnkeyml.cache.locks import build_lock
from turnkeyml.errors import ExitCode
from turnkeyml.state import Status

FIND = ("-i", "a.toy", "find")


@pytest.fixture
def cache(weavers: FakePlugins, tmp_path: Path) -> Path:
    (tmp_path / "a.toy").write_text("# labels\none 1 in=3,4\n")
    assert run_here(*FIND, "weave", "twist").code == ExitCode.OK
    return tmp_path / "cache"


def load(cache: Path, *words: str, before: tuple[str, ...] = (), code: int = ExitCode.OK) -> Ended:
    files = [str(build.state_file) for build in builds_in(cache)]
    done = run_here(*before, "-i", *files, "load-build", *words)
    assert done.code == code, done.text
    return done


def rewrite(build: BuildDirectory, change: Callable[[dict], None]) -> None:
    content = read_document(build.state_file, STATE_SCHEMA)
    change(content)
    del content["schema"]
    write_document(build.state_file, STATE_SCHEMA, content)


def newest(cache: Path) -> bytes:
    return content_of(the_build(cache), the_state(cache).artifacts[-1])[0]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), ExitCode.OK),
        (("act",), ExitCode.OK),
        (("act", "--do", "boom"), ExitCode.FAILED),
    ],
)
def test_a_chain_that_builds_nothing_takes_nothing_away(
    cache: Path, words: tuple[str, ...], code: ExitCode
) -> None:
    made = newest(cache)
    assert run_here(*FIND, *words).code == code
    assert newest(cache) == made
    assert len({a.files for a in the_state(cache).artifacts}) == len(the_state(cache).artifacts)
    assert ran(load(cache, "stamp")) == ["stamp"]
    # What is made of what was loaded is made from the same model.
    assert run_here(*FIND, *words).code == code
    assert b'"twist 1", "stamp' in newest(cache)


@pytest.mark.parametrize("words", [(), ("act",)])
def test_what_was_made_from_other_code_is_not_gone_on_with(
    cache: Path, words: tuple[str, ...]
) -> None:
    (cache.parent / "a.toy").write_text("# labels\none 1 in=3,4 code=other\n")
    assert run_here(*FIND, *words).code == ExitCode.OK
    assert "has no artifact that is a file" in load(cache, "stamp", code=ExitCode.FAILED).err
    # As long as it is there, it is used where the old code is.
    (cache.parent / "a.toy").write_text("# labels\none 1 in=3,4\n")
    assert spared(run_here(*FIND, "weave", "twist")) == ["weave", "twist"]
    assert ran(load(cache, "stamp")) == ["stamp"]


def test_a_model_of_which_nothing_tells_what_it_is_is_not_taken_for_the_same(cache: Path) -> None:
    (cache.parent / "a.toy").write_text("one 1 in=3,4 unkeyed\n")
    assert run_here(*FIND, "weave").code == ExitCode.OK
    assert run_here(*FIND).code == ExitCode.OK
    assert "has no artifact that is a file" in load(cache, "stamp", code=ExitCode.FAILED).err


def test_the_chain_goes_on_from_the_newest_artifact(cache: Path) -> None:
    (cache.parent / "a.toy").unlink()
    done = load(cache, "stamp", "check")
    assert ran(done) == ["stamp", "check"]
    assert b'"ops": ["weave", "twist 1", "stamp' in newest(cache)
    assert len(builds_in(cache)) == 1
    state = the_state(cache)
    assert state.status is Status.SUCCESSFUL
    assert state.content["input"] == str(cache.parent / "a.toy")
    assert state.content["model"]["name"] == "one"


def test_the_same_command_again_runs_no_stage_and_takes_none_twice(cache: Path) -> None:
    load(cache, "twist", "stamp")
    first = newest(cache)
    again = load(cache, "twist", "stamp")
    assert ran(again) == []
    assert newest(cache) == first
    assert first.count(b"twist") == 2
    # A shorter chain of the same beginning is not one that goes on from it.
    assert ran(load(cache, "twist")) == []
    assert newest(cache).count(b"twist") == 2


def test_another_chain_goes_on_from_what_the_last_one_made(cache: Path) -> None:
    load(cache, "stamp")
    done = load(cache, "count", "check")
    assert ran(done) == ["count", "check"]
    assert b"stamp" in newest(cache)
    load(cache, "stamp")
    assert b'"count": 0' in newest(cache)
    assert spared(load(cache, "count")) == ["count"]


def test_the_scripts_own_chain_still_spares_its_stages_afterwards(cache: Path) -> None:
    load(cache, "stamp")
    done = run_here(*FIND, "weave", "twist", "stamp")
    assert ran(done) == []


def test_what_it_makes_goes_into_the_build_whatever_cache_is_named(
    cache: Path, tmp_path: Path
) -> None:
    load(cache, "stamp", before=("-d", str(tmp_path / "other")))
    assert builds_in(tmp_path / "other") == []
    assert b"stamp" in newest(cache)


def test_a_moved_cache_is_loaded(cache: Path, tmp_path: Path) -> None:
    moved = cache.rename(tmp_path / "moved here")
    assert ran(load(moved, "stamp")) == ["stamp"]
    assert not cache.exists() or builds_in(cache) == []


def test_a_copied_cache_is_loaded_and_the_first_is_left_alone(cache: Path, tmp_path: Path) -> None:
    before = newest(cache)
    copied = tmp_path / "copied"
    shutil.copytree(cache, copied)
    load(copied, "stamp")
    assert newest(cache) == before != newest(copied)


def test_a_link_to_a_cache_is_followed(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(cache, target_is_directory=True)
    name = the_build(cache).name
    done = run_here("-i", f"link/{name}/{name}_state.yaml", "load-build", "stamp")
    assert done.code == ExitCode.OK
    assert b"stamp" in newest(cache)


def test_all_builds_of_a_cache_are_loaded_by_a_pattern(cache: Path) -> None:
    (cache.parent / "a.toy").write_text("one 1\ntwo 2\nthree 3\n")
    run_here(*FIND, "weave")
    done = run_here("--verbosity", "static", "-i", "cache/*/*_state.yaml", "load-build", "stamp")
    assert done.code == ExitCode.OK
    assert len(builds_in(cache)) == 3
    assert done.err.count("one: stamp") == done.err.count("two: stamp") == 1


def test_one_build_of_several_that_is_broken_does_not_end_the_others(cache: Path) -> None:
    (cache.parent / "a.toy").write_text("one 1\ntwo 2\n")
    run_here(*FIND, "weave")
    broken = builds_in(cache)[0]
    broken.state_file.write_text("{half")
    done = load(cache, "stamp", code=ExitCode.FAILED)
    assert f"{broken.state_file} cannot be read" in done.err
    assert "0 models failed, 1 went well, 1 input broke" in done.err


def test_a_build_of_another_version_is_refused_with_the_command_that_mends_it(
    cache: Path,
) -> None:
    here = metadata.version("turnkeyml-core")
    major, minor, _ = here.split(".", 2)
    rewrite(the_build(cache), lambda content: content.update(turnkey_version="0.999.1"))
    done = load(cache, "stamp", code=ExitCode.FAILED)
    name = the_build(cache).name
    assert f"The build {name} was made by turnkey 0.999.1, and this is {here}." in done.err
    assert f"Build it again from {cache.parent / 'a.toy'}, or take it as it is" in done.err
    done = load(cache, "check", before=("--rebuild", "never"))
    assert notes(done) == [
        f"The build {name} was made by turnkey 0.999.1, and this is {here}. It is used as it is."
    ]
    rewrite(the_build(cache), lambda content: content.update(turnkey_version=f"{major}.{minor}.x"))
    assert notes(load(cache, "check")) == []


@pytest.mark.parametrize("version", [None, "", 3, ["0.1"], "x"])
def test_a_version_that_is_none_is_another_one(version: object, cache: Path) -> None:
    rewrite(the_build(cache), lambda content: content.update(turnkey_version=version))
    load(cache, "stamp", code=ExitCode.FAILED)


def test_a_build_of_a_newer_form_is_refused(cache: Path) -> None:
    write_document(the_build(cache).state_file, STATE_SCHEMA + 1, {})
    done = load(cache, "stamp", code=ExitCode.FAILED)
    assert "was written by a newer turnkey" in done.err


def test_a_chain_that_failed_is_gone_on_from_where_it_was(cache: Path) -> None:
    run_here(*FIND, "weave", "trouble", "--do", "fail")
    done = load(cache, "stamp")
    assert notes(done)[0].endswith(
        ": its last chain did not end well (failed in trouble); what was made before that is used."
    )
    assert b'"ops": ["weave", "stamp' in newest(cache)


def test_a_build_that_is_being_worked_on_is_waited_for(cache: Path) -> None:
    rewrite(the_build(cache), lambda content: content.update(status="running"))
    done = load(cache, "check")
    assert "(interrupted)" in notes(done)[0]
    rewrite(the_build(cache), lambda content: content.update(status="running"))
    name, held = the_build(cache).name, threading.Event()

    def hold() -> None:
        with build_lock(cache, name, pytest.fail):
            held.set()
            time.sleep(0.5)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    done = load(cache, "check")
    holder.join()
    assert notes(done)[0] == f"{name}: another command is working on it."
    assert notes(done)[1].startswith(f"{name}: waited for process ")


@pytest.mark.parametrize("how", ["lean", "lean look", "cleaned", "discovered only"])
def test_a_build_without_artifacts_says_what_builds_it(how: str, cache: Path) -> None:
    if how == "lean":
        run_here("--lean-cache", *FIND, "weave")
    elif how == "lean look":
        run_here("--lean-cache", *FIND)
    elif how == "cleaned":
        run_here("cache", "clean", "--all")
    else:
        run_here("cache", "delete", "--all", "--yes")
        run_here(*FIND)
    done = load(cache, "stamp", code=ExitCode.FAILED)
    assert f"The build {the_build(cache).name} has no artifact that is a file." in done.err
    assert f"Build it first, from {cache.parent / 'a.toy'}" in done.err


def test_an_artifact_that_the_build_does_not_have_is_said(cache: Path) -> None:
    done = load(cache, "shrink", code=ExitCode.FAILED)
    name = the_build(cache).name
    assert f"Failed in shrink: {name} has no artifact of kind toy-file." in done.out


def test_a_step_whose_work_is_done_already_is_refused_before_anything_runs(cache: Path) -> None:
    done = load(cache, "weave", code=ExitCode.USAGE)
    assert "Step 2, weave, takes toy-model" in done.err
    hint = "It makes toy-net, which is there: leave it out, or start with find, from .toy files, "
    assert f"{hint}to make it anew." in done.err


def test_a_damaged_artifact_is_not_used(cache: Path) -> None:
    for path in (the_build(cache).path / "net").glob("twist*"):
        path.write_bytes(path.read_bytes().replace(b"twist 1", b"twist 7"))
    done = load(cache, "stamp", code=ExitCode.FAILED)
    assert "is not what twist made: it was changed, damaged or removed." in done.out
    assert b"7" not in b"".join(p.read_bytes() for p in the_build(cache).path.rglob("stamp*"))
    # Run from its source again, everything is mended.
    assert run_here(*FIND, "weave", "twist").code == ExitCode.OK
    assert ran(load(cache, "stamp")) == ["stamp"]


@pytest.mark.parametrize("policy", ["attempted", "successful", "failed", "none"])
@pytest.mark.parametrize("went_well", [True, False])
def test_the_skip_policy_goes_by_the_chain_that_was_loaded(
    policy: str, went_well: bool, cache: Path
) -> None:
    do = "nothing" if went_well else "fail"
    words = ("trouble", "--do", do)
    code = ExitCode.OK if went_well else ExitCode.FAILED
    load(cache, *words, before=("--skip-policy", policy), code=code)
    skips = policy == "attempted" or policy == ("successful" if went_well else "failed")
    done = load(
        cache, *words, before=("--skip-policy", policy), code=ExitCode.OK if skips else code
    )
    assert ("Skipped" in done.out) == skips
    # Another chain has not been run before.
    assert "Skipped" not in load(cache, "check", before=("--skip-policy", policy)).out


def test_lean_cache_takes_the_loaded_artifacts_too(cache: Path) -> None:
    load(cache, "check", before=("--lean-cache",))
    assert not (the_build(cache).path / "net").exists()


def test_a_file_that_is_no_state_file_is_refused(cache: Path, tmp_path: Path) -> None:
    build = the_build(cache)
    (tmp_path / "x_state.yaml").write_text("schema: 1\n")
    shutil.copy(build.state_file, build.path / "other_state.yaml")
    for path in (tmp_path / "x_state.yaml", build.path / "other_state.yaml", build.stats_file):
        done = run_here("-i", str(path), "load-build", "stamp")
        assert done.code == ExitCode.FAILED
        assert f"{path} is not the state file of a build." in done.err


def no_model(content: dict) -> None:
    del content["model"]


def model_without_hash(content: dict) -> None:
    del content["model"]["hash"]


def strange_shapes(content: dict) -> None:
    content["model"]["input_shapes"] = {"x": "abc"}


def endless_parameters(content: dict) -> None:
    content["model"]["parameters"] = float("inf")


def climbing_artifact(content: dict) -> None:
    content["artifacts"][-1]["files"][0]["path"] = "../../../secret"


@pytest.mark.parametrize(
    "change",
    [no_model, model_without_hash, strange_shapes, endless_parameters, climbing_artifact],
)
def test_a_state_that_was_made_up_is_refused_in_a_sentence(
    change: Callable[[dict], None], cache: Path
) -> None:
    rewrite(the_build(cache), change)
    done = load(cache, "stamp", code=ExitCode.FAILED)
    assert "malformed" in done.err
    assert "Traceback" not in done.text
    assert "load-build broke" not in done.err


def test_the_script_that_a_state_names_is_not_run(cache: Path, tmp_path: Path) -> None:
    script = tmp_path / "evil.toy"
    script.write_text("raise it was run\n")
    rewrite(the_build(cache), lambda content: content.update(input=str(script)))
    assert load(cache, "stamp").code == ExitCode.OK


def test_what_controls_the_terminal_is_shown_escaped(cache: Path) -> None:
    def change(content: dict) -> None:
        content["input"] = "\x1b[31m"
        content["failed_step"], content["status"] = "\x1b[2J", "failed"
        content["model"]["name"] = "\x1b]0;x\x07"

    rewrite(the_build(cache), change)
    assert "\x1b" not in load(cache, "stamp").text


def test_labels_and_hashes_come_with_the_build(cache: Path) -> None:
    rewrite(the_build(cache), lambda content: content.update(labels={"author": ["me"], "x": 3}))
    load(cache, "check")
    assert the_state(cache).content["labels"] == {"author": ["me"]}
    state_file = the_build(cache).state_file
    done = run_here("-i", f"{state_file}::ffffffff", "load-build", "stamp")
    assert done.code == ExitCode.FAILED
    assert "has no model with the hash ffffffff" in done.err
    assert ran(done) == []
