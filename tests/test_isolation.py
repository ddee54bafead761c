"""Scripts that misbehave: the others go on, each failure has its name, and nothing is left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import misbehaving
import psutil
import pytest

MARK = "TURNKEY_TEST_SWEEP"


def left_behind(mark: str) -> list[psutil.Process]:
    """Find processes that a command has left, by a variable that they inherit."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    """A mark on all processes of a test; none may be left at its end."""
    yield str(tmp_path)
    deadline = time.monotonic() + 5
    while (left := left_behind(str(tmp_path))) and time.monotonic() < deadline:
        time.sleep(0.05)
    told = [str(process) for process in left]
    for process in left:
        process.kill()
    assert not told


def reports_of(cache: Path) -> dict[str, dict]:
    """Read what the journal of the only command says, by the input's path."""
    (journal,) = cache.glob(".commands/*/journal.jsonl")
    # Where a command was cut off, the next one leaves a line empty.
    events = [json.loads(line) for line in journal.read_text().splitlines() if line]
    ended = [event["report"] for event in events if event["event"] == "ended"]
    assert len(ended) == len({json.dumps(report["source"]) for report in ended}), "done twice"
    return {report["source"]["path"]: report for report in ended}


def good_builds(reports: Mapping[str, dict]) -> int:
    """Count the models that went well."""
    models = [model for report in reports.values() for model in report["models"]]
    return sum(model["status"] == "successful" for model in models)


def check_sweep(turnkey, mark: str, *, good: int, copies: int, timeout: int, words: list[str]):
    scripts = misbehaving.write_good(turnkey.folder / "good", good)
    bad = misbehaving.write_bad(turnkey.folder / "bad", copies)
    inputs = [*scripts, *bad]
    random.Random(0).shuffle(inputs)
    listed = turnkey.folder / "inputs.txt"
    listed.write_text("\n".join(map(str, inputs)))
    limits = ["--timeout", timeout, "--memory-limit", "2GB"]
    done = turnkey("-i", listed, *limits, *words, env={MARK: mark}, timeout=1800)
    assert done.returncode == 1, done.stderr[-3000:]
    reports = reports_of(turnkey.cache)
    assert len(reports) == len(inputs)
    assert good_builds(reports) == good
    for path, kind in bad.items():
        error = reports[str(path)]["error"]
        assert error is not None, path.name
        assert kind.words in error["message"], (path.name, error)
        if kind.ending is not None:
            assert error["ending"] == kind.ending, (path.name, error)
    assert f"{good} went well, {len(bad)} inputs broke" in done.stderr


def test_every_kind_of_misbehaviour_has_its_name_and_harms_nobody(turnkey, mark):
    words = ["--jobs", "2", "discover"]
    check_sweep(turnkey, mark, good=6, copies=1, timeout=25, words=words)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_inputs_of_which_thirty_three_misbehave(turnkey, mark):
    words = ["--jobs", "2", "discover", "export-pytorch"]
    check_sweep(turnkey, mark, good=167, copies=3, timeout=45, words=words)


def test_killed_with_all_its_work_leaves_no_process_and_goes_on(turnkey, mark):
    scripts = misbehaving.write_good(turnkey.folder / "good", 3)
    slow = turnkey.script("slow.py", "import time\ntime.sleep(100_000)")
    words = ["-i", *scripts, slow, "--process-isolation", "--timeout", 30, "discover"]
    command = [*turnkey.command, *map(str, words)]
    process = subprocess.Popen(
        command,
        cwd=turnkey.folder,
        env=turnkey.environment(**{MARK: mark}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not any(b"slow" in path.read_bytes() for path in journals(turnkey)):
        assert time.monotonic() < deadline, "the slow one was never begun"
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    while left_behind(mark):
        assert time.monotonic() < deadline, "processes were left behind"
        time.sleep(0.05)
    slow.write_text("import torch\ntorch.nn.Linear(2, 2)(torch.ones(1, 2))\n")
    again = turnkey(*words, env={MARK: mark})
    assert again.returncode == 0, again.stderr
    assert "3 of 4 inputs have ended" in again.stderr
    assert good_builds(reports_of(turnkey.cache)) == 4


def journals(turnkey) -> list[Path]:
    """Give the files that say which job has begun."""
    return list(turnkey.cache.glob(".commands/*/jobs/*/job.json"))


def test_two_builds_side_by_side_and_a_benchmark_alone(turnkey, mark):
    scripts = misbehaving.write_good(turnkey.folder / "good", 3)
    words = ["--jobs", 2, "discover", "export-pytorch", "benchmark", "--iterations", 20]
    done = turnkey("-i", *scripts, *words, env={MARK: mark})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Successfully benchmarked") == 3
