"""What runs in a Slurm job, run without Slurm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from real_cluster import processes_marked

from turnkeyml.execution.isolated.messages import end_from_json
from turnkeyml.execution.job_folder import write_job
from turnkeyml.execution.reports import JobReport
from turnkeyml_plugin_slurm.states import NOT_SEEN
from turnkeyml_plugin_slurm.submission import Entry, Submission


@pytest.fixture
def start(toys, tmp_path, folder):
    """Starts the program as a batch script does."""

    def run(job, **extra):
        write_job(job)
        more = {"cache_dir": str(tmp_path / "cache"), "output_limit_mb": 5, "watch_s": 0.1}
        submission = Submission.write(folder / "slurm", [Entry.of(job)], {**more, **extra})
        return submission, begin(submission.folder)

    return run


def begin(folder):
    environment = {**os.environ, "SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_JOB_ID": "12",
                   "SLURMD_NODENAME": "n7"}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "turnkeyml_plugin_slurm.task", str(folder)], env=environment
    )


def wait_for(path, seconds=30):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.02)


def test_report_is_left_with_the_submission_as_the_folder_is_the_commands(start, make_job):
    job = make_job("a", "model x\n")
    submission, process = start(job)
    assert process.wait(60) == 0
    assert submission.ended() == {0}
    assert submission.started[0] | {"pid": 0} == {
        "schema": 1, "node": "n7", "array_id": "12", "pid": 0,
    }  # fmt: skip
    content = submission.end(0)
    report = JobReport.from_json(content["report"])
    assert [model.model.name for model in report.models] == ["x"]
    end = end_from_json(content["end"])
    assert end.ending.value == "reported" and end.peak_memory_bytes > 1_000_000


@pytest.mark.parametrize(
    ("text", "ending"),
    [("raise no\n", "reported"), ("exit 3\n", "exited"), ("flood\n", "output_limit")],
)
def test_job_that_failed_is_one_that_failed_for_slurm_too(start, make_job, text, ending):
    submission, process = start(make_job("a", text))
    assert process.wait(60) == 1
    assert submission.end(0)["end"]["ending"] == ending


def test_exact_time_is_kept_and_nothing_is_left(start, make_job, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_MARK_TIME", str(tmp_path))
    submission, process = start(make_job("a", "spawn\n", timeout_s=1.5))
    assert process.wait(60) == 1
    assert submission.end(0)["end"]["ending"] == "timeout"
    assert not processes_marked(f"TOY_MARK_TIME={tmp_path}")


def test_signal_of_slurm_ends_everything_and_slurm_is_to_say_why(
    start, make_job, tmp_path, monkeypatch
):
    monkeypatch.setenv("TOY_MARK_TERM", str(tmp_path))
    submission, process = start(make_job("a", f"note {tmp_path / 'begun'}\nspawn\n"))
    wait_for(tmp_path / "begun")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
    assert submission.end(0)["signalled"] is True
    assert not processes_marked(f"TOY_MARK_TERM={tmp_path}")


@pytest.mark.parametrize("how", ["void", "revoke"])
def test_job_that_nobody_wants_any_more_ends_by_itself(start, make_job, tmp_path, monkeypatch, how):
    monkeypatch.setenv("TOY_MARK_VOID", str(tmp_path))
    submission, process = start(make_job("a", f"note {tmp_path / 'begun'}\nspawn\n"))
    wait_for(tmp_path / "begun")
    submission.void() if how == "void" else submission.revoke(0)
    assert process.wait(20) == 143
    assert submission.ended() == set()
    assert not processes_marked(f"TOY_MARK_VOID={tmp_path}")


def test_job_whose_submission_is_not_there_does_nothing(tmp_path):
    assert begin(tmp_path / "nowhere").wait(30) == NOT_SEEN


def test_job_that_was_revoked_before_it_began_does_nothing(folder, make_job):
    submission = Submission.write(folder / "slurm", [Entry.of(make_job("a"))], {})
    submission.revoke(0)
    assert begin(submission.folder).wait(30) == 143
    assert submission.ended() == set() and submission.started == {}


def test_job_whose_folder_is_gone_is_told(folder, make_job, toys, tmp_path):
    more = {"cache_dir": str(tmp_path / "cache"), "output_limit_mb": 5}
    submission = Submission.write(folder / "slurm", [Entry.of(make_job("a"))], more)
    assert begin(submission.folder).wait(30) == 1
    assert submission.end(0)["end"]["ending"] == "lost"
    assert "job.json" in submission.end(0)["end"]["message"]
