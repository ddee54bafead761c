"""The calling thread gets a core of its own, apart from threads of the same process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from turnkeyml.worker import placing

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

# A process of its own: threads that spin without Python's lock, and affinities, outlast a test.
PROGRAM = """
import hashlib, importlib.util, os, sys, threading, time
spec = importlib.util.spec_from_file_location("placing", {file!r})
placing = importlib.util.module_from_spec(spec)
spec.loader.exec_module(placing)
first, second = {cores}

def spin():
    # Hashing much at once lets go of the lock.
    data = bytes(1 << 22)
    while True:
        hashlib.sha256(data).digest()

def neighbour(cores):
    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    os.sched_setaffinity(thread.native_id, cores)

def core_of(thread):
    return int(open(f"/proc/self/task/{{thread}}/stat").read().rpartition(")")[2].split()[36])

os.sched_setaffinity(0, {{first, second}})
{body}
"""


def run(body: str) -> list[str]:
    text = PROGRAM.format(file=str(Path(placing.__file__)), cores=CORES[:2], body=body)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return done.stdout.split()


two_cores = pytest.mark.skipif(len(CORES) < 2, reason="needs two cores")


@two_cores
def test_the_caller_leaves_the_cores_that_others_are_pinned_to_for_good() -> None:
    found = run(
        "neighbour({second})\n"
        "print(placing.place_caller(), placing.caller_cores() == [first],\n"
        "      core_of(os.getpid()) == first, placing.place_caller())"
    )
    assert found == ["True", "True", "True", "False"]


@two_cores
def test_a_caller_that_shares_its_core_is_moved_once_and_may_go_anywhere() -> None:
    found = run(
        "neighbour({first})\n"
        "os.sched_setaffinity(0, {first})\n"
        "os.sched_setaffinity(0, {first, second})\n"
        "thread = [t for t in placing._threads() if t != os.getpid()][0]\n"
        "os.sched_setaffinity(thread, {first, second})\n"
        "placing._running = lambda threads: {t: first for t in threads}\n"
        "print(placing.place_caller(), len(placing.caller_cores()), core_of(os.getpid()) == second)"
    )
    assert found == ["True", "2", "True"]


@two_cores
def test_a_caller_that_has_a_core_of_its_own_or_nowhere_to_go_stays() -> None:
    found = run(
        "print(placing.place_caller())\n"
        "os.sched_setaffinity(0, {first})\n"
        "neighbour({first})\n"
        "print(placing.place_caller(), placing.caller_cores() == [first])"
    )
    assert found == ["False", "False", "True"]


def test_a_core_that_shares_nothing_with_others_is_preferred(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caller, moves = 100, []
    monkeypatch.setattr(placing.threading, "get_native_id", lambda: caller)
    monkeypatch.setattr(placing, "_threads", lambda: {caller, 101})
    monkeypatch.setattr(placing, "_running", lambda threads: {caller: 0, 101: 0})
    monkeypatch.setattr(placing, "_siblings", lambda cpu: {cpu % 4, cpu % 4 + 4})
    monkeypatch.setattr(placing.os, "sched_getaffinity", lambda thread: {0, 1, 4, 5})
    monkeypatch.setattr(placing.os, "sched_setaffinity", lambda t, cores: moves.append((t, cores)))
    assert placing.place_caller()
    # Core 4 is the other half of core 0.
    assert moves == [(caller, {1}), (caller, {0, 1, 4, 5})]


def test_where_threads_cannot_be_placed_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(placing.os, "sched_setaffinity", raising=False)
    assert placing.place_caller() is False
    monkeypatch.delattr(placing.os, "sched_getaffinity", raising=False)
    assert placing.caller_cores() == []
