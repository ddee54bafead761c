"""A command's jobs on a played cluster: submitted, watched, begun anew, stopped, found again."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from slurm_cluster import QUICK, ListQueue

from turnkeyml.errors import UsageError
from turnkeyml_plugin_slurm.observer import SlurmSilentError
from turnkeyml_plugin_slurm.submission import MANIFEST, Entry, Submission


def option(words, name):
    return next(word.partition("=")[2] for word in words if word.startswith(f"{name}="))


def left_behind(folder):
    return [path for path in (folder / "slurm").iterdir() if path.is_dir()]


def test_every_job_is_run_as_a_task_of_one_array_and_reported(cluster, begin, make_job, folder):
    run = begin([make_job(key) for key in "abc"]).to_the_end()
    assert run.endings == dict.fromkeys("abc", "reported")
    assert all(end.report.source.path.name == f"{key}.act" for key, end in run.ends.items())
    assert [option(words, "--array") for words in cluster.submissions()] == ["0-2"]
    assert run.where["b"] == "Slurm job 1_1 on n1"
    assert run.longest_wait_s < 0.5
    assert left_behind(folder) == []


def test_user_data_is_in_no_script_and_in_no_option(cluster, begin, make_job):
    begin([make_job("a; rm -rf ~")]).to_the_end()
    words = cluster.submissions()[0]
    assert not any("rm -rf" in word for word in words)
    assert words[-3].endswith("job.sh") and "--wrap" not in " ".join(words)


def test_jobs_are_submitted_in_chunks_no_larger_than_slurm_allows(cluster, begin, make_job):
    cluster.tell(array_size=3)
    run = begin([make_job(str(n)) for n in range(7)], chunk=5).to_the_end()
    assert len(run.ends) == 7
    sizes = [option(words, "--array") for words in cluster.submissions()]
    assert sizes == ["0-2", "0-2", "0-0"]


def test_jobs_with_other_limits_are_submitted_apart(cluster, begin, make_job):
    jobs = [make_job("a", timeout_s=60), make_job("b", timeout_s=600)]
    begin(jobs).to_the_end()
    assert [option(words, "--time") for words in cluster.submissions()] == ["2", "11"]


def test_no_more_jobs_run_at_once_than_were_asked_for(cluster, begin, make_job):
    keys = [str(n) for n in range(6)]
    cluster.tell(outcomes={key: ["hold"] for key in keys})
    run = begin([make_job(key) for key in keys], chunk=3, max_running=2)
    most = 0
    for _ in range(200):
        assert run.step()
        running = [job for job in cluster.jobs if job["state"] == "RUNNING"]
        most = max(most, len(running))
        if len(run.ends) == 4 and len(running) == 2:
            break
        if len(running) == 2 and len(run.ends) < 4:
            cluster.finish(running[0]["key"])
    assert most == 2
    assert [option(words, "--array") for words in cluster.submissions()] == ["0-2%2", "0-2%1"]
    # The second array got the place that the first one did not need any more.
    assert cluster.calls("scontrol", "update")[-1][-1] == "ArrayTaskThrottle=2"
    for key in keys:
        cluster.finish(key)
    assert set(run.to_the_end().endings.values()) == {"reported"}


@pytest.mark.parametrize(
    ("outcome", "ending", "words"),
    [
        ("TIMEOUT:0:0:started", "timeout", "its time was over"),
        ("DEADLINE", "timeout", "its time was over"),
        ("OUT_OF_MEMORY:0:125:started", "out_of_memory", "more memory than Slurm gave"),
        ("CANCELLED", "cancelled", "was cancelled, and not by turnkey"),
        ("signalled:CANCELLED", "cancelled", "was cancelled, and not by turnkey"),
        ("signalled:TIMEOUT", "timeout", "its time was over"),
        ("signalled:FAILED", "cancelled", "was cancelled"),
        ("FAILED:3:0:started", "exited", "with exit code 3"),
        ("FAILED:0:9:started", "crashed", "SIGKILL"),
        ("FAILED:0:11:started", "crashed", "signal 11"),
    ],
)  # fmt: skip
def test_what_slurm_says_explains_a_job_that_left_no_report(
    cluster, begin, make_job, outcome, ending, words
):
    cluster.tell(outcomes={"bad": [outcome]})
    run = begin([make_job("bad"), make_job("good")]).to_the_end()
    assert run.endings == {"bad": ending, "good": "reported"}
    assert words in run.ends["bad"].message
    assert len(cluster.submissions()) == 1


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [
        ("said:FAILED:crashed", "crashed"),
        ("said:COMPLETED:exited", "exited"),
        ("said:FAILED:lost", "lost"),
        ("said:CANCELLED:lost", "cancelled"),
        ("said:TIMEOUT:crashed", "timeout"),
        ("said:OUT_OF_MEMORY:crashed", "out_of_memory"),
        ("said:CANCELLED:timeout", "timeout"),
        ("said:RUNNING:exited", "exited"),
    ],
)
def test_slurm_adds_what_a_job_that_died_cannot_know(cluster, begin, make_job, outcome, ending):
    cluster.tell(outcomes={"a": [outcome]})
    run = begin([make_job("a")]).to_the_end()
    assert run.endings == {"a": ending}
    assert len(cluster.submissions()) == 1


@pytest.mark.parametrize("outcome", ["NODE_FAIL:0:0:started", "BOOT_FAIL", "PREEMPTED",
                                     "FAILED:127:0",
                                     "signalled:PREEMPTED", "FAILED:0:53"])  # fmt: skip
def test_job_that_is_not_to_blame_is_begun_anew(cluster, begin, make_job, outcome):
    cluster.tell(outcomes={"a": [outcome, outcome, "well"]})
    run = begin([make_job("a"), make_job("b")]).to_the_end()
    assert run.endings == {"a": "reported", "b": "reported"}
    assert len(cluster.submissions()) == 3


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [("NODE_FAIL", "node_failed"), ("PREEMPTED", "preempted"), ("FAILED:66:0", "node_failed")],
)
def test_beginning_anew_has_an_end(cluster, begin, make_job, outcome, ending):
    cluster.tell(outcomes={"a": [outcome]})
    run = begin([make_job("a")], requeues=2).to_the_end()
    assert run.endings == {"a": ending}
    assert len(cluster.submissions()) == 3


def test_job_that_slurm_forgot_is_begun_anew_once(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["forget", "well"], "b": ["forget"]})
    run = begin([make_job("a"), make_job("b")], chunk=1).to_the_end()
    assert run.endings == {"a": "reported", "b": "lost"}
    assert cluster.states()["a"] == "COMPLETED"


def test_waiting_jobs_that_are_cancelled_from_outside_are_not_begun_anew(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["wait"], "b": ["wait"], "c": ["hold"]})
    run = begin([make_job(key) for key in "abc"])
    run.until(lambda: "c" in run.where)
    name = cluster.jobs[0]["name"]
    subprocess.run(["scancel", f"--name={name}", f"{cluster.jobs[0]['array']}_0"], check=True)
    run.until(lambda: "a" in run.ends)
    subprocess.run(["scancel", f"--name={name}", "--state=PENDING"], check=True)
    run.until(lambda: "b" in run.ends)
    cluster.finish("c")
    run.to_the_end()
    assert run.endings == {"a": "cancelled", "b": "cancelled", "c": "reported"}
    assert len(cluster.submissions()) == 1


def test_accounts_explain_what_the_controller_has_forgotten(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["hold"]})
    run = begin([make_job("a")])
    run.until(lambda: "a" in run.where)
    cluster.change("a", known=False, accounted="CANCELLED by 1000")
    assert run.to_the_end().endings == {"a": "cancelled"}


def test_job_that_ended_well_and_left_nothing_here_is_lost(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["COMPLETED:0:0:started"]})
    run = begin([make_job("a")]).to_the_end()
    assert run.endings == {"a": "lost"}
    assert "cannot be seen here" in run.ends["a"].message


def test_result_that_is_seen_late_counts(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["hold"]})
    run = begin([make_job("a")])
    run.until(lambda: "a" in run.where)
    cluster.change("a", state="FAILED")
    for _ in range(3):
        run.step()
    cluster.finish("a")
    assert run.to_the_end().endings == {"a": "reported"}


def test_controller_may_be_away_for_a_while(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["hold"]})
    run = begin([make_job("a")])
    run.until(lambda: "a" in run.where)
    cluster.tell(down=True)
    before = len(cluster.calls("squeue"))
    run.until(lambda: len(cluster.calls("squeue")) > before + 3)
    cluster.finish("a")
    cluster.tell(down=None)
    assert run.to_the_end().endings == {"a": "reported"}
    assert run.longest_wait_s < 0.5


def test_controller_that_is_away_at_the_submission_is_waited_for(cluster, begin, make_job):
    run = begin([make_job("a")])
    cluster.tell(down=True)
    run.until(lambda: len(cluster.calls("scontrol")) > 1)
    cluster.tell(down=None)
    assert run.to_the_end().endings == {"a": "reported"}


def test_controller_that_stays_away_ends_the_command_and_not_the_jobs(
    cluster, begin, make_job, folder
):
    cluster.tell(outcomes={"a": ["hold"]})
    run = begin([make_job("a")], patience=replace(QUICK, silent_s=0.3))
    run.until(lambda: "a" in run.where)
    cluster.tell(down=True)
    with pytest.raises(SlurmSilentError, match="has not answered") as caught:
        run.to_the_end()
    assert "same command finds them again" in caught.value.hint
    assert cluster.states() == {"a": "RUNNING"}
    assert (left_behind(folder)[0] / MANIFEST).exists()


def test_job_whose_submission_was_not_answered_runs_once(cluster, begin, make_job):
    cluster.tell(lose_answer=2, outcomes={"a": ["wait", "wait", "well"]})
    run = begin([make_job("a")]).to_the_end()
    assert run.endings == {"a": "reported"}
    # Slurm had taken the first two: they were cancelled before they began.
    assert [job["state"] for job in cluster.jobs] == ["CANCELLED", "CANCELLED", "COMPLETED"]


def test_where_slurm_takes_fewer_jobs_they_come_in_smaller_arrays(cluster, begin, make_job):
    cluster.tell(full=2)
    run = begin([make_job(str(n)) for n in range(5)], chunk=4).to_the_end()
    assert set(run.endings.values()) == {"reported"} and len(run.ends) == 5


def test_where_slurm_takes_no_job_at_all_it_is_said(cluster, begin, make_job):
    cluster.tell(full=0)
    with pytest.raises(UsageError, match="takes no more jobs of yours"):
        begin([make_job("a")], chunk=2).to_the_end()


def test_options_that_slurm_refuses_end_the_command(cluster, begin, make_job, folder):
    cluster.tell(refuse="Invalid account or account/partition combination specified")
    with pytest.raises(UsageError, match="Invalid account") as caught:
        begin([make_job("a")]).to_the_end()
    assert "--executor-args" in caught.value.hint
    assert left_behind(folder) == []


def test_job_that_can_never_begin_ends_the_command(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["wait:PartitionTimeLimit"]})
    with pytest.raises(UsageError, match="never begin the jobs") as caught:
        begin([make_job("a"), make_job("b")]).to_the_end()
    assert "--timeout" in caught.value.hint
    assert cluster.states() == {"a": "CANCELLED", "b": "COMPLETED"}


def test_stopping_waits_for_what_runs_and_cancels_what_waits(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["hold"], "b": ["wait"]})
    queue = ListQueue([make_job("a"), make_job("b"), make_job("c")])
    run = begin(queue, chunk=2, max_running=2)
    run.until(lambda: "a" in run.where)
    run.stopping.value = True
    run.until(lambda: "b" in run.ends)
    assert run.endings == {"b": "interrupted"}
    cluster.finish("a")
    assert run.to_the_end().endings == {"a": "reported", "b": "interrupted"}
    assert [job.key for job in queue.jobs] == ["c"]


def test_job_that_was_to_be_begun_anew_is_interrupted_when_the_user_stops(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["hold"]})
    run = begin([make_job("a")])
    run.until(lambda: "a" in run.where)
    run.stopping.value = True
    cluster.change("a", state="NODE_FAIL")
    assert run.to_the_end().endings == {"a": "interrupted"}


@pytest.mark.parametrize("how", ["close", "interrupt"])
def test_command_that_ends_early_cancels_all_that_it_has_submitted(
    cluster, begin, make_job, folder, how
):
    cluster.tell(outcomes={"a": ["hold"], "b": ["wait"]})
    run = begin([make_job("a"), make_job("b")])
    run.until(lambda: "a" in run.where)
    if how == "close":
        run.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            run.events.throw(KeyboardInterrupt)
    assert cluster.states() == {"a": "CANCELLED", "b": "CANCELLED"}
    assert left_behind(folder) == []


def test_where_slurm_cannot_be_told_the_jobs_lose_their_manifest_and_are_cancelled_later(
    cluster, begin, make_job, folder
):
    cluster.tell(outcomes={"a": ["hold", "well"]})
    run = begin([make_job("a")], patience=replace(QUICK, cancel_s=0.3))
    run.until(lambda: "a" in run.where)
    cluster.tell(down=True)
    run.close()
    (left,) = left_behind(folder)
    assert not (left / MANIFEST).exists()
    cluster.tell(down=None)
    again = begin([make_job("a")]).to_the_end()
    assert again.endings == {"a": "reported"}
    assert [job["state"] for job in cluster.jobs] == ["CANCELLED", "COMPLETED"]
    assert left_behind(folder) == []


def test_jobs_of_a_command_that_was_killed_are_found_again(cluster, begin, make_job, folder):
    cluster.tell(outcomes={"a": ["hold"], "c": ["wait", "well"]})
    jobs = [make_job(key) for key in "abc"]
    killed = begin(jobs)
    killed.until(lambda: "a" in killed.where)
    killed.die()
    again = begin([make_job(key) for key in "abc"], untouched="abc")
    again.until(lambda: "b" in again.ends)
    cluster.finish("a")
    cluster.tell(outcomes={"a": ["hold"], "c": ["wait", "go"]})
    again.to_the_end()
    assert again.endings == dict.fromkeys("abc", "reported")
    assert len(cluster.submissions()) == 1
    assert left_behind(folder) == []


def test_command_that_was_killed_before_it_knew_the_number_finds_its_jobs(
    cluster, begin, make_job, folder
):
    cluster.tell(outcomes={"a": ["hold"]})
    killed = begin([make_job("a")])
    killed.until(lambda: "a" in killed.where)
    killed.die()
    (left,) = left_behind(folder)
    (left / "number.json").unlink()
    again = begin([make_job("a")], untouched="a")
    again.until(lambda: "a" in again.where)
    cluster.finish("a")
    assert again.to_the_end().endings == {"a": "reported"}
    assert len(cluster.submissions()) == 1


def test_command_that_was_killed_before_it_submitted_submits(cluster, begin, make_job, folder):
    never = Submission.write(folder / "slurm", [Entry.of(make_job("a"))], {})
    run = begin([make_job("a")], untouched="a").to_the_end()
    assert run.endings == {"a": "reported"}
    assert not never.folder.exists()
    assert cluster.calls("scancel") and len(cluster.submissions()) == 1


def test_job_that_has_changed_since_is_submitted_anew(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["hold", "well"]})
    killed = begin([make_job("a", timeout_s=60)])
    killed.until(lambda: "a" in killed.where)
    killed.die()
    again = begin([make_job("a", timeout_s=120)]).to_the_end()
    assert again.endings == {"a": "reported"}
    assert [job["state"] for job in cluster.jobs] == ["CANCELLED", "COMPLETED"]


def test_jobs_that_the_same_command_does_not_want_any_more_are_cancelled(
    cluster, begin, make_job, folder
):
    cluster.tell(outcomes={"a": ["hold"], "b": ["hold"]})
    killed = begin([make_job("a"), make_job("b")])
    killed.until(lambda: len(killed.where) == 2)
    killed.die()
    again = begin([make_job("b")], untouched="b")
    again.until(lambda: "b" in again.where)
    cluster.finish("b")
    assert again.to_the_end().endings == {"b": "reported"}
    assert cluster.states() == {"a": "CANCELLED", "b": "COMPLETED"}
    assert left_behind(folder) == []


def test_recovery_waits_for_the_controller(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["hold"]})
    killed = begin([make_job("a")])
    killed.until(lambda: "a" in killed.where)
    killed.die()
    cluster.tell(down=True)
    again = begin([make_job("a")], untouched="a")
    before = len(cluster.calls("squeue"))
    again.until(lambda: len(cluster.calls("squeue")) > before + 2)
    cluster.tell(down=None)
    again.until(lambda: "a" in again.where)
    cluster.finish("a")
    assert again.to_the_end().endings == {"a": "reported"}
    assert len(cluster.submissions()) == 1


def test_jobs_that_come_later_are_taken_too(cluster, begin, make_job):
    queue = ListQueue([make_job("a")])
    run = begin(queue)
    run.until(lambda: "a" in run.ends)
    queue.jobs.append(replace(make_job("a2"), attempt=2))
    assert run.to_the_end().endings == {"a": "reported", "a2": "reported"}


def test_end_that_cannot_be_read_is_a_lost_job(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["hold"]})
    run = begin([make_job("a")])
    run.until(lambda: "a" in run.where)
    Path(cluster.jobs[0]["folder"], "tasks", "0.ended.json").write_text("{")
    run.to_the_end()
    assert run.endings == {"a": "lost"} and "cannot be read" in run.ends["a"].message
