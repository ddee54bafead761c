"""The same on a real Slurm, which is started by ``.ci/slurm.sh``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from real_cluster import processes_marked

from turnkeyml.errors import UsageError
from turnkeyml_plugin_slurm.arguments import JobArguments
from turnkeyml_plugin_slurm.executor import SlurmExecutor
from turnkeyml_plugin_slurm.settings import Patience

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

USUAL = Patience(poll_s=1.0, settle_s=3.0, lost_s=20.0, retry_s=2.0)
SMALL = JobArguments(memory="300M")


@pytest.fixture
def mark(monkeypatch, tmp_path):
    """A variable that all processes of the jobs have."""
    name = f"SLURM_TEST_{tmp_path.name}".replace("SLURM_", "TOY_")
    monkeypatch.setenv(name, "1")
    yield f"{name}=1"
    end = time.monotonic() + 15
    while left := processes_marked(f"{name}=1"):
        assert time.monotonic() < end, f"left behind: {left}"
        time.sleep(0.2)


def number_of(run, key):
    return run.where[key].split()[2]


def test_job_over_its_time_is_ended_by_its_own_supervisor(real, begin, make_job, mark):
    jobs = [make_job("slow", "spawn\n", timeout_s=2), make_job("good", timeout_s=2000)]
    begun = time.monotonic()
    run = begin(jobs, patience=USUAL, arguments=SMALL).to_the_end(90)
    assert run.endings == {"slow": "timeout", "good": "reported"}
    assert "longer than 2 s" in run.ends["slow"].message
    assert time.monotonic() - begun < 60


def test_job_over_slurms_own_time_is_a_timeout_too(real, begin, make_job, mark):
    run = begin([make_job("a", "spawn\n", timeout_s=3000)], patience=USUAL, arguments=SMALL)
    run.until(lambda: "a" in run.where, 60)
    real.ask("scontrol", "update", f"JobId={number_of(run, 'a')}", "EndTime=now+2")
    run.to_the_end(120)
    assert run.endings == {"a": "timeout"}, run.ends["a"]
    assert "its time was over" in run.ends["a"].message


def test_job_over_its_memory_is_out_of_memory(real, begin, make_job, mark):
    """By our limit, and by Slurm's."""
    by_us = make_job("us", "hog 2000\n", memory_bytes=200_000_000)
    run = begin([by_us], patience=USUAL).to_the_end(90)
    assert run.endings == {"us": "out_of_memory"}
    assert "more than the limit of 200 MB" in run.ends["us"].message
    if "cgroup" not in real.ask("scontrol", "show", "config").partition("TaskPlugin ")[2][:40]:
        pytest.skip("this Slurm has no control groups, so that it does not see memory")
    by_slurm = make_job("slurm", "hog 2000\n")
    run = begin([by_slurm], patience=USUAL, arguments=JobArguments(memory="200M")).to_the_end(90)
    assert run.endings == {"slurm": "out_of_memory"}
    assert "--executor-args memory::" in run.ends["slurm"].hint


def test_job_that_is_cancelled_from_outside_is_told_apart(real, begin, make_job, mark):
    jobs = [make_job("running", "spawn\n"), make_job("good", "sleep 3\nmodel a\n")]
    run = begin(jobs, patience=USUAL, arguments=SMALL)
    run.until(lambda: len(run.where) == 2, 60)
    real.ask("scancel", number_of(run, "running"))
    run.to_the_end(90)
    assert run.endings == {"running": "cancelled", "good": "reported"}, run.ends["running"]


def test_waiting_job_that_is_cancelled_from_outside_is_told_apart(real, begin, make_job, mark):
    run = begin([make_job("a"), make_job("b")], patience=USUAL,
                arguments=JobArguments(memory="300M", more=("--begin=now+1hour",)))  # fmt: skip
    run.until(lambda: run.session._tasks, 60)
    number = run.session._tasks[0].submission.number
    real.ask("scancel", f"{number}_0")
    run.until(lambda: "a" in run.ends, 60)
    assert run.endings == {"a": "cancelled"}
    run.close()
    real.wait_until_idle()


def test_job_whose_node_dies_is_begun_anew_on_another(real, begin, make_job, tmp_path, mark):
    go, runs = tmp_path / "go", tmp_path / "runs"
    text = f"note {runs}\nawait {go}\nmodel a\n"
    run = begin([make_job("a", text)], patience=USUAL, arguments=SMALL)
    run.until(lambda: "a" in run.where and runs.exists(), 60)
    node = run.where["a"].rpartition(" ")[2]
    try:
        real.kill_node(node)
        first = run.where.pop("a")
        run.until(lambda: "a" in run.where, 200)
        assert run.where["a"] != first and not run.where["a"].endswith(node)
        go.touch()
        assert run.to_the_end(90).endings == {"a": "reported"}
        assert len(runs.read_text().splitlines()) == 2
    finally:
        real.start_node(node)
    real.wait_until_idle()


def test_job_that_is_preempted_is_begun_anew(real, begin, make_job, tmp_path, mark):
    go, runs = tmp_path / "go", tmp_path / "runs"
    text = f"note {runs}\nawait {go}\nmodel a\n"
    run = begin([make_job("a", text)], patience=USUAL, arguments=SMALL)
    run.until(lambda: "a" in run.where and runs.exists(), 60)
    first = run.where.pop("a")
    node = first.rpartition(" ")[2]
    urgent = real.ask("sbatch", "--parsable", "--partition=urgent", f"--nodelist={node}",
                      "--exclusive", "--output=/dev/null", "--wrap=sleep 3").strip()  # fmt: skip
    run.until(lambda: "a" in run.where, 100)
    assert run.where["a"] != first
    go.touch()
    assert run.to_the_end(90).endings == {"a": "reported"}
    assert len(runs.read_text().splitlines()) == 2
    assert f"JobId={urgent} " in real.ask("scontrol", "-o", "show", "job", urgent)
    real.wait_until_idle()


def test_controller_may_restart_in_the_middle(real, begin, make_job, tmp_path, mark):
    go = tmp_path / "go"
    jobs = [make_job(f"{n}", f"await {go}\nmodel a\n") for n in range(6)]
    run = begin(jobs, patience=USUAL, arguments=SMALL)
    run.until(lambda: len(run.where) >= 2, 60)
    real.stop_controller()
    try:
        until = time.monotonic() + 12
        run.until(lambda: time.monotonic() > until, 60)
        go.touch()
        until = time.monotonic() + 8
        run.until(lambda: time.monotonic() > until, 60)
    finally:
        real.start_controller()
    run.to_the_end(200)
    assert set(run.endings.values()) == {"reported"} and len(run.ends) == 6
    assert run.longest_wait_s < 1


def test_job_that_the_controller_forgets_is_submitted_again(real, begin, make_job, tmp_path, mark):
    """A controller that is killed right after a submission may not have written it down."""
    runs = tmp_path / "runs"
    jobs = [make_job(f"{n}", f"note {runs}\nmodel a\n") for n in range(3)]
    run = begin(jobs, patience=USUAL, arguments=SMALL)
    run.until(lambda: run.session._tasks, 60)
    number = run.session._tasks[0].submission.number
    real.stop_controller(signal.SIGKILL)
    real.start_controller(first_number=number + 100)
    run.to_the_end(200)
    assert set(run.endings.values()) == {"reported"} and len(run.ends) == 3
    real.wait_until_idle()


def test_controller_that_is_away_when_the_user_stops_at_once(real, begin, make_job, mark):
    """Nobody can cancel the jobs; they end because nobody wants them any more."""
    run = begin([make_job("a", "spawn\n")], arguments=SMALL,
                patience=Patience(poll_s=1.0, cancel_s=3.0, watch_s=1.0))  # fmt: skip
    run.until(lambda: "a" in run.where, 60)
    real.stop_controller()
    try:
        run.close()
        end = time.monotonic() + 20
        while processes_marked(mark):
            assert time.monotonic() < end
            time.sleep(0.2)
    finally:
        real.start_controller()
    real.wait_until_idle()


def test_cache_that_the_nodes_do_not_see_is_said_before_anything_runs(
    real, begin, make_job, monkeypatch, tmp_path
):
    job = make_job("a")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(UsageError, match=r"has no /nowhere/python\.") as caught:
        begin([job], probe=True, patience=USUAL, arguments=SMALL).to_the_end(60)
    assert "Install turnkey" in caught.value.hint


def test_limit_of_the_partition_is_told_and_nothing_waits_for_ever(real, begin, make_job):
    arguments = JobArguments(partition="short", memory="300M")
    with pytest.raises(UsageError, match="PartitionTimeLimit") as caught:
        begin([make_job("a", timeout_s=600)], arguments=arguments, patience=USUAL).to_the_end(60)
    assert "--timeout" in caught.value.hint
    real.wait_until_idle()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"partition": "nowhere"}, "Invalid partition name"),
        ({"memory": "9999G"}, "Requested node configuration is not available"),
        ({"sbatch": ["--gres=unicorn:1"]}, "gres"),
        ({"sbatch": ["--no-such-option"]}, "no-such-option"),
    ],
)
def test_check_tells_what_slurm_refuses(real, setup_of, arguments, words):
    with pytest.raises(UsageError, match=words):
        SlurmExecutor(**arguments).check(setup_of())
    SlurmExecutor(partition="test").check(setup_of())


def command(tmp_path, inputs, *more):
    return [sys.executable, "-c", "from turnkeyml.cli.main import main; main()", "-i", *inputs,
            "-d", str(tmp_path / "cache"), "--use-slurm", *more, "play"]  # fmt: skip


def test_command_that_is_killed_finds_its_jobs_again(real, tmp_path, mark):
    go, runs = tmp_path / "go", tmp_path / "runs"
    runs.mkdir()
    inputs = []
    for n in range(8):
        wait = f"await {go}\n" if n % 2 else ""
        path = tmp_path / f"{n}.act"
        path.write_text(f"note {runs / str(n)}\n{wait}model m{n}\n")
        inputs.append(str(path))
    words = command(tmp_path, inputs, "--executor-args", "memory::300M")
    for _ in range(2):
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        end = time.monotonic() + 90
        while len(list(runs.iterdir())) < 4:
            assert time.monotonic() < end and process.poll() is None, process.stdout.read()
            time.sleep(0.1)
        time.sleep(1)
        process.kill()
        process.communicate()
    # It has time to end while nobody looks.
    go.touch()
    time.sleep(3)
    done = subprocess.run(words, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 inputs" in done.stdout + done.stderr or "Woohoo" in done.stdout
    counts = {path.name: len(path.read_text().splitlines()) for path in runs.iterdir()}
    assert counts == {str(n): 1 for n in range(8)}
    assert not list((tmp_path / "cache" / ".commands").glob("*/slurm/turnkey-*"))


def test_forty_inputs_of_which_ten_misbehave(real, tmp_path, mark):
    bad = {
        "raise": "raise no\n",
        "exit": "exit 3\n",
        "segfault": "segfault\n",
        "hog": "hog 3000\n",
        "hang": "sleep 3600\n",
        "spawn": "spawn\n",
        "flood": "flood\n",
        "parricide": "parricide\n",
        "raise2": "model ok\nraise no\n",
        "deletion": f"deletion {tmp_path / 'cache'}\nexit 4\n",
    }
    inputs = []
    for n in range(40):
        name = list(bad)[n // 4] if n % 4 == 1 else f"good{n}"
        path = tmp_path / f"{name}.act"
        path.write_text(bad.get(name, f"model m{n}\n"))
        inputs.append(str(path))
    more = ["--timeout", "20", "--memory-limit", "250MB", "--executor-args", "output_limit_mb::20"]
    done = subprocess.run(
        command(tmp_path, inputs, *more), capture_output=True, text=True, timeout=550
    )
    text = done.stdout + done.stderr
    assert done.returncode == 1, text
    (journal,) = (tmp_path / "cache" / ".commands").glob("*/journal.jsonl")
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    ends = {
        Path(event["report"]["source"]["path"]).stem: event
        for event in events
        if event["event"] == "ended"
    }
    endings = {name: event["ending"] for name, event in ends.items()}
    assert {endings.pop(f"good{n}") for n in range(40) if n % 4 != 1} == {"reported"}
    assert endings == {
        "raise": "reported", "exit": "exited", "segfault": "crashed", "hog": "out_of_memory",
        "hang": "timeout", "spawn": "timeout", "flood": "output_limit", "parricide": "lost",
        "raise2": "reported", "deletion": "exited",
    }, text  # fmt: skip
    assert events[-1]["event"] == "finished"
    assert not real.ask("squeue", "-h")


def test_ctrl_c_cancels_everything(real, tmp_path, mark):
    path = tmp_path / "a.act"
    path.write_text(f"note {tmp_path / 'begun'}\nspawn\n")
    words = command(tmp_path, [str(path)], "--executor-args", "memory::300M")
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = time.monotonic() + 60
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < end and process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 130, text
    assert not real.ask("squeue", "-h")
