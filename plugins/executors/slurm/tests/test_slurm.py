"""Slurm's commands, and what their answers mean."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from turnkeyml_plugin_slurm.slurm import (
    REST,
    Slurm,
    SlurmAwayError,
    SlurmFullError,
    SlurmRefusedError,
    TaskState,
    escape_pattern,
    own_environment,
)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Makes programs that stand first on the PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name, text):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return make


def test_number_is_read_from_whatever_stands_around_it(program):
    program("sbatch", "echo 'sbatch: a word from the site'; echo '123;here'")
    assert Slurm().submit(["x"]) == 123


def test_answer_without_a_number_may_have_been_a_submission(program):
    program("sbatch", "echo welcome")
    with pytest.raises(SlurmAwayError, match="'welcome', and no number"):
        Slurm().submit(["x"])


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect "
         "failure)", SlurmAwayError, "Unable to contact"),
        ("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
         SlurmAwayError, "Socket timed out"),
        ("sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job "
         "violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
         SlurmFullError, "job submit limit"),
        ("sbatch: error: invalid partition specified: x\nallocation failure: Invalid partition "
         "name specified",
         SlurmRefusedError, "^sbatch: Invalid partition name specified.$"),
        ("sbatch: unrecognized option '--x'\nTry \"sbatch --help\" for more information",
         SlurmRefusedError, "unrecognized option '--x'"),
        ("", SlurmRefusedError, "it gave no reason"),
    ],
)  # fmt: skip
def test_what_may_pass_is_told_from_what_does_not(program, tmp_path, text, kind, words):
    (tmp_path / "text").write_text(text)
    program("sbatch", f"cat {tmp_path / 'text'} >&2; exit 1")
    with pytest.raises(kind, match=words) as caught:
        Slurm().submit(["x"])
    assert type(caught.value) is kind


def test_command_that_hangs_is_a_controller_that_is_away(program):
    program("squeue", "exec sleep 60")
    begun = time.monotonic()
    with pytest.raises(SlurmAwayError, match="did not answer in 0.2 s"):
        Slurm(timeout_s=0.2).tasks(["turnkey-1"])
    assert time.monotonic() - begun < 10


def test_closing_ends_a_command_that_hangs(program):
    program("squeue", "exec sleep 60")
    slurm, errors = Slurm(), []

    def ask():
        try:
            slurm.tasks(["turnkey-1"])
        except (SlurmAwayError, SlurmRefusedError) as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not slurm._running:
        time.sleep(0.01)
    slurm.close()
    thread.join(10)
    assert errors and not thread.is_alive()
    with pytest.raises(SlurmAwayError, match="not asked any more"):
        slurm.tasks(["turnkey-1"])


def test_missing_command_is_told(program, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert Slurm().missing_commands() == ["sbatch", "squeue", "scancel", "scontrol"]
    with pytest.raises(SlurmAwayError, match="cannot be run"):
        Slurm().tasks(["turnkey-1"])


def test_tasks_are_known_by_name_and_index(program):
    program(
        "squeue",
        "echo 'turnkey-1|7|0|RUNNING|n1|None'\n"
        "echo 'turnkey-1|7|12|PENDING||(Nodes down, or | reserved)'\n"
        "echo 'turnkey-1|7|N/A|CANCELLED||None'\necho garbage\necho",
    )
    assert Slurm().tasks(["turnkey-1"]) == {
        ("turnkey-1", 0): TaskState(7, "RUNNING", "n1", "None"),
        ("turnkey-1", 12): TaskState(7, "PENDING", "", "(Nodes down, or | reserved)"),
        ("turnkey-1", REST): TaskState(7, "CANCELLED", "", "None"),
    }


def test_asking_for_nothing_asks_nobody(program):
    program("squeue", "exit 1")
    assert Slurm().tasks([]) == {}


def test_only_jobs_of_the_same_name_are_believed_and_accounts_asked_else(program):
    program("scontrol", "echo 'JobId=7 JobName=other JobState=COMPLETED ExitCode=0:0'")
    program("sacct", "echo '7_0|RUNNING|0:0|n1'; echo '7_1|CANCELLED by 1000|0:15|n2'")
    found = Slurm().explain("turnkey-1", 7, 1)
    assert found == TaskState(7, "CANCELLED", "n2", "", 0, 15)
    program("scontrol", "echo slurm_load_jobs error: Invalid job id specified >&2; exit 1")
    assert Slurm().explain("turnkey-1", 7, 1) == found
    program("sacct", "echo Slurm accounting storage is disabled >&2; exit 1")
    assert Slurm().explain("turnkey-1", 7, 1) is None


def test_record_of_the_controller_is_read(program):
    program("scontrol", "echo 'JobId=8 ArrayJobId=7 JobName=turnkey-1 JobState=FAILED "
            "Reason=NonZeroExitCode ExitCode=3:0 NodeList=n1 Command=/x a=b'")  # fmt: skip
    assert Slurm().explain("turnkey-1", 7, 0) == TaskState(
        7, "FAILED", "n1", "NonZeroExitCode", 3, 0
    )


def test_cancelling_names_user_and_submission_and_bears_what_has_ended(program, tmp_path):
    program("scancel", f"echo \"$@\" >> {tmp_path / 'calls'}; "
            "echo 'scancel: error: Kill job error on job id 7_1: Invalid job id specified' >&2; exit 1")  # fmt: skip # noqa: E501
    Slurm().cancel(["turnkey-1"], task="7_1")
    Slurm().cancel(["turnkey-1", "turnkey-2"], only_waiting=True)
    user = f"--quiet --user={os.getuid()}"
    assert (tmp_path / "calls").read_text().splitlines() == [
        f"{user} --name=turnkey-1 7_1",
        f"{user} --name=turnkey-1 --state=PENDING",
        f"{user} --name=turnkey-2 --state=PENDING",
    ]


def test_cancelling_that_is_refused_is_told(program):
    program("scancel", "echo 'Access/permission denied' >&2; exit 1")
    with pytest.raises(SlurmRefusedError, match="denied"):
        Slurm().cancel(["turnkey-1"])


def test_size_of_arrays_is_asked_for(program):
    program("scontrol", "echo 'MaxArraySize            = 31'")
    assert Slurm().array_size() == 31
    program("scontrol", "echo nothing")
    assert Slurm().array_size() == 1001


def test_jobs_get_the_environment_without_that_of_a_surrounding_job(program, tmp_path, monkeypatch):
    program("sbatch", f"env > {tmp_path / 'env'}; echo 1")
    for name in ("SLURM_JOB_ID", "SLURM_MEM_PER_NODE", "SLURMD_NODENAME", "SBATCH_WAIT",
                 "SBATCH_ARRAY_INX"):  # fmt: skip
        monkeypatch.setenv(name, "1")
    for name in ("SLURM_CONF", "SBATCH_PARTITION", "MINE"):
        monkeypatch.setenv(name, "kept")
    Slurm().submit(["x"])
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert {"SLURM_CONF", "SBATCH_PARTITION", "MINE"} <= names
    assert not names & {"SLURM_JOB_ID", "SLURM_MEM_PER_NODE", "SLURMD_NODENAME", "SBATCH_WAIT",
                        "SBATCH_ARRAY_INX"}  # fmt: skip
    assert "SLURM_JOB_ID" not in own_environment()


def test_answers_do_not_depend_on_the_users_settings(program, tmp_path, monkeypatch):
    program("squeue", f"env > {tmp_path / 'env'}")
    monkeypatch.setenv("SQUEUE_FORMAT", "%i")
    monkeypatch.setenv("SLURM_TIME_FORMAT", "relative")
    Slurm().tasks(["turnkey-1"])
    lines = (tmp_path / "env").read_text().splitlines()
    assert "SLURM_TIME_FORMAT=standard" in lines and "LC_ALL=C" in lines
    assert not [line for line in lines if line.startswith("SQUEUE_")]


def test_percent_in_a_path_is_no_pattern():
    assert escape_pattern(Path("/a/100%j")) == "/a/100%%j"
