"""Ctrl-C: once ends a command of several inputs cleanly, twice at once; one input just ends."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from builds import builds_in
from core_env import Environment, FakePlugins, run_here

from turnkeyml.cache.layout import Cache
from turnkeyml.console import Console
from turnkeyml.errors import ExitCode
from turnkeyml.execution.interruption import Interruption
from turnkeyml.outcomes import Status
from turnkeyml.saved_state import load_state

FILES = {"a.toy": "one 1\n", "b.toy": "two 2\n", "c.toy": "three 3\n"}
WAIT = ("find", "act", "--do", "wait-for", "--word", "go")


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def console() -> tuple[Console, io.StringIO]:
    err = io.StringIO()
    return Console(io.StringIO(), err), err


def test_the_first_is_noted_and_the_second_stops_at_once() -> None:
    screen, err = console()
    before = signal.getsignal(signal.SIGINT)
    with Interruption(screen, watched=True) as stopping:
        assert not stopping.is_set()
        interrupt()
        assert stopping.is_set()
        assert "Press Ctrl-C again to stop at once." in err.getvalue()
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_command_of_one_input_just_ends() -> None:
    screen, err = console()
    with Interruption(screen, watched=False) as stopping:
        with pytest.raises(KeyboardInterrupt):
            interrupt()
        assert not stopping.is_set()
    assert not err.getvalue()


def test_elsewhere_than_in_the_main_thread_nothing_is_taken_over() -> None:
    seen: list[object] = []

    def work() -> None:
        with Interruption(console()[0], watched=True) as stopping:
            seen.append(signal.getsignal(signal.SIGINT))
            seen.append(stopping.is_set())

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before, False]


def test_what_was_there_before_comes_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), Interruption(console()[0], watched=True):
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_it_stops_although_nothing_can_be_printed_now() -> None:
    class Busy(io.StringIO):
        def write(self, text: str) -> int:
            raise RuntimeError("reentrant call inside <_io.BufferedWriter>")

    with Interruption(Console(io.StringIO(), Busy()), watched=True) as stopping:
        interrupt()
        assert stopping.is_set()


def test_a_command_runs_in_another_thread(toys: FakePlugins) -> None:
    for name, text in FILES.items():
        Path(name).write_text(text)
    done = []
    thread = threading.Thread(target=lambda: done.append(run_here("-i", *FILES, "find", "compile")))
    thread.start()
    thread.join()
    assert done[0].code == ExitCode.OK


# Real processes


@contextmanager
def waiting(
    environment: Environment, files: dict[str, str] = FILES
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command, and hand it over when its first model is being worked on."""
    environment.install_toys()
    for name, text in files.items():
        (environment.home / name).write_text(text)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with environment.started("-i", *files, *WAIT, **pipes) as process:
        wait_until(environment.home / "go.here")
        yield process


def wait_until(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)


def line_of(process: subprocess.Popen[bytes], text: str) -> str:
    """Read what a command says up to a line with this text."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line.decode()
        if text in said:
            return said
    raise AssertionError(said)


def statuses(environment: Environment) -> list[Status]:
    return [load_state(build).status for build in builds_in(environment.cache)]


def test_once_ends_after_what_runs_and_says_how_to_go_on(environment: Environment) -> None:
    with waiting(environment) as process:
        process.send_signal(signal.SIGINT)
        line_of(process, "Stopping after what runs now.")
        (environment.home / "go").touch()
        out, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "Error: Stopped with 2 inputs of 3 not run.\n" in err.decode()
    assert "The same command goes on from here." in err.decode()
    assert b"Traceback" not in out + err
    assert statuses(environment) == [Status.SUCCESSFUL]
    assert "Model successfully built!" in out.decode(), "what was done is shown"
    done = environment.turnkey("-i", *FILES, *WAIT)
    assert done.code == ExitCode.OK
    assert "1 of 3 inputs have ended" in done.err
    assert statuses(environment) == [Status.SUCCESSFUL] * 3


def test_twice_ends_at_once(environment: Environment) -> None:
    with waiting(environment) as process:
        process.send_signal(signal.SIGINT)
        line_of(process, "Stopping after what runs now.")
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=25)
    assert time.monotonic() - start < 20, "it waited for the model"
    assert process.returncode == ExitCode.INTERRUPTED
    assert "Stopped with 3 inputs of 3 not run." in err.decode()
    assert b"Traceback" not in out + err
    assert statuses(environment) == [Status.INTERRUPTED]
    (environment.home / "go").touch()
    assert environment.turnkey("-i", *FILES, *WAIT).code == ExitCode.OK


TASK = """
import pathlib, time
def run(arguments):
    pathlib.Path("go.here").write_text("x")
    deadline = time.monotonic() + 60
    while not pathlib.Path("go").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return {}
"""


@pytest.mark.parametrize("is_single", [False, True])
def test_a_worker_leaves_ctrl_c_to_the_command(is_single: bool, environment: Environment) -> None:
    """A terminal sends it to both."""
    environment.install_toys()
    files = ["a.toy"] if is_single else list(FILES)
    for name in files:
        (environment.home / name).write_text(FILES[name])
    (environment.home / "task.py").write_text(TASK)
    words = ("-i", *files, "find", "act", "--do", "work-apart", "--word", "task.py")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
    with environment.started(*words, **pipes) as process:
        wait_until(environment.home / "go.here")
        os.killpg(process.pid, signal.SIGINT)
        if not is_single:
            line_of(process, "Stopping after what runs now.")
            (environment.home / "go").touch()
        process.communicate(timeout=60)
        assert process.returncode == ExitCode.INTERRUPTED
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
    assert statuses(environment) == [Status.INTERRUPTED if is_single else Status.SUCCESSFUL]


def test_once_ends_a_command_of_one_input(environment: Environment) -> None:
    with waiting(environment, {"a.toy": "one 1\n"}) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=25)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "Error: Interrupted.\n  What was finished is kept in the cache." in err.decode()
    assert b"Traceback" not in out + err
    assert statuses(environment) == [Status.INTERRUPTED]


def test_once_in_the_last_input_ends_as_usual(environment: Environment) -> None:
    with waiting(environment, {"a.toy": "refuse No.\n", "b.toy": "one 1\n"}) as process:
        process.send_signal(signal.SIGINT)
        line_of(process, "Stopping after what runs now.")
        (environment.home / "go").touch()
        _, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.FAILED
    assert "Stopped with" not in err.decode()
    assert "1 input broke" in err.decode()


def test_waiting_for_the_same_command_can_be_interrupted(environment: Environment) -> None:
    with waiting(environment) as first:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with environment.started("-i", *FILES, *WAIT, **pipes) as second:
            line_of(second, "which runs the same command")
            second.send_signal(signal.SIGINT)
            _, err = second.communicate(timeout=25)
        assert second.returncode == ExitCode.INTERRUPTED
        assert b"Traceback" not in err
        (environment.home / "go").touch()
        first.communicate(timeout=60)
    assert first.returncode == ExitCode.OK
    assert Cache(environment.cache).builds()
