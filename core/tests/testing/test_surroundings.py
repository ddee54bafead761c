"""What a process is left like, seen from before and after."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnkeyml.testing.surroundings import differences, look


def test_nothing_has_changed() -> None:
    assert differences(look()) == []


def test_thread_and_process_that_are_just_ending_are_waited_for() -> None:
    before = look()
    thread = threading.Thread(target=time.sleep, args=(0.2,))
    thread.start()
    with subprocess.Popen(["sleep", "0.2"]) as child:
        # As by another thread of the plugin: nobody else collects what has ended.
        threading.Thread(target=child.wait).start()
        assert differences(before) == []
    thread.join()


def set_variable() -> Callable[[], Any]:
    os.environ["WRONG"] = "1"
    return lambda: os.environ.pop("WRONG")


def remove_variable() -> Callable[[], Any]:
    own = os.environ.pop("PATH")
    return lambda: os.environ.update(PATH=own)


def change_folder() -> Callable[[], Any]:
    own = Path.cwd()
    os.chdir("/")
    return lambda: os.chdir(own)


def change_umask() -> Callable[[], Any]:
    own = os.umask(0o001)
    return lambda: os.umask(own)


def change_path() -> Callable[[], Any]:
    sys.path.append("/wrong")
    return lambda: sys.path.remove("/wrong")


def change_handler() -> Callable[[], Any]:
    own = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    return lambda: signal.signal(signal.SIGUSR2, own)


def change_logging() -> Callable[[], Any]:
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    return lambda: logging.getLogger().removeHandler(handler)


def change_hook() -> Callable[[], Any]:
    own = sys.excepthook
    sys.excepthook = print
    return lambda: setattr(sys, "excepthook", own)


def leave_thread() -> Callable[[], Any]:
    event = threading.Event()
    threading.Thread(target=event.wait, name="forgotten").start()
    return event.set


def leave_process() -> Callable[[], Any]:
    child = subprocess.Popen(["sleep", "60"])

    def end() -> None:
        child.kill()
        child.wait()

    return end


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_variable, "the environment variable WRONG was set"),
        (remove_variable, "the environment variable PATH was removed"),
        (change_folder, "the working directory was changed to /"),
        (change_umask, "the umask was changed to 001"),
        (change_path, "sys.path was changed"),
        (change_handler, "the handler of SIGUSR2 was replaced"),
        (change_logging, "the root logger was changed"),
        (change_hook, "sys.excepthook was replaced"),
        (leave_thread, "the thread forgotten still runs"),
        (leave_process, "the process 'sleep 60 ' still runs"),
    ],
)
def test_change_is_named(change: Callable[[], Callable[[], Any]], said: str) -> None:
    before = look()
    undo = change()
    try:
        assert differences(before) == [said]
    finally:
        undo()
