"""Reports as JSON: what is written is read back, and anything else is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from toy_jobs import failed_model, model_of, report_of
from toy_json import changed, places_in, reports, without

from turnkeyml.errors import BuildError
from turnkeyml.execution.json_values import MALFORMED
from turnkeyml.execution.reports import JobError, JobReport
from turnkeyml.outcomes import Failure, Status


@given(reports)
def test_a_report_is_read_back_as_it_was(report: JobReport) -> None:
    assert JobReport.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_names_of_files_that_are_no_text_survive() -> None:
    report = report_of(name="gr\udcfc\udcdf.toy", log=Path("/x/\udcff.txt"))
    assert JobReport.from_json(json.loads(json.dumps(report.to_json()))) == report


REPORT = report_of(
    model_of("one", results=({"mean_latency_ms": 1.5},), findings={"Parity": "ok"}),
    failed_model("two"),
    error=JobError("It crashed.", None, "crashed"),
    notes=("A note.",),
    log=Path("/cache/.logs/a.txt"),
)


@pytest.mark.parametrize("value", [None, 7, -0.5, True, "text", [], {}, [[]], {"a": {"b": 1}}])
def test_a_value_of_another_type_is_refused_or_does_no_harm(value: Any) -> None:
    """What is taken has the types that its class says, so that nobody trips over it later."""
    data = REPORT.to_json()
    for place in places_in(data):
        try:
            found = JobReport.from_json(changed(data, place, value))
        except MALFORMED:
            continue
        again = JobReport.from_json(json.loads(json.dumps(found.to_json())))
        assert again == found, place
        assert isinstance(found.failed, bool)
        assert all(isinstance(m.name, str) and m.model.short_hash for m in found.models)


def test_a_value_that_is_missing_is_refused() -> None:
    data = REPORT.to_json()
    for place in places_in(data):
        is_own = "results" in place[:-1] or place[-2:-1] in [("findings",), ("input_shapes",)]
        if is_own or not isinstance(place[-1], str):
            continue
        with pytest.raises(MALFORMED):
            JobReport.from_json(without(data, place))


@pytest.mark.parametrize("name", ["", ".", "..", "../other", "a/b", "/etc", "a\0b"])
def test_a_build_is_never_outside_of_its_cache(name: str) -> None:
    data = changed(REPORT.to_json(), ("models", 0, "build"), name)
    with pytest.raises(ValueError, match="is no build"):
        JobReport.from_json(data)


def test_what_a_model_is_not_known_to_have_is_refused() -> None:
    data = changed(REPORT.to_json(), ("models", 0, "model", "wings"), 2)
    with pytest.raises(ValueError, match="wings"):
        JobReport.from_json(data)


def test_failures_are_those_of_models_that_were_wanted() -> None:
    assert not report_of(model_of("one")).failed
    assert report_of(model_of("one"), failed_model("two")).failed
    assert not report_of(model_of("one", Status.FAILED, selected=False)).failed
    assert not report_of(model_of("one", Status.SKIPPED)).failed
    assert report_of(model_of("one", Status.NOT_STARTED)).failed
    assert report_of(error=JobError("No.")).failed


def test_an_error_is_said_with_its_hint() -> None:
    assert str(JobError.of(BuildError("No.", hint="Try."))) == "No. Try."
    assert str(JobError("No.")) == "No."


def test_what_is_known_of_models_takes_their_place() -> None:
    report = report_of(model_of("one", Status.NOT_STARTED), model_of("two"))
    known = {"one": failed_model("one"), "three": model_of("three")}
    assert [m.status for m in report.with_models(known).models] == [
        Status.FAILED,
        Status.SUCCESSFUL,
    ]


def test_a_report_moves_with_its_cache() -> None:
    failure = Failure("compile", "no", Path("/old/one/log_compile.txt"))
    elsewhere = Failure("compile", "no", Path("/somewhere/log.txt"))
    model = model_of("one", cache=Path("/old"), failures=(failure, elsewhere))
    moved = report_of(model, log=Path("/old/.logs/a.txt")).moved_to(Path("/new"), Path("/old"))
    assert moved.log == Path("/new/.logs/a.txt")
    assert moved.models[0].build.path == Path("/new/one")
    assert [f.log for f in moved.models[0].failures] == [
        Path("/new/one/log_compile.txt"),
        Path("/somewhere/log.txt"),
    ]
