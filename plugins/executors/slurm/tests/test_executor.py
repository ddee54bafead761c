"""The executor as a command makes it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from turnkeyml.errors import PlanError, UsageError
from turnkeyml.execution.choosing import choose_execution
from turnkeyml.plugins.registry import load_registry
from turnkeyml.request import ExecutionOptions
from turnkeyml_plugin_slurm.executor import SlurmExecutor


def choose(*words):
    options = ExecutionOptions(use_slurm=True, executor_args=words)
    return choose_execution(options, load_registry()).executor


def test_arguments_of_the_command_line_are_taken():
    executor = choose(
        "partition::gpu", "account::lab", "memory::16G", "chunk::50", "max_running::4",
        "sbatch::[--exclusive,--exclude=n1,n2]", "poll_s::2.5", "probe::false", "requeues::0",
    )  # fmt: skip
    assert isinstance(executor, SlurmExecutor)
    assert executor.is_remote and executor.isolates and executor.can_reattach


def test_unknown_argument_is_refused_with_those_that_there_are():
    with pytest.raises(PlanError, match="'queue'") as caught:
        choose("queue::gpu")
    assert "partition" in caught.value.hint


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"chunk": 0}, "chunk must be at least 1, not 0"),
        ({"poll_s": 0.01}, "poll_s must be at least 0.1"),
        ({"max_running": 0}, "max_running must be at least 1"),
        ({"requeues": -1}, "requeues must be at least 0"),
        ({"output_limit_mb": 0}, "output_limit_mb must be at least 1"),
        ({"sbatch": ["--array=1"]}, "turnkey's to set"),
        ({"sbatch": ["exclusive"]}, "no option of sbatch"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_before_anything_runs(
    cluster, setup_of, arguments, words
):
    with pytest.raises(UsageError, match=words):
        SlurmExecutor(**arguments).check(setup_of())
    assert cluster.calls("sbatch") == []


def test_check_asks_slurm_whether_it_would_take_such_jobs(cluster, setup_of):
    SlurmExecutor(partition="gpu", sbatch=["--exclude=n1", "n2"]).check(setup_of())
    (words,) = cluster.calls("sbatch")
    assert {"--test-only", "--partition=gpu", "--exclude=n1,n2"} <= set(words)


def test_host_without_slurm_is_told(setup_of, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="Slurm's command sbatch is not on the PATH") as caught:
        SlurmExecutor().check(setup_of())
    assert "can be submitted" in caught.value.hint


def test_controller_that_is_down_is_told(cluster, setup_of):
    cluster.tell(down=True)
    with pytest.raises(UsageError, match="Slurm does not answer") as caught:
        SlurmExecutor().check(setup_of())
    assert "scontrol ping" in caught.value.hint


def test_what_slurm_refuses_is_told(cluster, setup_of):
    cluster.tell(refuse="Invalid account or account/partition combination specified")
    with pytest.raises(UsageError, match="does not take such jobs: sbatch: .*Invalid account"):
        SlurmExecutor(account="x").check(setup_of())


def command(tmp_path, *inputs):
    return [sys.executable, "-c", "from turnkeyml.cli.main import main; main()", "-i", *inputs,
            "-d", str(tmp_path / "cache"), "--use-slurm", "play"]  # fmt: skip


def test_command_runs_its_inputs_as_jobs(cluster, toys, tmp_path):
    for name, text in {"good": "model a\n", "bad": "exit 3\n"}.items():
        (tmp_path / f"{name}.act").write_text(text)
    words = command(tmp_path, str(tmp_path / "good.act"), str(tmp_path / "bad.act"))
    cluster.tell(real=True)
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    text = done.stdout + done.stderr
    assert done.returncode == 1, text
    assert "good.act: 1 model, 1 successful" in text
    assert "It ended with exit code 3" in text
    assert "Slurm job" in text


def test_command_ends_with_2_where_there_is_no_slurm(toys, tmp_path, monkeypatch):
    (tmp_path / "a.act").write_text("model a\n")
    monkeypatch.setenv("PATH", "/nowhere")
    done = subprocess.run(
        command(tmp_path, str(tmp_path / "a.act")), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "Slurm's command sbatch is not on the PATH" in done.stderr
