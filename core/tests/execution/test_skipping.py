"""--skip-policy: which models are left out, by how the same chain went before."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from builds import ran, the_build
from core_env import Ended, Environment, FakePlugins, run_here

from turnkeyml.cache.stats import Stats
from turnkeyml.errors import ExitCode
from turnkeyml.saved_state import load_state
from turnkeyml.state import Status

FIND = ("-i", "a.toy", "find")
GOOD = ("compile", "shrink")
BAD = ("compile", "act", "--do", "boom", "shrink")
CUT_OFF = ("act", "--do", "interrupt", "compile")
POLICIES = ("none", "attempted", "successful", "failed")


@pytest.fixture
def folder(toys: FakePlugins, tmp_path: Path) -> Path:
    (tmp_path / "a.toy").write_text("one 1\n")
    return tmp_path


def chain(policy: str, *steps: str) -> Ended:
    return run_here("--skip-policy", policy, *FIND, *steps)


@pytest.mark.parametrize(
    ("steps", "skipped_by"),
    [
        (GOOD, ("attempted", "successful")),
        (BAD, ("attempted", "failed")),
        (CUT_OFF, ("attempted", "failed")),
    ],
)
def test_a_model_is_left_out_by_how_the_same_chain_went(
    steps: tuple[str, ...], skipped_by: tuple[str, ...], folder: Path
) -> None:
    first = chain("attempted", *steps)
    assert "Skipped" not in first.text
    went = "ended well" if steps == GOOD else "failed or was cut off"
    before = load_state(the_build(folder / "cache"))
    for policy in skipped_by:
        done = chain(policy, *steps)
        assert done.code == ExitCode.OK
        assert ran(done) == []
        said = f"Skipped: the same chain {went} before, and --skip-policy is {policy}"
        assert said in done.out
        after = load_state(the_build(folder / "cache"))
        assert (after.status, after.content) == (before.status, before.content)
    for policy in set(POLICIES) - set(skipped_by):
        done = chain(policy, *steps)
        assert done.code == first.code
        assert "Skipped" not in done.out


def test_another_chain_or_other_options_are_no_attempt_at_this_one(folder: Path) -> None:
    chain("none", *GOOD)
    for steps in (("compile",), (*GOOD, "shrink"), ("compile", "--level", "2", "shrink")):
        done = chain("attempted", *steps)
        assert "Skipped" not in done.out, steps


def test_what_counts_is_how_the_chain_went_the_last_time(folder: Path) -> None:
    (folder / "flag").touch()
    steps = ("compile", "act", "--do", "boom-if-there", "--word", "flag")
    assert chain("none", *steps).code == ExitCode.FAILED
    (folder / "flag").unlink()
    assert chain("successful", *steps).code == ExitCode.OK
    assert "Skipped" in chain("successful", *steps).out
    (folder / "flag").touch()
    assert chain("failed", *steps).code == ExitCode.FAILED
    assert "Skipped" in chain("failed", *steps).out


def test_only_the_models_that_the_policy_names_are_left_out(folder: Path) -> None:
    (folder / "a.toy").write_text("one 1\nbad 2\n")
    steps = ("compile", "act", "--do", "boom-if-named", "--word", "bad")
    run_here(*FIND, *steps)
    (folder / "a.toy").write_text("one 1\nbad 2\nnew 3\n")
    done = chain("successful", *steps)
    assert done.code == ExitCode.FAILED
    assert done.out.count("Skipped: ") == 1
    assert ran(done) == ["act", "compile", "act"]
    assert chain("attempted", *steps).code == ExitCode.OK


def test_lean_builds_are_left_out_too(folder: Path) -> None:
    run_here("--lean-cache", *FIND, *GOOD)
    assert "Skipped" in chain("successful", *GOOD).out


def test_a_result_that_could_not_be_delivered_is_no_success(folder: Path) -> None:
    (folder / "out").write_text("a file, and no folder")
    assert run_here("--output", "out", *FIND, *GOOD).code == ExitCode.FAILED
    assert "Skipped" not in chain("successful", *GOOD).out


def test_statistics_that_are_damaged_are_no_attempt(folder: Path) -> None:
    run_here(*FIND, *GOOD)
    the_build(folder / "cache").stats_file.write_text("{half")
    done = chain("attempted", *GOOD)
    assert "Skipped" not in done.out
    assert done.code == ExitCode.OK


def test_discovery_alone_is_never_skipped(folder: Path) -> None:
    for _ in range(2):
        assert "Skipped" not in chain("attempted").out


def test_a_model_that_kills_its_process_at_the_first_step_counts_as_failed(
    environment: Environment,
) -> None:
    """Else a sweep would run into it again at every start."""
    environment.install_toys()
    (environment.home / "a.toy").write_text("one 1\n")
    words = (*FIND, "act", "--do", "die", "compile")
    assert environment.turnkey(*words).code == -signal.SIGKILL
    for policy in ("attempted", "failed"):
        done = environment.turnkey("--skip-policy", policy, *words)
        assert done.code == ExitCode.OK
        assert "Skipped: the same chain failed or was cut off before" in done.out
    assert environment.turnkey("--skip-policy", "successful", *words).code == -signal.SIGKILL


def test_a_process_killed_after_an_earlier_success_counts_as_cut_off(
    environment: Environment,
) -> None:
    environment.install_toys()
    (environment.home / "a.toy").write_text("one 1\n")
    words = (*FIND, "compile", "act", "--do", "die-if-there", "--word", "flag")
    assert environment.turnkey(*words).code == ExitCode.OK
    (environment.home / "flag").touch()
    assert environment.turnkey(*words).code == -signal.SIGKILL
    build = the_build(environment.cache)
    (chain_entry,) = Stats.load(build).chains.values()
    assert (chain_entry["tools"], chain_entry["status"]) == (["compile", "act"], "running")
    assert [step.rpartition("-")[0] for step in chain_entry["steps"]] == ["find", "compile", "act"]
    assert load_state(build).status is Status.INTERRUPTED
    assert "Skipped" in environment.turnkey("--skip-policy", "failed", *words).out
