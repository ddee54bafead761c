"""What comes of a death: who is blamed, and whether the others go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from toy_jobs import (
    done,
    failed_model,
    finished,
    found,
    job_of,
    model_of,
    started,
)

from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA
from turnkeyml.execution.deaths import Verdict, is_death, judge
from turnkeyml.execution.events import EVENTS, EventFile, JobEvent
from turnkeyml.execution.reports import ModelReport
from turnkeyml.executor import Ending, JobEnd, JobSpec
from turnkeyml.outcomes import Status

CRASH = JobEnd(Ending.CRASHED, "It crashed.", "Mend it.", 7)


@pytest.fixture
def job(tmp_path: Path) -> JobSpec:
    (tmp_path / "job").mkdir()
    return job_of(folder=tmp_path / "job")


@pytest.fixture
def models(tmp_path: Path) -> list[ModelReport]:
    return [model_of(name, Status.RUNNING, cache=tmp_path) for name in ("one", "two", "three")]


def verdict(job: JobSpec, *told: JobEvent, known: tuple[ModelReport, ...] = ()) -> Verdict:
    for event in told:
        EventFile(job.folder / EVENTS).tell(event)
    return judge(job, CRASH, {model.name: model for model in known})


def test_what_died_before_it_told_of_anything_is_the_inputs_own(job: JobSpec) -> None:
    found_out = verdict(job)
    assert found_out.again is None
    assert found_out.report is not None
    assert found_out.report.error is not None
    assert str(found_out.report.error) == "It crashed. Mend it."
    assert found_out.report.error.ending == "crashed"
    assert found_out.report.log == job.output_file


def test_the_step_that_finds_models_is_named(job: JobSpec) -> None:
    found_out = verdict(job, started("find", 1))
    assert found_out.report is not None
    assert str(found_out.report.error) == "find: It crashed. Mend it."


def test_an_earlier_attempts_models_are_not_lost_if_none_are_found_any_more(
    job: JobSpec, models: list[ModelReport]
) -> None:
    found_out = verdict(job, started("find", 1), known=(model_of("one"),))
    assert found_out.again is None
    assert found_out.report is not None
    assert [m.name for m in found_out.report.models] == ["one"]


def test_the_model_that_was_worked_on_has_failed_and_the_others_go_on(
    job: JobSpec, models: list[ModelReport]
) -> None:
    found_out = verdict(job, found(*models), started("compile", 2, "one"))
    assert found_out.report is None
    assert found_out.again is not None
    assert found_out.again.without == ("one",)
    assert found_out.again.attempt == 2
    (failure,) = found_out.known["one"].failures
    assert (failure.step, failure.error) == ("compile", "It crashed. Mend it.")
    assert failure.log == models[0].build.log_file("compile")
    assert found_out.known["one"].status is Status.FAILED


@pytest.mark.parametrize(
    ("is_lean", "status", "is_deleted"),
    [
        (True, "running", True),
        (False, "running", False),
        # Another command has built it meanwhile, and may want to keep it.
        (True, "successful", False),
    ],
)
def test_what_the_dead_had_built_is_deleted_where_little_is_to_be_kept(
    job: JobSpec, models: list[ModelReport], is_lean: bool, status: str, is_deleted: bool
) -> None:
    options = replace(job.request.options, lean_cache=is_lean)
    job = replace(job, request=replace(job.request, options=options))
    build = models[0].build
    for folder in ("onnx", ".tmp-0123456789ab"):
        (build.path / folder).mkdir(parents=True)
        (build.path / folder / "large.data").write_bytes(b"x" * 1000)
    build.log_file("compile").write_text("its last words")
    facts = {
        "status": status,
        "artifacts": [{"kind": "toy"}],
        "records": [{}],
        "seals": {"a": []},
    }
    write_document(build.state_file, STATE_SCHEMA, facts)
    verdict(job, found(*models), started("compile", 2, "one"))
    state = read_document(build.state_file, STATE_SCHEMA)
    assert state["status"] == ("failed" if status == "running" else status)
    assert build.log_file("compile").read_text() == "its last words"
    assert (build.path / "onnx").exists() != is_deleted
    assert (build.path / ".tmp-0123456789ab").exists() != is_deleted
    assert bool(state["artifacts"]) != is_deleted


def test_the_last_model_needs_no_other_attempt(job: JobSpec, models: list[ModelReport]) -> None:
    known = (model_of("one"), failed_model("two"))
    found_out = verdict(job, found(*models), started("compile", 2, "three"), known=known)
    assert found_out.again is None
    assert found_out.report is not None
    assert found_out.report.error is None, "the model failed, the input is good"
    statuses = [m.status for m in found_out.report.models]
    assert statuses == [Status.SUCCESSFUL, Status.FAILED, Status.FAILED]


def test_without_progress_there_is_no_other_attempt(
    job: JobSpec, models: list[ModelReport]
) -> None:
    known = (model_of("one"),)
    found_out = verdict(job, found(*models), known=known)
    assert found_out.again is None
    assert found_out.report is not None
    assert found_out.report.error is not None
    statuses = [m.status for m in found_out.report.models]
    assert statuses == [Status.SUCCESSFUL, Status.NOT_STARTED, Status.NOT_STARTED]


def test_with_progress_there_is_another_attempt_although_nobody_is_to_blame(
    job: JobSpec, models: list[ModelReport]
) -> None:
    found_out = verdict(job, found(*models), done(model_of("one")))
    assert found_out.again is not None
    assert found_out.again.without == ("one",)


def test_models_that_nobody_wanted_are_not_waited_for(job: JobSpec) -> None:
    unwanted = model_of("two", Status.RUNNING, selected=False)
    found_out = verdict(job, found(model_of("one"), unwanted), started("compile", 2, "one"))
    assert found_out.again is None
    assert found_out.report is not None
    assert found_out.report.error is None


def test_a_model_that_was_never_found_cannot_be_blamed(
    job: JobSpec, models: list[ModelReport]
) -> None:
    found_out = verdict(job, found(*models), started("compile", 2, "stranger"))
    assert found_out.again is None
    assert found_out.report is not None
    assert found_out.report.error is not None
    assert str(found_out.report.error) == "compile: It crashed. Mend it."


def test_a_death_when_all_had_ended_is_told_of_the_input(
    job: JobSpec, models: list[ModelReport]
) -> None:
    told = [found(models[0]), started("compile", 2, "one"), finished("compile", 2, "one")]
    found_out = verdict(job, *told, done(model_of("one")))
    assert found_out.again is None
    assert found_out.report is not None
    assert found_out.report.error is not None
    assert not found_out.report.models[0].failed


def test_only_what_leaves_no_report_is_a_death() -> None:
    for ending in Ending:
        is_one = ending not in (Ending.REPORTED, Ending.INTERRUPTED)
        assert is_death(JobEnd(ending)) == is_one
        assert ending.is_final == (ending is not Ending.INTERRUPTED)
