"""What is written down of submissions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from turnkeyml.inputs import Source
from turnkeyml.request import GlobalOptions
from turnkeyml_plugin_slurm.submission import (
    MANIFEST,
    SCHEMA,
    Entry,
    Submission,
    earlier_submissions,
    end_file,
    fingerprint,
    read_json,
    start_file,
    write_json,
)


@pytest.fixture
def submission(tmp_path, make_job):
    return Submission.write(
        tmp_path / "slurm", [Entry.of(make_job("a")), Entry.of(make_job("b"))], {}
    )


def test_what_was_written_is_read_again(submission):
    submission.keep_number(12)
    again = Submission.read(submission.folder)
    assert (again.entries, again.number, again.name) == (
        submission.entries, 12, submission.folder.name,
    )  # fmt: skip


def test_names_are_never_the_same(tmp_path):
    names = {Submission.write(tmp_path, [], {}).name for _ in range(20)}
    assert len(names) == 20


def test_starts_and_ends_are_seen_and_half_files_are_not(submission):
    write_json(start_file(submission.folder, 0), {"schema": SCHEMA, "node": "n1"})
    write_json(start_file(submission.folder, 1), {"schema": SCHEMA, "node": "n2"})
    write_json(end_file(submission.folder, 1), {"schema": SCHEMA, "x": 1})
    (submission.folder / "tasks" / ".tmp-0011-0.ended.json").write_text("{")
    assert submission.ended() == {1}
    assert {index: start["node"] for index, start in submission.started.items()} == {
        0: "n1", 1: "n2",
    }  # fmt: skip
    assert submission.end(1)["x"] == 1


def test_voided_submission_is_not_found_but_its_folder_is(submission):
    root = submission.folder.parent
    (found,), given_up = earlier_submissions(root)
    assert found.name == submission.name and given_up == []
    submission.void()
    submission.void()
    assert earlier_submissions(root) == ([], [submission.folder])
    submission.remove()
    assert earlier_submissions(root) == ([], [])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99, "jobs": []}', '{"schema": 1}',
                                  '{"schema": 1, "jobs": [{"key": 1}]}'])  # fmt: skip
def test_damaged_manifest_is_a_submission_that_was_given_up(submission, text):
    (submission.folder / MANIFEST).write_text(text)
    assert Submission.read(submission.folder) is None


def test_revoked_task_stays_revoked(submission):
    submission.revoke(1)
    again = Submission.read(submission.folder)
    assert (again.is_revoked(0), again.is_revoked(1)) == (False, True)


def test_fingerprint_is_of_what_a_job_does_and_not_of_what_is_said_about_it(make_job):
    job = make_job("a")
    request = job.request
    failed = replace(request.options, skip_policy="failed")
    same = [
        replace(job, attempt=3),
        replace(job, request=replace(request, title="other")),
        replace(job, request=replace(request, options=replace(request.options, explain=True))),
        replace(job, request=replace(request, options=failed)),
    ]  # fmt: skip
    assert {fingerprint(one) for one in same} == {fingerprint(job)}
    others = [
        replace(job, without=("m",)),
        replace(job, limits=replace(job.limits, timeout_s=1.0)),
        replace(job, source=Source(job.source.path, parameters={"batch": "2"})),
        replace(job, request=replace(request, steps=["play", "play"])),
        replace(job, request=replace(request, options=GlobalOptions(rebuild="always"))),
    ]
    assert len({fingerprint(one) for one in [job, *others]}) == 6


def test_file_of_another_version_is_refused(tmp_path):
    write_json(tmp_path / "x.json", {"schema": 2})
    with pytest.raises(ValueError, match="not of this version"):
        read_json(tmp_path / "x.json")
