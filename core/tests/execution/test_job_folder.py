"""The files of a job: written by one process, read by another, which trusts nothing."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from toy_jobs import job_of, model_of, report_of
from toy_json import changed, places_in, reports, sources, without

from turnkeyml.errors import CacheError
from turnkeyml.execution.job_folder import read_job, read_report, write_job, write_report
from turnkeyml.execution.reports import JobReport
from turnkeyml.executor import JobSpec, Limits
from turnkeyml.inputs import Source


@pytest.fixture
def job(tmp_path: Path) -> JobSpec:
    limits = Limits(12.5, 10**10)
    return job_of(folder=tmp_path / "job", limits=limits, without=("one", "two"), attempt=3)


def test_a_job_is_read_back_as_it_was(job: JobSpec) -> None:
    write_job(job)
    assert read_job(job.folder) == (job, Path.cwd())


@given(sources)
def test_any_input_is_read_back(tmp_path_factory: pytest.TempPathFactory, source: Source) -> None:
    job = job_of(folder=tmp_path_factory.getbasetemp() / "job", source=source)
    write_job(job)
    assert read_job(job.folder)[0] == job


@given(reports)
def test_any_report_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, report: JobReport
) -> None:
    folder = tmp_path_factory.getbasetemp()
    write_report(folder, report)
    assert read_report(folder) == report


def test_a_job_has_no_report_before_it_has_ended(job: JobSpec) -> None:
    write_job(job)
    assert read_report(job.folder) is None


def test_what_an_earlier_attempt_left_is_taken_away(job: JobSpec) -> None:
    write_job(job)
    write_report(job.folder, report_of(model_of("one")))
    (job.folder / "events.jsonl").write_text("old\n")
    write_job(replace(job, attempt=4))
    assert read_report(job.folder) is None
    assert not (job.folder / "events.jsonl").exists()
    assert read_job(job.folder)[0].attempt == 4


BAD = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe\x00",
    b'{"schema": 1}',
    b'{"schema": 2}',
    b'{"schema": "1"}',
    b"[" * 200_000,
    b"\0" * 1_000_000,
]


@pytest.mark.parametrize("content", BAD, ids=range(len(BAD)))
def test_files_that_are_something_else_are_refused(content: bytes, job: JobSpec) -> None:
    write_job(job)
    for name, reader in (("job.json", read_job), ("report.json", read_report)):
        (job.folder / name).write_bytes(content)
        with pytest.raises(CacheError, match=name.replace(".", r"\.")):
            reader(job.folder)


@pytest.mark.parametrize("name", ["job.json", "report.json"])
def test_what_is_no_file_is_refused(name: str, job: JobSpec) -> None:
    job.folder.mkdir()
    reader = read_job if name == "job.json" else read_report
    os.mkfifo(job.folder / name)
    with pytest.raises(CacheError, match="no file"):
        reader(job.folder)
    (job.folder / name).unlink()
    (job.folder / name).mkdir()
    with pytest.raises(CacheError, match="no file"):
        reader(job.folder)


@pytest.mark.parametrize("value", [None, 7.5, True, "text", [], {}, [[7]], {"a": 1}])
def test_values_of_another_type_are_refused_or_do_no_harm(value: Any, job: JobSpec) -> None:
    write_job(job)
    path = job.folder / "job.json"
    data = json.loads(path.read_text())
    for place in places_in(data):
        path.write_text(json.dumps(changed(data, place, value)))
        try:
            found, folder = read_job(job.folder)
        except CacheError:
            continue
        write_job(replace(found, folder=job.folder.with_name("other")))
        assert isinstance(folder, Path)


def test_values_that_are_missing_are_refused(job: JobSpec) -> None:
    write_job(job)
    path = job.folder / "job.json"
    data = json.loads(path.read_text())
    for name in data:
        path.write_text(json.dumps(without(data, (name,))))
        with pytest.raises(CacheError):
            read_job(job.folder)


def test_an_option_that_is_not_known_here_is_said(job: JobSpec) -> None:
    write_job(job)
    path = job.folder / "job.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps(changed(data, ("request", "options", "colour"), "red")))
    with pytest.raises(CacheError, match="colour"):
        read_job(job.folder)


def test_a_folder_that_cannot_be_made_is_said(job: JobSpec) -> None:
    job.folder.parent.joinpath("job").write_text("in the way")
    with pytest.raises(CacheError, match="cannot be written"):
        write_job(job)


def test_the_job_is_not_written_through_a_link(job: JobSpec, tmp_path: Path) -> None:
    job.folder.mkdir()
    (tmp_path / "precious").write_text("years of work")
    for name in ("job.json", "report.json", "events.jsonl"):
        (job.folder / name).symlink_to(tmp_path / "precious")
    write_job(job)
    write_report(job.folder, report_of())
    assert (tmp_path / "precious").read_text() == "years of work"
