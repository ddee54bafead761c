"""The executor that runs inputs in the process of the command itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from core_env import FakePlugins, run_here

from turnkeyml.errors import ExitCode
from turnkeyml.execution.reports import JobReport
from turnkeyml.plugins import hookimpl
from turnkeyml.running import RunResult, run


@pytest.fixture
def home(toys: FakePlugins, tmp_path: Path) -> Path:
    (tmp_path / "a.toy").write_text("one 1\n")
    (tmp_path / "b.toy").write_text("two 2\n")
    return tmp_path


def test_all_inputs_run_here_one_after_the_other(home: Path, toys: FakePlugins) -> None:
    seen = []

    @hookimpl
    def turnkey_job_started(source, plan):
        seen.append((source.title, os.getpid()))

    toys.add(turnkey_job_started=turnkey_job_started)
    done = run_here("-i", "a.toy", "b.toy", "find", "compile")
    assert done.code == ExitCode.OK
    assert seen == [("a.toy", os.getpid()), ("b.toy", os.getpid())]


def test_an_input_that_breaks_does_not_end_the_others(home: Path) -> None:
    (home / "c.toy").write_text("exit 3\n")
    done = run_here("-i", "c.toy", "a.toy", "b.toy", "find", "compile")
    assert done.code == ExitCode.FAILED
    assert "0 models failed, 2 went well, 1 input broke" in done.err
    assert done.out.count("Model successfully built!") == 2


def test_it_can_be_named(home: Path) -> None:
    done = run_here("--executor", "in-process", "-i", "a.toy", "find", "compile")
    assert done.code == ExitCode.OK


def test_it_takes_no_arguments(home: Path) -> None:
    words = ("--executor-args", "speed::high", "-i", "a.toy", "find")
    done = run_here("--executor", "in-process", *words)
    assert done.code == ExitCode.USAGE
    assert "The executor 'in-process' has no argument 'speed'." in done.err
    assert "It takes none." in done.err


def test_listeners_do_not_outlive_their_job(
    home: Path, toys: FakePlugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    registries = []
    import turnkeyml.running as running

    def watched(request, registry, console) -> RunResult:
        before = len(registry.hooks.get_plugins())
        result = run(request, registry, console)
        registries.append(len(registry.hooks.get_plugins()) - before)
        assert all(isinstance(job, JobReport) for job in result.jobs)
        return result

    monkeypatch.setattr(running, "run", watched)
    assert run_here("-i", "a.toy", "b.toy", "find", "compile").code == ExitCode.OK
    assert registries == [0]
