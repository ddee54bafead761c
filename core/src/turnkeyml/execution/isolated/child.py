"""The process of one job: forked from a slot, and then the job itself or a fresh interpreter."""

from __future__ import annotations

import atexit
import faulthandler
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from turnkeyml.errors import TurnkeyError
from turnkeyml.execution.isolated.system import Process, prefer_as_victim
from turnkeyml.execution.isolated.warming import Warmth
from turnkeyml.execution.job_process import run_folder

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_FRESH = (
    "import sys\n"
    "if sys.path and not sys.path[0]: del sys.path[0]\n"
    "from turnkeyml.execution.job_process import main\n"
    "main()\n"
)
"""What an interpreter of its own runs. The working directory is no place for modules, as it is none
for the command ``turnkey``."""


def python_command(*more: str) -> list[str]:
    """Give the words that start an interpreter like this one, with the same options."""
    # The standard library's own way, used by multiprocessing; there is no public one.
    return [sys.executable, *subprocess._args_from_interpreter_flags(), *more]  # type: ignore[attr-defined]


def begin_job(output: int, slot: int, system: Process, close: Iterable[int]) -> None:
    """Make a process that was just forked one of its own: session, output, signals, end.

    Args:
        output: A descriptor of the file that it prints to.
        slot: The process that it was forked from.
        system: Made before the fork.
        close: Descriptors that belong to the slot.
    """
    os.setsid()
    if not system.die_with_parent(slot, signal.SIGKILL):
        os._exit(1)
    prefer_as_victim()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, _STDIN)
    os.dup2(output, _STDOUT)
    os.dup2(output, _STDERR)
    for number in (nothing, output, *close):
        os.close(number)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def become_fresh_interpreter(folder: Path) -> NoReturn:
    """Go on as an interpreter that was just started, and run the job of a folder there."""
    command = python_command("-X", "faulthandler", "-c", _FRESH, str(folder))
    os.execv(command[0], command)  # noqa: S606 - a list of words, no shell


def run_here(folder: Path, warmth: Warmth) -> NoReturn:
    """Run the job of a folder in this process, which is a fork, and end as a program would."""
    # By number: steps send what is printed there into their logs.
    faulthandler.enable(_STDERR)
    code = 1
    try:
        for call in warmth.after_fork:
            call()
        run_folder(folder, warmth.registry)
        code = 0
    except TurnkeyError as error:
        sys.stderr.write(f"Error: {error}\n")
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except KeyboardInterrupt:
        _end_by(signal.SIGINT)
    # This is the outermost frame: what nobody caught is told and ends the process.
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    _finish()
    os._exit(code & 0xFF)


def _finish() -> None:
    """Do what an interpreter does before it ends, apart from taking itself to pieces."""
    try:
        # As multiprocessing ends its forks; there is no public way.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    except BaseException:  # noqa: BLE001 - somebody else's functions, and nobody is left to raise to
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue


def _end_by(number: signal.Signals) -> NoReturn:
    _finish()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)
