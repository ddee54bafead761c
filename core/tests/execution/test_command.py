"""A command with jobs that die: what is blamed, what goes on, and what the next command does."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builds import builds_in, statuses_of
from core_env import Ended, FakePlugins, run_here
from toy_jobs import step_of

from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA
from turnkeyml.cache.stats import Stats
from turnkeyml.errors import ExitCode
from turnkeyml.execution.deaths import Trace, record_death
from turnkeyml.executor import Ending, JobEnd

THREE = "one 1\ntwo 2\nthree 3\n"
CHAIN = ("find", "compile", "act", "--do", "tally", "--word", "tally")
# The events of such a job: it begins, find begins and ends, the models; then five a model.
FOUND, PER_MODEL, ALL = 4, 5, 20
DEATHS = [ending for ending in Ending if ending not in (Ending.REPORTED, Ending.INTERRUPTED)]


@pytest.fixture
def puppets(toys: FakePlugins) -> FakePlugins:
    executors = {
        "puppet": {"class": "puppet:Puppet", "summary": "Strings."},
        "remembering": {"class": "puppet:Remembering", "summary": "Memory."},
    }
    toys.add({"executors": executors}, distribution="theatre")
    Path("a.toy").write_text(THREE)
    return toys


def play(*words: str) -> Ended:
    return run_here("--executor", "puppet", "--executor-args", *words, "-i", "a.toy", *CHAIN)


def tally() -> list[str]:
    path = Path("tally")
    return path.read_text().split() if path.exists() else []


def diary() -> list[str]:
    (file,) = Path("cache/.commands").glob("*/puppet.txt")
    return file.read_text().splitlines()


def statuses() -> dict[str, str]:
    """Give how each model stands by its name."""
    found = {}
    for build in builds_in(Path("cache")):
        content = read_document(build.state_file, STATE_SCHEMA)
        found[content["model"]["name"]] = content["status"]
    return found


def test_jobs_that_nothing_happens_to_end_well(puppets: FakePlugins) -> None:
    done = play("of::nobody", "after::1")
    assert done.code == ExitCode.OK, done
    assert done.out.count("Model successfully built!") == 3
    assert tally() == ["one", "two", "three"]
    assert diary() == ["a.toy 1 "]
    assert not list(Path("cache/.commands").glob("*/jobs/*")), "what explains nothing is kept"


def test_a_job_that_dies_at_its_second_model_goes_on_with_its_third(puppets: FakePlugins) -> None:
    done = play("after::12", "attempts::1")
    assert done.code == ExitCode.FAILED
    assert statuses() == {"one": "successful", "two": "failed", "three": "successful"}
    assert tally() == ["one", "three"]
    assert [line.split()[1] for line in diary()] == ["1", "2"]
    assert len(diary()[1].split()) == 4, "the first and the second are left out"
    assert "Failed in act: It was a puppet. Cut the strings." in done.out
    assert "1 model failed, 2 went well, 0 inputs broke" in done.err


def expected(after: int) -> tuple[dict[str, str], bool, int]:
    """Give how models stand, whether the input broke, and how many attempts were made."""
    names = ("one", "two", "three")
    good = dict.fromkeys(names, "successful")
    if after < FOUND:
        return {}, True, 1
    at, event = divmod(after - FOUND, PER_MODEL)
    if event:
        # A model was being worked on; the others are not to blame.
        left = at < len(names) - 1
        broke = at == len(names)
        status = good if broke else {**good, names[at]: "failed"}
        return status, broke, 1 + left
    if at == 0:
        # Nothing was being worked on, and nothing had ended.
        return {}, True, 1
    return good, at == len(names), 1 + (at < len(names))


@pytest.mark.parametrize("after", range(ALL + 1))
def test_a_death_after_any_event_is_laid_to_the_model_that_was_worked_on(
    after: int, puppets: FakePlugins
) -> None:
    done = play(f"after::{after}", "attempts::1")
    status, is_broken, attempts = expected(after)
    is_good = not is_broken and "failed" not in status.values()
    assert done.code == (ExitCode.OK if is_good else ExitCode.FAILED)
    assert "Traceback" not in done.text
    assert statuses() == status, done
    assert len(diary()) == attempts, diary()
    if not is_good:
        assert f"{int(is_broken)} input{'s' * (not is_broken)} broke" in done.err
        assert "It was a puppet." in done.text
    assert sorted(tally()) == sorted(set(tally())), "a model was run twice"


@pytest.mark.parametrize("after", [0, 3, 4, 6, 9])
def test_a_job_that_dies_each_time_comes_to_an_end(after: int, puppets: FakePlugins) -> None:
    done = play(f"after::{after}")
    assert done.code == ExitCode.FAILED
    assert len(diary()) <= 3
    assert "running" not in statuses().values()
    assert "Status:         Running" not in done.out
    assert "Traceback" not in done.text


@pytest.mark.parametrize("ending", DEATHS)
def test_builds_say_how_and_where_their_process_died(ending: Ending, puppets: FakePlugins) -> None:
    done = play(f"ending::{ending.value}", "after::12", "attempts::1")
    assert done.code == ExitCode.FAILED
    (build,) = [
        b
        for b in builds_in(Path("cache"))
        if read_document(b.state_file, STATE_SCHEMA)["model"]["name"] == "two"
    ]
    content = read_document(build.state_file, STATE_SCHEMA)
    assert (content["failed_step"], content["error"]) == ("act", "It was a puppet.")
    stats = Stats.load(build)
    steps = {entry["tool"]: entry for entry in stats.steps.values()}
    assert steps["compile"]["status"] == "successful"
    assert steps["act"]["status"] == "failed"
    assert steps["act"]["error"] == "It was a puppet."
    assert steps["act"]["ending"] == ending.value
    assert steps["act"]["peak_job_bytes"] == 12345
    assert [chain["status"] for chain in stats.chains.values()] == ["failed"]


def test_a_death_between_two_steps_leaves_the_first_as_it_was(puppets: FakePlugins) -> None:
    done = play("after::6", "attempts::1")
    text = "After this step had ended: It was a puppet."
    assert f"Failed in compile: {text}" in done.out
    for _, steps in statuses_of(Path("cache")).values():
        assert "failed" not in steps.values()
    assert statuses() == {"one": "failed", "two": "successful", "three": "successful"}


def test_a_death_while_models_are_found_is_the_inputs_own(puppets: FakePlugins) -> None:
    done = play("after::2", "ending::timeout")
    assert done.code == ExitCode.FAILED
    assert "0 models failed, 0 went well, 1 input broke" in done.err
    assert "Error: a.toy: find: It was a puppet.\n  Cut the strings." in done.err
    assert len(diary()) == 1


def test_a_job_that_leaves_no_report_although_it_ended_well_is_lost(puppets: FakePlugins) -> None:
    done = play("ending::reported", "after::7", "attempts::1")
    assert done.code == ExitCode.FAILED
    assert "Failed in act: It ended without leaving a report." in done.out
    assert statuses() == {"one": "failed", "two": "successful", "three": "successful"}


def test_a_report_counts_whatever_is_said_of_its_process(puppets: FakePlugins) -> None:
    """A process may crash when it has done its work and left its report."""
    done = play("ending::crashed")
    assert done.code == ExitCode.OK, done
    assert statuses() == dict.fromkeys(("one", "two", "three"), "successful")


REPORTS = [
    "",
    "{",
    " []",
    "null",
    "\udcff\udcfe",
    '{"schema": 2}',
    '{"schema": 1}',
    '{"schema": 1, "source": 3, "models": [], "error": null, "notes": [], "log": null}',
    '{"schema": 1, "models": [{}]}',
    # With a blank, or it would be a list without an end.
    " " + "[" * 100_000,
    '{"schema": 1, "source": ' + "[" * 100_000,
    '{"schema": 1, "models": 1e999}',
]


@pytest.mark.parametrize("text", REPORTS, ids=range(len(REPORTS)))
def test_a_report_that_cannot_be_read_is_no_report(text: str, puppets: FakePlugins) -> None:
    done = play("after::12", "attempts::1", f"leaves::{text}")
    assert done.code == ExitCode.FAILED
    assert "Traceback" not in done.text
    assert statuses() == {"one": "successful", "two": "failed", "three": "successful"}
    assert "report.json" in done.out


def test_a_death_is_not_written_into_a_build_that_another_process_works_on(
    puppets: FakePlugins,
) -> None:
    play("of::nobody")
    build = next(b for b in builds_in(Path("cache")) if statuses()["two"])
    before = build.state_file.read_bytes()
    trace = Trace(step=step_of("act", 3, build.name))
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom turnkeyml.cache.locks import build_lock\n"
        "with build_lock(Path(sys.argv[1]), sys.argv[2], print):\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(build.cache), build.name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        start = time.monotonic()
        record_death(build, trace, JobEnd(Ending.CRASHED, "It crashed."))
        assert time.monotonic() - start < 20, "it waited for the other"
        other.kill()
    assert build.state_file.read_bytes() == before


@pytest.mark.parametrize("harm", ["no state", "no folder", "damaged", "stats", "link", "ended"])
def test_a_death_that_cannot_be_written_down_harms_nobody(
    harm: str, puppets: FakePlugins, tmp_path: Path
) -> None:
    """What the dead process left may be anything."""
    play("of::nobody")
    build = builds_in(Path("cache"))[0]
    content = read_document(build.state_file, STATE_SCHEMA)
    write_document(build.state_file, STATE_SCHEMA, {**content, "status": "running"})
    if harm == "no state":
        build.state_file.unlink()
    elif harm == "no folder":
        shutil.rmtree(build.path)
    elif harm == "damaged":
        build.state_file.write_bytes(b"\xff{")
    elif harm == "stats":
        build.stats_file.write_text("[" * 10_000)
    elif harm == "ended":
        write_document(build.state_file, STATE_SCHEMA, content)
    elif harm == "link":
        lock = Path("cache/.locks", f"{build.name}.lock")
        lock.unlink(missing_ok=True)
        (tmp_path / "precious").write_text("years of work")
        lock.symlink_to(tmp_path / "precious")
    trace = Trace(step=step_of("act", 3, build.name))
    record_death(build, trace, JobEnd(Ending.CRASHED, "It crashed."))
    if harm == "stats":
        assert read_document(build.state_file, STATE_SCHEMA)["status"] == "failed"
        assert "act" in {entry["tool"] for entry in Stats.load(build).steps.values()}
        assert build.path.joinpath("turnkey_stats.yaml.damaged").exists()
    elif harm == "ended":
        assert read_document(build.state_file, STATE_SCHEMA) == content
    elif harm == "link":
        assert (tmp_path / "precious").read_text() == "years of work"


# What the next command does


def test_jobs_that_live_on_are_found_again(puppets: FakePlugins) -> None:
    Path("b.toy").write_text("four 4\n")
    words = ("--executor", "remembering", "-i", "a.toy", "b.toy", *CHAIN)
    first = run_here(*words)
    assert first.code == ExitCode.INTERRUPTED
    assert "Stopped with 2 inputs of 2 not run.\n  The same command goes on" in first.err
    jobs = {p: p.stat().st_mtime_ns for p in Path("cache/.commands").glob("*/jobs/*/job.json")}
    assert len(jobs) == 2
    Path("ready").touch()
    second = run_here(*words)
    assert second.code == ExitCode.OK
    assert second.out.count("Note: It had lived on.") == 2
    assert diary() == ["a.toy", "b.toy"] * 2
    assert "a.toy: far away" in second.err


def test_an_executor_that_cannot_run_says_so_before_any_job(puppets: FakePlugins) -> None:
    done = play("of::nothing")
    assert done.code == ExitCode.USAGE
    assert "Error: The puppet has no theatre.\n  Build one." in done.err
    assert not list(Path("cache/.commands").glob("*/jobs/*"))


def test_a_cache_without_room_for_a_job_ends_the_command_in_one_sentence(
    puppets: FakePlugins,
) -> None:
    play("of::nobody")
    (jobs,) = Path("cache/.commands").glob("*/jobs")
    jobs.rmdir()
    jobs.write_text("in the way")
    done = play("of::nobody")
    assert done.code == ExitCode.FAILED
    assert "cannot be written: " in done.err
    assert "Traceback" not in done.text


def test_a_job_that_the_user_stopped_is_left_for_the_next_command(puppets: FakePlugins) -> None:
    stopped = play("ending::interrupted", "after::12")
    assert stopped.code == ExitCode.INTERRUPTED
    assert "Stopped with 1 input of 1 not run." in stopped.err
    assert statuses() == {"one": "successful", "two": "running"}
    done = play("of::nobody")
    assert done.code == ExitCode.OK
    assert statuses() == dict.fromkeys(("one", "two", "three"), "successful")
    assert tally() == ["one", "two", "three"]
    assert len(diary()[-1].split()) == 3, "the first is left out"


@pytest.mark.parametrize("after", [7, 9, 12, 17])
def test_a_death_after_an_interruption_blames_only_who_was_worked_on(
    after: int, puppets: FakePlugins
) -> None:
    """What the command that was stopped had ended with is still known."""
    play("ending::interrupted", f"after::{after}")
    done = play("after::7", "attempts::1")
    assert done.code == ExitCode.FAILED
    victim = {7: "one", 9: "two", 12: "two", 17: "three"}[after]
    expected = {**dict.fromkeys(("one", "two", "three"), "successful"), victim: "failed"}
    assert statuses() == expected
    assert "1 model failed, 2 went well, 0 inputs broke" in done.err
    assert f"{victim}" not in tally()
