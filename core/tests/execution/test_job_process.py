"""A job in a process of its own, started with nothing but its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from builds import statuses_of
from core_env import Environment, FakePlugins
from toy_jobs import job_of

from turnkeyml.errors import CacheError, PlanError
from turnkeyml.execution.events import EventReader, What
from turnkeyml.execution.job_folder import read_report, write_job
from turnkeyml.execution.job_process import main, plan_for, run_folder
from turnkeyml.executor import JobSpec
from turnkeyml.inputs import Source
from turnkeyml.request import DefaultChainOptions, GlobalOptions, RunRequest
from turnkeyml.sequence import Step

THREE = "one 1\ntwo 2\nthree 3\n"


@pytest.fixture
def job(toys: FakePlugins, tmp_path: Path) -> JobSpec:
    (tmp_path / "a.toy").write_text(THREE)
    return make(tmp_path, Step("find"), Step("compile", {"level": 3}))


def make(folder: Path, *steps: Step, **more: object) -> JobSpec:
    request = RunRequest(GlobalOptions(cache_dir=folder / "cache"), list(steps))
    source = Source(folder / "a.toy")
    return job_of(folder=folder / "job", source=source, request=request, **more)


def test_a_job_leaves_a_report_and_events(job: JobSpec, toys: FakePlugins) -> None:
    write_job(job)
    run_folder(job.folder, toys.registry())
    report = read_report(job.folder)
    assert report is not None
    assert not report.failed
    assert [m.model.name for m in report.models] == ["one", "two", "three"]
    assert report.source == job.source
    told = EventReader(job.folder / "events.jsonl").read()
    assert (told[0].what, told[-1].what) == (What.JOB_STARTED, What.JOB_FINISHED)


def test_models_that_had_ended_are_left_alone(job: JobSpec, toys: FakePlugins) -> None:
    write_job(job)
    run_folder(job.folder, toys.registry())
    first = read_report(job.folder)
    assert first is not None
    again = make(job.source.path.parent, Step("find"), Step("act"), without=(first.models[1].name,))
    write_job(again)
    run_folder(job.folder, toys.registry())
    steps = [e.step for e in EventReader(job.folder / "events.jsonl").read() if e.step]
    assert {s.model.split()[0] for s in steps if s.build} == {"one", "three"}


def test_a_model_that_fails_and_an_input_that_breaks_are_told(
    toys: FakePlugins, tmp_path: Path
) -> None:
    (tmp_path / "a.toy").write_text("one 1\nraise no luck\n")
    job = make(tmp_path, Step("find"), Step("act", {"do": "boom", "word": "bad"}))
    write_job(job)
    run_folder(job.folder, toys.registry())
    report = read_report(job.folder)
    assert report is not None
    assert report.error is not None
    assert "find broke on a.toy: ValueError: no luck" in report.error.message
    (failure,) = report.models[0].failures
    assert failure.error == "ValueError: bad"
    assert failure.traceback is not None
    assert "boom" in failure.traceback


def test_a_chain_that_cannot_work_here_is_told_in_the_report(
    toys: FakePlugins, tmp_path: Path
) -> None:
    """On another machine other plugins may be installed."""
    (tmp_path / "a.toy").write_text(THREE)
    job = make(tmp_path, Step("find"), Step("no-such-tool"))
    write_job(job)
    run_folder(job.folder, toys.registry())
    report = read_report(job.folder)
    assert report is not None
    assert report.error is not None
    assert "no-such-tool" in report.error.message
    assert report.log == job.output_file


def test_listeners_do_not_outlive_their_job(job: JobSpec, toys: FakePlugins) -> None:
    registry = toys.registry()
    before = len(registry.hooks.get_plugins())
    for _ in range(3):
        write_job(job)
        run_folder(job.folder, registry)
    assert len(registry.hooks.get_plugins()) == before


def test_a_process_started_with_a_folder_does_its_job(environment: Environment) -> None:
    environment.install_toys()
    folder = environment.home
    (folder / "a.toy").write_text(THREE)
    job = make(folder, Step("find"), Step("compile"))
    write_job(job)
    code = "from turnkeyml.execution.job_process import main; main()"
    done = environment.turnkey(str(job.folder), code=code, cwd=Path("/"))
    assert (done.code, done.text) == (0, "")
    report = read_report(job.folder)
    assert report is not None
    assert not report.failed
    statuses = statuses_of(folder / "cache").values()
    assert {status for status, _ in statuses} == {"successful"}


def test_a_folder_that_is_no_job_is_said_in_one_sentence(environment: Environment) -> None:
    code = "from turnkeyml.execution.job_process import main; main()"
    done = environment.turnkey(str(environment.home / "nothing"), code=code)
    assert done.code == 1
    assert done.err.startswith("Error: ")
    assert "job.json is no file." in done.err
    assert "Traceback" not in done.err


def test_without_a_folder_it_says_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["job_process"])
    with pytest.raises(SystemExit, match="Usage: python -m turnkeyml"):
        main()


def test_a_damaged_folder_is_refused(tmp_path: Path, toys: FakePlugins) -> None:
    (tmp_path / "job.json").write_text("{}")
    with pytest.raises(CacheError, match="not of this version"):
        run_folder(tmp_path, toys.registry())


def test_the_default_chain_is_planned_as_it_was_asked_for(toys: FakePlugins) -> None:
    chain = DefaultChainOptions(build_only=True)
    request = RunRequest(GlobalOptions(), None, default_chain=chain)
    plan = plan_for(request, ".toy", toys.registry())
    assert [step.name for step in plan.steps] == ["find", "compile", "shrink"]
    with pytest.raises(PlanError):
        plan_for(request, ".nothing", toys.registry())
