"""Who descends from whom, and what the kernel counts."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from turnkeyml.execution.isolated import processes, system
from turnkeyml.execution.isolated.logs import shorten
from turnkeyml.execution.isolated.memory import MemoryMeter
from turnkeyml.execution.isolated.processes import Descendants, Process, is_stopped
from turnkeyml.execution.isolated.system import OutOfMemoryKills

GROWS = "x = b'x' * {}; print('ready', flush=True); input()"


NESTED = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("ready", flush=True)
    time.sleep(60)
else:
    os.wait()
"""


def test_descendants_are_found_however_deep(start) -> None:
    mine = Descendants(os.getpid())
    before = {process.pid for process in mine.find()}
    child = start(NESTED)
    found = {process.pid: process for process in mine.find() if process.pid not in before}
    assert len(found) == 3
    assert found[child.pid].parent == os.getpid()
    assert {process.pid for process in Descendants(child.pid).find()} == set(found) - {child.pid}
    processes._kill(list(found.values()), os.getpgrp())
    child.wait()
    deadline = time.monotonic() + 5
    while {process.pid for process in mine.find()} - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert {process.pid for process in mine.find()} <= before


def table(*pairs: tuple[int, int]) -> dict[int, Process]:
    return {pid: Process(pid, parent, pid) for pid, parent in pairs}


def test_one_whose_parent_ended_meanwhile_is_no_stranger() -> None:
    found, strangers = processes._below(5, table((1, 0), (6, 5), (7, 6), (9, 8), (10, 9), (3, 1)))
    assert found == [6, 7]
    assert strangers == {1, 3}
    found, strangers = processes._below(5, table((9, 5), (10, 9), (11, 3)), strangers)
    assert found == [9, 10]
    assert strangers == {1, 3, 11}


def test_one_that_was_stopped_is_told_from_one_that_waits(start) -> None:
    child = start(GROWS.format(10))
    assert not is_stopped(child.pid)
    child.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED)
    assert is_stopped(child.pid)
    assert not is_stopped(2**22 + 1)


def test_without_proc_the_program_ps_is_asked(
    start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = start(GROWS.format(10))
    program = tmp_path / "ps"
    program.write_text(
        f"#!/bin/sh\necho '    1     0     1  9000'\necho '{os.getpid()} 1 1 8000'\n"
        f"echo '{child.pid} {os.getpid()} 77 4000'\necho '99999 1 99999 3000'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(processes, "IS_LINUX", False)
    (found,) = Descendants(os.getpid()).find()
    assert found == Process(child.pid, os.getpid(), 77, 4096000)
    assert MemoryMeter().measure([found], 0) == 4096000


@pytest.mark.parametrize(
    ("cgroup", "file", "text"),
    [
        ("0::/a/b", "a/b/memory.events", "low 0\noom 2\noom_kill 3\n"),
        ("0::/", "unified/memory.events", "oom_kill 3\n"),
        ("5:cpu:/x\n4:memory:/a", "memory/a/memory.oom_control", "under_oom 0\noom_kill 3\n"),
        ("4:cpu,memory:/host/a\n0::/", "memory/memory.oom_control", "oom_kill 3\n"),
    ],
)
def test_the_kernel_s_counters_are_found_in_either_version_of_control_groups(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cgroup: str, file: str, text: str
) -> None:
    (tmp_path / "cgroup").write_text(cgroup)
    (tmp_path / "fs" / file).parent.mkdir(parents=True)
    (tmp_path / "fs" / file).write_text(text)
    (tmp_path / "vmstat").write_text("nr_free_pages 7\noom_kill 11\n")
    monkeypatch.setattr(system, "_CGROUP", tmp_path / "fs")
    monkeypatch.setattr(system, "_OWN_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(system, "_VMSTAT", tmp_path / "vmstat")
    assert OutOfMemoryKills.count() == OutOfMemoryKills(3, 11)


def test_without_counters_nothing_is_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("_CGROUP", "_OWN_GROUPS", "_VMSTAT"):
        monkeypatch.setattr(system, name, tmp_path / "missing")
    assert OutOfMemoryKills.count() == OutOfMemoryKills(0, 0)


def test_a_long_log_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"first\n" + b"x" * 5_000_000 + b"\nlast")
    shorten(str(log))
    text = log.read_bytes()
    assert text.startswith(b"first\nxxx")
    assert text.endswith(b"xxx\nlast")
    assert len(text) < 1_200_000
    taken = 5_000_011 - (1 << 16) - (1 << 20)
    assert b"turnkey took out %d bytes here" % taken in text
    shorten(str(log))
    log.write_bytes(b"short")
    shorten(str(log))
    assert log.read_bytes() == b"short"
    shorten(str(tmp_path / "missing"))
