"""Running: what fails, fails alone, and the cache says how far everything came."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from core_env import Ended, Environment, FakePlugins, run_here

from turnkeyml.cache.layout import BuildDirectory, Cache
from turnkeyml.cache.stats import Stats
from turnkeyml.errors import ExitCode
from turnkeyml.outcomes import Status
from turnkeyml.plugins import hookimpl
from turnkeyml.saved_state import SavedState, load_state

FIND = ("-i", "a.toy", "find")


@pytest.fixture
def folder(toys: FakePlugins, tmp_path: Path) -> Path:
    (tmp_path / "a.toy").write_text("one 1\n")
    return tmp_path


def act(do: str, word: str = "") -> Ended:
    return run_here(*FIND, "compile", "act", "--do", do, "--word", word, "shrink")


def the_build(folder: Path) -> BuildDirectory:
    (build,) = Cache(folder / "cache").builds()
    return build


def the_state(folder: Path) -> SavedState:
    return load_state(the_build(folder))


@pytest.mark.parametrize(
    ("do", "word", "error", "is_bug"),
    [
        ("boom", "no luck\nat all", "ValueError: no luck", True),
        ("boom", "", "ValueError", True),
        ("refuse", "not this one.", "not this one. Try another toy.", False),
        ("leave", "0", "SystemExit: 0", False),
        ("leave", "3", "SystemExit: 3", False),
        ("no-such-deed", "", "AttributeError: 'Act' object has no attribute 'no_such_deed'", True),
    ],
)
def test_a_failing_tool_fails_its_model_with_error_and_log(
    do: str, word: str, error: str, is_bug: bool, folder: Path
) -> None:
    done = act(do, word)
    assert done.code == ExitCode.FAILED
    assert f"Failed in act: {error}" in done.out
    assert f"act: {error}" in done.err
    log = the_build(folder).path / "log_act.txt"
    assert f"log: {log}" in done.err
    assert "Traceback (most recent call last)" in log.read_text()
    assert ("Traceback" in done.out) == is_bug, "only what a tool did not expect shows where"
    assert "Traceback" not in done.err
    state = the_state(folder)
    assert state.status is Status.FAILED
    assert (state.content["failed_step"], state.content["error"]) == ("act", error)
    assert "shrink" not in done.err


def test_what_was_made_before_the_failure_is_kept(folder: Path) -> None:
    act("boom")
    (artifact,) = the_state(folder).artifacts
    assert artifact.kind == "toy-file"
    assert (the_build(folder).path / artifact.files[0].path).is_file()
    steps = {s["tool"]: s for s in Stats.load(the_build(folder)).steps.values()}
    assert [steps[n]["status"] for n in ("find", "compile", "act")] == [
        "successful",
        "successful",
        "failed",
    ]
    assert steps["act"]["error"] == "ValueError"
    assert steps["compile"]["duration_s"] >= 0
    assert steps["compile"]["package"] == "toyplug 1.0"
    assert steps["compile"]["options"]["level"] == steps["compile"]["level"] == 1


def test_one_failing_input_does_not_end_the_others(folder: Path) -> None:
    (folder / "b.toy").write_text("raise sad\n")
    (folder / "c.toy").write_text("bad 1\ngood 1\n")
    done = run_here(
        *("-i", "b.toy", "c.toy", "a.toy", "find"),
        *("act", "--do", "boom-if-named", "--word", "bad"),
    )
    assert done.code == ExitCode.FAILED
    assert "1 model failed, 2 went well, 1 input broke:" in done.err
    assert "c_" in done.err
    statuses = {b.name[0]: set() for b in Cache(folder / "cache").builds()}
    for build in Cache(folder / "cache").builds():
        statuses[build.name[0]].add(load_state(build).status)
    assert statuses == {"a": {Status.SUCCESSFUL}, "c": {Status.FAILED, Status.SUCCESSFUL}}


def test_models_found_before_an_input_broke_go_on(folder: Path) -> None:
    (folder / "a.toy").write_text("one 1\ntwo 2\nraise late\n")
    done = run_here(*FIND, "compile")
    assert done.code == ExitCode.FAILED
    assert "find broke on a.toy: ValueError: late" in done.err
    builds = Cache(folder / "cache").builds()
    assert [load_state(b).status for b in builds] == [Status.SUCCESSFUL] * 2
    assert all(any(a.kind == "toy-file" for a in load_state(b).artifacts) for b in builds)


def test_models_with_equal_hashes_have_a_build_each(folder: Path) -> None:
    (folder / "a.toy").write_text("one 1\none 1\none 1\n")
    assert run_here(*FIND, "compile").code == ExitCode.OK
    assert len(Cache(folder / "cache").builds()) == 3


def test_only_the_models_with_the_wanted_hash_go_on(folder: Path) -> None:
    (folder / "a.toy").write_text("one 1\ntwo 2\n")
    everything = run_here(*FIND).out
    wanted = [line.split()[-1] for line in everything.splitlines() if "Hash:" in line][1]
    (folder / "cache").rename(folder / "old")
    done = run_here("-i", f"a.toy::{wanted.upper()}", "find", "compile")
    assert done.code == ExitCode.OK
    assert done.out.count("Hash:") == 2
    assert done.out.count("successfully built") == 1
    (build,) = Cache(folder / "cache").builds()
    assert build.name == f"a_{wanted}"


def test_output_of_a_tool_goes_to_its_log_and_not_to_ours(folder: Path) -> None:
    done = act("say", "héllo ✓")
    assert done.code == ExitCode.OK
    assert "héllo" not in done.text
    log = (the_build(folder).path / "log_act.txt").read_text("utf-8")
    assert log == "héllo ✓\nerr héllo ✓\n"


def test_native_output_goes_to_the_log_too(folder: Path, capfd: pytest.CaptureFixture) -> None:
    assert act("say-natively", "deep").code == ExitCode.OK
    assert (the_build(folder).path / "log_act.txt").read_text() == "fd1 deep\nfd2 deep\n"
    captured = capfd.readouterr()
    assert "deep" not in captured.out + captured.err


def test_a_log_is_begun_anew_by_the_next_run(folder: Path) -> None:
    act("say", "first")
    act("say", "second")
    assert "first" not in (the_build(folder).path / "log_act.txt").read_text()


def test_what_an_input_prints_is_shown_and_kept(folder: Path) -> None:
    (folder / "a.toy").write_text("print hello from the toy\none 1\n")
    done = run_here(*FIND, "compile")
    assert "hello from the toy" in done.out
    assert "hello" in (the_build(folder).path / "log_find.txt").read_text()


def test_notes_of_a_tool_are_said(folder: Path) -> None:
    (folder / "a.toy").write_text("note by the way\none 1\n")
    assert "Note: by the way" in run_here(*FIND).out


def test_another_chain_keeps_the_statistics_of_the_first(folder: Path) -> None:
    run_here(*FIND, "compile", "--level", "1")
    run_here(*FIND, "compile", "--level", "2", "benchmark", "--iterations", "2")
    run_here(*FIND, "compile", "--level", "2", "benchmark", "--iterations", "3")
    stats = Stats.load(the_build(folder))
    levels = sorted(s["level"] for s in stats.steps.values() if s["tool"] == "compile")
    assert levels == [1, 2]
    assert sorted(r["iterations"] for r in stats.results.values()) == [2, 3]


def test_artifacts_of_different_options_do_not_overwrite_each_other(folder: Path) -> None:
    run_here(*FIND, "compile", "--level", "1")
    run_here(*FIND, "compile", "--level", "2", "compile", "--level", "2")
    assert len(list((the_build(folder).path / "toy").iterdir())) == 2


def test_an_interrupted_step_is_saved_as_such(folder: Path) -> None:
    done = act("interrupt")
    assert done.code == ExitCode.INTERRUPTED
    state = the_state(folder)
    assert state.status is Status.INTERRUPTED
    assert state.content["failed_step"] == "act"
    steps = {s["tool"]: s["status"] for s in Stats.load(the_build(folder)).steps.values()}
    assert steps == {"find": "successful", "compile": "successful", "act": "interrupted"}


def test_an_input_that_is_interrupted_ends_the_command_with_130(folder: Path) -> None:
    (folder / "a.toy").write_text("one 1\ninterrupt\n")
    assert run_here(*FIND, "compile").code == ExitCode.INTERRUPTED


def test_listeners_hear_of_everything_in_order(folder: Path, toys: FakePlugins) -> None:
    heard: list[str] = []

    @hookimpl
    def turnkey_plan_made(plan):
        heard.append("plan " + " ".join(s.name for s in plan.steps))

    @hookimpl
    def turnkey_job_started(source):
        heard.append(f"job {source.path.name}")

    @hookimpl
    def turnkey_models_found(states):
        heard.append("found " + " ".join(s.model.name for s in states))

    @hookimpl
    def turnkey_step_started(state, step):
        heard.append(f"start {step.name} {state and state.model.name}")

    @hookimpl
    def turnkey_step_finished(state, step, outcome):
        heard.append(f"end {step.name} {outcome.status.value}")
        if state is not None:
            state.stats.save("heard", True)

    @hookimpl
    def turnkey_build_finished(state):
        heard.append(f"built {state.status.value} {load_state(state.build).status.value}")

    @hookimpl
    def turnkey_job_finished():
        heard.append("job ended")

    toys.add(**{k: v for k, v in locals().items() if k.startswith("turnkey_")})
    run_here(*FIND, "compile", "act", "--do", "boom")
    assert heard == [
        "plan find compile act",
        "job a.toy",
        "start find None",
        "end find successful",
        "found one",
        "start compile one",
        "end compile successful",
        "start act one",
        "end act failed",
        "built failed failed",
        "job ended",
    ]
    steps = {s["tool"]: s for s in Stats.load(the_build(folder)).steps.values()}
    assert steps["compile"]["heard"] is True
    assert steps["act"]["heard"] is True


@pytest.mark.parametrize("error", [RuntimeError("deaf"), SystemExit("deaf")])
def test_a_listener_that_raises_is_reported_and_harms_nobody(
    error: BaseException, folder: Path, toys: FakePlugins
) -> None:
    heard = []

    @hookimpl
    def turnkey_step_finished(step):
        heard.append(step.name)

    def raising():
        @hookimpl
        def turnkey_step_finished(step):
            raise error

        return turnkey_step_finished

    toys.add(distribution="a-first", turnkey_step_finished=turnkey_step_finished)
    toys.add(distribution="b-raises", turnkey_step_finished=raising())
    toys.add(distribution="c-last", turnkey_step_finished=turnkey_step_finished)
    done = run_here(*FIND, "compile")
    assert done.code == ExitCode.OK
    assert heard == ["find", "find", "compile", "compile"]
    said = f"listening to turnkey_step_finished, raised {type(error).__name__}: deaf"
    note = f"Note: The plugin b-raises:main, {said}"
    assert done.out.count(note) == 2
    assert "a.toy one: compile" in done.err


def start_waiting(environment: Environment) -> list[str]:
    environment.install_toys()
    (environment.home / "a.toy").write_text("one 1\n")
    return [*FIND, "compile", "act", "--do", "wait-for", "--word", "go", "shrink"]


def wait_until(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def test_a_process_killed_in_the_middle_leaves_a_readable_cache(environment: Environment) -> None:
    words = start_waiting(environment)
    with environment.started(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until(environment.home / "go.here")
        (build,) = Cache(environment.cache).builds()
        assert load_state(build).status is Status.RUNNING
        process.send_signal(signal.SIGKILL)
        process.wait()
    state = load_state(build)
    assert state.status is Status.INTERRUPTED
    assert [a.kind for a in state.artifacts] == ["toy-file"]
    assert Stats.load(build).steps
    (environment.home / "go").touch()
    done = environment.turnkey(*words)
    assert done.code == ExitCode.OK, done
    assert load_state(build).status is Status.SUCCESSFUL


def test_a_tool_that_kills_its_process_leaves_a_readable_cache(environment: Environment) -> None:
    environment.install_toys()
    (environment.home / "a.toy").write_text("one 1\n")
    done = environment.turnkey(*FIND, "compile", "act", "--do", "die")
    assert done.code == -signal.SIGKILL
    (build,) = Cache(environment.cache).builds()
    assert load_state(build).status is Status.INTERRUPTED
    assert environment.turnkey(*FIND, "compile").code == ExitCode.OK


def test_a_second_process_waits_for_the_first_and_says_so(environment: Environment) -> None:
    words = start_waiting(environment)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with environment.started(*words, **pipes) as first:
        wait_until(environment.home / "go.here")
        (log,) = (environment.cache / ".logs").iterdir()
        before = log.stat().st_mtime_ns
        with environment.started(*FIND, "compile", **pipes) as second:
            deadline = time.monotonic() + 30
            # It has come as far as the models, for which it needs no lock.
            while log.stat().st_mtime_ns == before:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            with pytest.raises(subprocess.TimeoutExpired):
                second.wait(1.0)
            (environment.home / "go").touch()
            out, _ = second.communicate(timeout=30)
        first.communicate(timeout=30)
    assert (first.returncode, second.returncode) == (0, 0)
    assert f"waited for process {first.pid} on " in out.decode()


def test_a_moved_cache_still_reads(folder: Path) -> None:
    run_here(*FIND, "compile")
    (folder / "cache").rename(folder / "moved")
    (build,) = Cache(folder / "moved").builds()
    state = load_state(build)
    assert state.status is Status.SUCCESSFUL
    assert (build.path / state.artifacts[0].files[0].path).is_file()


def test_a_file_whose_name_is_no_text_is_run(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9 \x1b[31m.toy")
    (folder / name).write_text("one 1\n")
    done = run_here("-i", name, "find", "compile")
    assert done.code == ExitCode.OK
    assert "\x1b" not in done.text
    assert the_state(folder).status is Status.SUCCESSFUL


def test_the_working_directory_and_the_inputs_stay_clean(folder: Path) -> None:
    run_here(*FIND, "compile", "shrink")
    assert sorted(p.name for p in folder.iterdir()) == ["a.toy", "cache"]
    assert not list(folder.rglob(".tmp-*"))


def test_stats_of_a_newer_turnkey_fail_the_model_and_are_left_alone(tmp_path):
    from turnkeyml.cache.layout import BuildDirectory
    from turnkeyml.cache.stats import Stats
    from turnkeyml.errors import NewerSchemaError

    build = BuildDirectory(tmp_path, "b")
    build.path.mkdir()
    build.stats_file.write_text("schema: 99\nresults: {precious: {}}\n")
    with pytest.raises(NewerSchemaError, match="newer turnkey"):
        Stats(build).write()
    assert "precious" in build.stats_file.read_text()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_disk_that_takes_no_more_fails_the_model_in_one_sentence(monkeypatch, number):
    from turnkeyml.execution import job

    class FakeState:
        status = error = None

        def fail(self, step: str, error: str) -> None:
            self.status, self.error = Status.FAILED, error

    def full(state, plan):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(job, "run_chain", full)
    state = FakeState()
    job._run_model(state, None)
    assert state.status is Status.FAILED
    assert os.strerror(number) in state.error


def test_listeners_hear_of_steps_that_were_spared(folder: Path, toys: FakePlugins) -> None:
    heard = []

    @hookimpl
    def turnkey_step_finished(state, step, outcome):
        heard.append((step.name, outcome.status, outcome.reused, state and len(state.artifacts)))

    run_here(*FIND, "compile", "shrink")
    toys.add(turnkey_step_finished=turnkey_step_finished)
    run_here(*FIND, "compile", "shrink")
    assert heard == [
        ("find", Status.SUCCESSFUL, False, None),
        ("compile", Status.SUCCESSFUL, True, 2),
        ("shrink", Status.SUCCESSFUL, True, 3),
    ]


def test_a_place_for_logs_that_cannot_be_written_is_said(folder: Path) -> None:
    (folder / "cache").mkdir()
    (folder / "cache" / ".logs").write_text("no folder")
    done = run_here(*FIND, "compile")
    assert done.code == ExitCode.FAILED
    assert "Error: a.toy: The cache cannot be written: FileExistsError" in done.err
    assert "Make room, or give another cache directory with -d." in done.err
    assert "Traceback" not in done.text


def test_a_link_where_the_log_of_discovery_should_be_is_not_followed(folder: Path) -> None:
    run_here(*FIND, "compile")
    (folder / "precious").write_text("years of work")
    log = the_build(folder).path / "log_find.txt"
    log.unlink()
    log.symlink_to(folder / "precious")
    run_here(*FIND, "compile")
    assert (folder / "precious").read_text() == "years of work"
    assert not log.is_symlink()


def test_a_failure_without_a_log_names_none(folder: Path) -> None:
    done = run_here("--rebuild", "never", *FIND, "compile")
    assert done.code == ExitCode.FAILED
    assert "Failed in compile: There is no earlier result of compile" in done.out
    assert "None" not in done.text
    assert "Log:" not in done.out
