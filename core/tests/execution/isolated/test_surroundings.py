"""Jobs run isolated wherever turnkey may be started from, and however many they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from isolated_sweep import Sweep, Sweeper


def test_forty_jobs_four_at_a_time(sweep: Sweeper) -> None:
    for n in range(40):
        sweep.script(f"job{n}", f"print({n})" if n % 4 else "import os; os.abort()")
    done = sweep.run(jobs=4)
    assert len(done.ends) == 40
    expected = {f"job{n}": "reported" if n % 4 else "crashed" for n in range(40)}
    assert done.endings == expected
    running = most = 0
    for event in done.events:
        running += ("started" in event) - ("ended" in event)
        most = max(most, running)
    assert 2 <= most <= 4
    logs = [path.name for path in (sweep.folder / "cache" / "run").iterdir()]
    assert len(logs) <= 4


def test_jobs_really_run_side_by_side(sweep: Sweeper) -> None:
    for n in range(2):
        sweep.script(
            f"meets{n}",
            f"""
            import pathlib, time
            pathlib.Path("here{n}").touch()
            while not pathlib.Path("here{1 - n}").exists():
                time.sleep(0.01)
            """,
        )
    done = sweep.run(jobs=2, timeout_s=20)
    assert set(done.endings.values()) == {"reported"}


def test_a_python_that_prints_when_it_starts(sweep: Sweeper) -> None:
    (sweep.environment.own / "sitecustomize.py").write_text(
        "import os, sys\nprint('{\"event\": \"ended\"}')\nprint('garbage', file=sys.stderr)\n"
        "os.write(1, b'more garbage\\n')"
    )
    sweep.script("good", "print('fine')")
    # Python without its site module would not import it.
    order = sweep.command()
    order.remove("-S")
    done = subprocess.run(
        order, env=sweep.variables(), cwd=sweep.folder, capture_output=True, timeout=60
    )
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b'{"')]
    ends = Sweep([event for event in events if "event" not in event], "").endings
    assert ends == {"good": "reported"}, done.stderr.decode()


def test_warnings_as_errors(sweep: Sweeper) -> None:
    sweep.script("good", "import warnings; warnings.simplefilter('default')")
    done = sweep.run(variables={"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"}, jobs=2)
    assert done.endings == {"good": "reported"}
    assert done.err == ""


def test_without_standard_streams(sweep: Sweeper) -> None:
    out = sweep.folder / "out.txt"
    for n in range(3):
        sweep.script(f"good{n}", "print('fine')")
    # The driver says what happened into a file; 0, 1 and 2 are closed when Python starts.
    words = sweep.command(f"import sys; sys.stdout = open({str(out)!r}, 'w')", jobs=2)
    closer = "import os, sys; [os.close(n) for n in (0, 1, 2)]; os.execv(sys.argv[1], sys.argv[1:])"
    subprocess.run(
        [sys.executable, "-S", "-c", closer, *words],
        env=sweep.variables(),
        cwd=sweep.folder,
        timeout=60,
        check=True,
    )
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert Sweep(events, "").endings == {f"good{n}": "reported" for n in range(3)}
    assert sweep.left() == []


def test_what_jobs_print_goes_into_files_only(sweep: Sweeper) -> None:
    sweep.script("prints", "import os; print('hello'); os.write(1, b'there\\n')")
    sweep.script(
        "prints_late", "import atexit, os; atexit.register(os.write, 1, b'from the end\\n')"
    )
    done = sweep.run()
    assert "hello" not in done.err
    (log,) = (sweep.folder / "cache" / ".logs").glob("prints-*.txt")
    assert log.read_text() == "hello\nthere\n"
    assert (sweep.folder / "cache" / "job 1" / "output.txt").read_text() == "from the end\n"


def test_a_job_sees_no_terminal_no_input_and_no_descriptor_of_ours(sweep: Sweeper) -> None:
    sweep.script(
        "looks",
        """
        import json, os, signal, sys
        out = {
            "input": sys.stdin.read(),
            "terminal": any(os.isatty(n) for n in (0, 1, 2)),
            "descriptors": sorted(os.readlink(f"/proc/self/fd/{n}").partition(":")[0]
                for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")),
            "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
            "terminate": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
            "group": os.getpgrp() == os.getpid() == os.getsid(0),
            "victim": int(open("/proc/self/oom_score_adj").read()),
        }
        open("seen.json", "w").write(json.dumps(out))
        """,
    )
    for fresh in (False, True):
        sweep.run(arguments={"fresh": fresh})
        seen = json.loads((sweep.folder / "seen.json").read_text())
        assert seen["input"] == ""
        assert seen["terminal"] is False
        assert "socket" not in seen["descriptors"]
        assert seen["interrupt"] and seen["terminate"] and seen["group"]
        assert seen["victim"] >= 500


def test_modules_are_not_taken_from_the_working_directory(sweep: Sweeper) -> None:
    for name in ("json", "turnkeyml", "socket", "select"):
        (sweep.folder / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    sweep.script("good", "print('fine')")
    for fresh in (False, True):
        # As the command turnkey is started: not from the working directory.
        before = "import sys; sys.path.remove('')"
        words = sweep.command(before, arguments={"fresh": fresh})
        done = subprocess.run(
            words, env=sweep.variables(), cwd=sweep.folder, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert Sweep(events, "").endings == {"good": "reported"}


@pytest.mark.skipif(
    sys.version_info[:3] == (3, 13, 0), reason="Python 3.13.0 cannot import socket there"
)
def test_a_working_directory_that_is_gone(sweep: Sweeper, tmp_path: Path) -> None:
    """Such a command is refused by what writes jobs down; slots must start all the same."""
    gone = tmp_path / "gone"
    gone.mkdir()
    sweep.script("good", "print('fine')")
    # The job's own folder to run in is known from before.
    before = (
        f"import os, pathlib, sys; os.rmdir({str(gone)!r}); sys.path.remove('')\n"
        "pathlib.Path.cwd = classmethod(lambda cls: cls('/'))"
    )
    words = sweep.command(before)
    done = subprocess.run(words, env=sweep.variables(), cwd=gone, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert Sweep(events, "").endings == {"good": "reported"}


def test_slots_that_cannot_start_are_an_error_that_says_why(sweep: Sweeper) -> None:
    sweep.script("good", "print('fine')")
    # What the command has imported already is broken for the processes that it starts.
    broken = sweep.environment.own / "socket.py"
    text = "raise ImportError('the disk is on fire')"
    words = sweep.command(
        "from turnkeyml.execution.isolated import executor\n"
        f"open({str(broken)!r}, 'w').write({text!r})"
    )
    start = time.monotonic()
    done = subprocess.run(
        words, env=sweep.variables(), cwd=sweep.folder, capture_output=True, timeout=60, check=True
    )
    assert time.monotonic() - start < 20
    (failed, _) = [json.loads(line) for line in done.stdout.splitlines()]
    assert "The processes that run the jobs end at once" in failed["failed"]
    assert "ImportError: the disk is on fire" in failed["failed"]
    assert "slot-0.txt" in failed["failed"]


def test_the_command_s_own_process_is_left_as_it_was(sweep: Sweeper) -> None:
    """Those who call turnkey from their own program keep their signals, orphans and variables."""
    sweep.script("good", "print('fine')")
    look = (
        "import ctypes, os, signal, threading\n"
        "def look():\n"
        "    flag = ctypes.c_int(); ctypes.CDLL(None).prctl(37, ctypes.byref(flag), 0, 0, 0)\n"
        "    return (flag.value, dict(os.environ), os.getcwd(), threading.active_count(),\n"
        "            sorted(os.listdir('/proc/self/fd')),\n"
        "            [signal.getsignal(n) for n in range(1, 32)])\n"
        "before = look()\n"
    )
    words = sweep.command(look)
    words[words.index("-c") + 1] += "\nassert look() == before, (before, look())"
    subprocess.run(words, env=sweep.variables(), cwd=sweep.folder, timeout=60, check=True)


def test_the_driver_s_own_variables_reach_the_jobs(sweep: Sweeper) -> None:
    sweep.script("looks", "import os; open('seen', 'w').write(os.getenv('PASSED', ''))")
    sweep.run(variables={"PASSED": "on"})
    assert (sweep.folder / "seen").read_text() == "on"
    assert "PASSED" not in os.environ
