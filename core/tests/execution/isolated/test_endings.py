"""However a job ends, it is told what happened, and nothing of it is left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import textwrap
import time
from pathlib import Path

import pytest
from isolated_sweep import Sweeper, wait_for

MODES = pytest.mark.parametrize("fresh", [False, True], ids=["warm", "fresh"])

ROUGH = {
    "good": "print('fine')",
    "raises": "raise ValueError('not today')",
    "exits": "import os; os._exit(7)",
    "segfault": "import ctypes; ctypes.string_at(0)",
    "aborts": "import os; os.abort()",
    "terminated": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "interrupted": "raise KeyboardInterrupt",
    "deletes": "import shutil; shutil.rmtree('cache/job 8')",
    "parricide": "import os, time; os.kill(os.getppid(), 9); time.sleep(60)",
    "freezes": "import os, signal; os.kill(os.getppid(), signal.SIGSTOP); print('went on')",
}


@MODES
def test_every_ending_is_told_from_the_others(sweep: Sweeper, fresh: bool) -> None:
    for name, text in ROUGH.items():
        sweep.script(name, text)
    done = sweep.run(arguments={"fresh": fresh}, jobs=2)
    assert done.endings == {
        "good": "reported",
        "raises": "reported",
        "exits": "exited",
        "segfault": "crashed",
        "aborts": "crashed",
        "terminated": "crashed",
        "killed": "out_of_memory",
        "interrupted": "crashed",
        "deletes": "exited",
        "parricide": "lost",
        "freezes": "reported",
    }
    ends = done.ends
    assert ends["good"]["failed"] is False
    assert "not today" in ends["raises"]["error"]
    assert ends["exits"]["message"] == "It ended with exit code 7 before it was done."
    assert ends["segfault"]["message"] == "It crashed: segmentation fault (SIGSEGV)."
    assert ends["aborts"]["message"] == "It crashed: aborted (SIGABRT)."
    assert "terminated (SIGTERM)" in ends["terminated"]["message"]
    assert "interrupt (SIGINT)" in ends["interrupted"]["message"]
    assert "probably" in ends["killed"]["message"]
    assert "folder was deleted" in ends["deletes"]["message"]
    assert "watched over it" in ends["parricide"]["message"]
    assert done.value("waits") < 1
    (log,) = (sweep.folder / "cache" / ".logs").glob("segfault-*.txt")
    assert "Fatal Python error: Segmentation fault" in log.read_text()
    assert "segfault.py" in log.read_text()
    for name, end in ends.items():
        if end["ending"] != "reported":
            assert end["hint"], name
            assert end["message"].endswith("."), name


# Each of these leaves processes that hang: in sessions of their own, as orphans, without our mark
# in their environment, or going on to start others.
FAMILIES = {
    "child": "import subprocess; subprocess.Popen(['sleep', '60'])",
    "daemon": """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(60)
            os._exit(0)
    """,
    "nameless": """
        import subprocess
        subprocess.Popen(['sleep', '60'], env={}, start_new_session=True)
    """,
    "hopping": """
        import os, time
        if os.fork() == 0:
            end = time.monotonic() + 60
            while time.monotonic() < end:
                if os.fork() != 0:
                    os._exit(0)
    """,
    "deaf": """
        import os, signal, time
        if os.fork() == 0:
            for number in range(1, 65):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            time.sleep(60)
    """,
}


@MODES
def test_nothing_is_left_of_a_job_that_ended(sweep: Sweeper, fresh: bool) -> None:
    for name, text in FAMILIES.items():
        sweep.script(name, text)
    before = sleepers()
    done = sweep.run(arguments={"fresh": fresh}, jobs=2)
    assert set(done.endings.values()) == {"reported"}
    assert sleepers() <= before


@MODES
def test_nothing_is_left_of_a_job_that_hung(sweep: Sweeper, fresh: bool) -> None:
    for name, text in FAMILIES.items():
        sweep.script(name, textwrap.dedent(text) + "\nimport time; time.sleep(60)")
    before, start = sleepers(), time.monotonic()
    done = sweep.run(arguments={"fresh": fresh}, jobs=5, timeout_s=1)
    assert time.monotonic() - start < 8
    assert set(done.endings.values()) == {"timeout"}
    assert done.ends["daemon"]["message"] == "It took longer than 1 s and was ended."
    assert "--timeout" in done.ends["daemon"]["hint"]
    assert sleepers() <= before


def sleepers() -> set[int]:
    """All processes ``sleep 60`` on this machine, whatever their environment."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes() == b"sleep\0" + b"60\0":
                found.add(int(path.parent.name))
    return found


@MODES
def test_memory_of_all_processes_of_a_job_counts(sweep: Sweeper, fresh: bool) -> None:
    sweep.script("alone", "x = [b'x' * 10**6 for _ in range(1000)]\nimport time; time.sleep(60)")
    sweep.script(
        "together",
        """
        import os, time
        for _ in range(5):
            if os.fork() == 0:
                x = b"x" * (60 * 10**6)
                time.sleep(60)
        time.sleep(60)
        """,
    )
    sweep.script(
        "sharing",
        """
        import os, time
        x = b"x" * (60 * 10**6)
        children = []
        for _ in range(5):
            children.append(os.fork())
            if children[-1] == 0:
                time.sleep(1)
                os._exit(0)
        for child in children:
            os.waitpid(child, 0)
        """,
    )
    done = sweep.run(arguments={"fresh": fresh}, jobs=3, memory_bytes=200 * 10**6)
    assert done.endings == {
        "alone": "out_of_memory",
        "together": "out_of_memory",
        "sharing": "reported",
    }
    assert "more than the limit of 200 MB" in done.ends["together"]["message"]
    assert "--memory-limit" in done.ends["alone"]["hint"]
    assert done.ends["together"]["peak"] > 200 * 10**6
    assert 60 * 10**6 < done.ends["sharing"]["peak"] < 150 * 10**6


def test_a_short_peak_is_seen(sweep: Sweeper) -> None:
    sweep.script("peaks", "x = b'x' * 150_000_000; del x; import time; time.sleep(0.5)")
    sweep.script("small", "print('fine')")
    ends = sweep.run().ends
    assert ends["peaks"]["peak"] > 150_000_000
    assert ends["small"]["peak"] < 100_000_000


@MODES
def test_a_job_that_prints_without_end_is_ended(sweep: Sweeper, fresh: bool) -> None:
    sweep.script("babbles", "import os\nwhile True: os.write(1, b'blah blah blah\\n' * 10000)")
    sweep.script(
        "babbles_by_others",
        """
        import subprocess
        subprocess.run(["yes"])
        """,
    )
    sweep.script(
        "writes_data",
        """
        import subprocess
        with open("data.bin", "wb") as file:
            subprocess.run(["head", "-c", "30000000", "/dev/zero"], stdout=file)
        """,
    )
    start = time.monotonic()
    done = sweep.run(arguments={"fresh": fresh, "output_limit_mb": 20}, jobs=1)
    assert time.monotonic() - start < 8
    assert done.endings == {
        "babbles": "output_limit",
        "babbles_by_others": "output_limit",
        "writes_data": "reported",
    }
    assert "more than 20 MB" in done.ends["babbles"]["message"]
    logs = list((sweep.folder / "cache" / ".logs").glob("babbles-*.txt"))
    assert len(logs) == 1
    text = logs[0].read_text()
    assert len(text) < 2 * 10**6
    assert text.startswith("blah blah") and "turnkey took out" in text
    assert str(logs[0]) in done.ends["babbles"]["hint"]
    assert (sweep.folder / "data.bin").stat().st_size == 30_000_000


def test_a_timeout_ends_a_job_within_a_second(sweep: Sweeper) -> None:
    sweep.script("hangs", "import time; time.sleep(60)")
    with sweep.started(timeout_s=1.5) as process:
        times = {}
        for line in process.stdout:
            times[next(iter(json.loads(line)))] = time.monotonic()
    assert 1.4 < times["ended"] - times["started"] < 2.5


def test_a_job_that_has_reported_is_done_even_if_it_does_not_end(sweep: Sweeper) -> None:
    sweep.script("crashes_late", "import atexit, os; atexit.register(os.abort)")
    sweep.script("lingers", "import atexit, time; atexit.register(time.sleep, 60)")
    start = time.monotonic()
    done = sweep.run()
    assert done.endings == {"crashes_late": "reported", "lingers": "reported"}
    assert 10 < time.monotonic() - start < 20


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_everything_ends_with_the_command(sweep: Sweeper, number: int) -> None:
    for n in range(3):
        sweep.script(
            f"hangs{n}",
            f"""
            import os, pathlib, subprocess, time
            subprocess.Popen(["sleep", "60"], start_new_session=True)
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(60)
                os._exit(0)
            pathlib.Path("here{n}").touch()
            time.sleep(60)
            """,
        )
    with sweep.started(jobs=3) as process:
        for n in range(3):
            wait_for(sweep.folder / f"here{n}")
        os.kill(process.pid, number)
        sweep.wait_until_nothing_is_left()
    assert process.returncode != 0


def test_a_job_ends_with_its_slot_even_if_the_command_is_gone_too(sweep: Sweeper) -> None:
    sweep.script(
        "hangs",
        """
        import os, pathlib, time
        pathlib.Path("pids.new").write_text(f"{os.getpid()} {os.getppid()}")
        pathlib.Path("pids.new").rename("pids")
        time.sleep(60)
        """,
    )
    with sweep.started() as process:
        wait_for(sweep.folder / "pids")
        _, slot = map(int, (sweep.folder / "pids").read_text().split())
        for pid in (process.pid, slot):
            os.kill(pid, signal.SIGSTOP)
        for pid in (process.pid, slot):
            os.kill(pid, signal.SIGKILL)
        sweep.wait_until_nothing_is_left()


def test_everything_ends_when_nobody_wants_more_events(sweep: Sweeper) -> None:
    for n in range(2):
        sweep.script(f"hangs{n}", "import os, time; os.fork(); time.sleep(60)")
    done = sweep.run(jobs=2, close_after=2)
    assert done.ends == {}
    assert done.value("closing") < 2


def test_those_who_clean_up_after_a_job_may_do_so(sweep: Sweeper) -> None:
    sweep.script(
        "shares",
        """
        import pathlib
        from multiprocessing.shared_memory import SharedMemory
        pathlib.Path("name").write_text(SharedMemory(create=True, size=100).name)
        """,
    )
    assert sweep.run().endings == {"shares": "reported"}
    assert not Path("/dev/shm", (sweep.folder / "name").read_text()).exists()


def test_a_job_that_cannot_be_begun_is_told_too(sweep: Sweeper) -> None:
    sweep.script("good", "print('fine')")
    sweep.script("after", "print('fine')")
    (sweep.folder / "cache" / "job 0" / "output.txt").mkdir(parents=True)
    done = sweep.run()
    assert done.endings == {"good": "lost", "after": "reported"}
    assert "cannot be written: Is a directory" in done.ends["good"]["message"]
    assert [event["started"] for event in done.events if "started" in event] == [
        "good.py",
        "after.py",
    ]


def test_a_slot_that_is_killed_with_its_job_is_replaced(sweep: Sweeper) -> None:
    text = """
        import os, subprocess, time
        subprocess.Popen(["sleep", "60"], start_new_session=True)
        os.kill(os.getppid(), 9)
        time.sleep(60)
    """
    for n in range(3):
        sweep.script(f"parricide{n}", text)
        sweep.script(f"good{n}", "print('fine')")
    done = sweep.run(jobs=2)
    assert done.endings == {
        **{f"parricide{n}": "lost" for n in range(3)},
        **{f"good{n}": "reported" for n in range(3)},
    }


KILL_IDLE_SLOTS = """
from turnkeyml.execution.isolated.slots import Slots
give_back = Slots.give_back
def give_back_and_kill(slots, slot):
    give_back(slots, slot)
    slot._process.kill()
Slots.give_back = give_back_and_kill
"""


def test_a_slot_that_is_killed_between_two_jobs_costs_none_of_them(sweep: Sweeper) -> None:
    for n in range(4):
        sweep.script(f"good{n}", "print('fine')")
    done = sweep.run(before=KILL_IDLE_SLOTS)
    assert set(done.endings.values()) == {"reported"}
    assert [event["started"] for event in done.events if "started" in event] == [
        f"good{n}.py" for n in range(4)
    ]


def test_a_job_that_kills_its_slot_after_its_report_is_done(sweep: Sweeper) -> None:
    sweep.script("late", "import atexit, os; atexit.register(os.kill, os.getppid(), 9)")
    done = sweep.run()
    assert done.endings == {"late": "reported"}
