"""What of a process other code relies on: looked at before and after a plugin's code."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
_OWN_VARIABLES = frozenset({"PYTEST_CURRENT_TEST"})
_HELPER = b"multiprocessing.resource_tracker"
_PATIENCE_S = 1.0
"""For threads and processes that are just ending."""


@dataclass(frozen=True)
class Surroundings:
    """A look at this process.

    Args:
        environment: The environment variables.
        folder: The working directory.
        umask: What new files may not be.
        search_path: ``sys.path``.
        signals: Handlers by the number of the signal.
        loggers: Handlers and level of the root logger.
        excepthook: What shows uncaught exceptions.
        threads: Names of Python's threads by their number.
        children: Command lines of child processes by their number; empty where the system does not
            tell.
    """

    environment: Mapping[str, str]
    folder: str
    umask: int
    search_path: tuple[str, ...]
    signals: Mapping[int, Any]
    loggers: tuple[Any, ...]
    excepthook: Any
    threads: Mapping[int, str]
    children: Mapping[int, str]


def look() -> Surroundings:
    """Look at this process."""
    umask = os.umask(0o077)
    os.umask(umask)
    root = logging.getLogger()
    return Surroundings(
        {name: value for name, value in os.environ.items() if name not in _OWN_VARIABLES},
        str(Path.cwd()),
        umask,
        tuple(sys.path),
        {int(number): signal.getsignal(number) for number in signal.valid_signals()},
        (root.level, *root.handlers),
        sys.excepthook,
        {t.ident: t.name for t in threading.enumerate() if t.ident is not None},
        _children(),
    )


def differences(before: Surroundings) -> list[str]:
    """Say what has changed since; threads and processes have a moment to end.

    Args:
        before: An earlier look.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        now = look()
        left = _left_behind(before, now)
        if not left or time.monotonic() >= deadline:
            return [*_changed(before, now), *left]
        time.sleep(0.02)


def _changed(before: Surroundings, now: Surroundings) -> list[str]:
    found = [
        f"the environment variable {name} was {_how(before.environment, now.environment, name)}"
        for name in sorted({*before.environment, *now.environment})
        if before.environment.get(name) != now.environment.get(name)
    ]
    if before.folder != now.folder:
        found.append(f"the working directory was changed to {now.folder}")
    if before.umask != now.umask:
        found.append(f"the umask was changed to {now.umask:03o}")
    if before.search_path != now.search_path:
        found.append("sys.path was changed")
    found += [
        f"the handler of {signal.Signals(number).name} was replaced"
        for number, handler in before.signals.items()
        if now.signals.get(number) is not handler and now.signals.get(number) != handler
    ]
    if before.loggers != now.loggers:
        found.append("the root logger was changed")
    if before.excepthook is not now.excepthook:
        found.append("sys.excepthook was replaced")
    return found


def _how(before: Mapping[str, str], now: Mapping[str, str], name: str) -> str:
    if name not in before:
        return "set"
    return "changed" if name in now else "removed"


def _left_behind(before: Surroundings, now: Surroundings) -> list[str]:
    threads = [name for ident, name in now.threads.items() if ident not in before.threads]
    children = [line for number, line in now.children.items() if number not in before.children]
    return [
        *(f"the thread {name} still runs" for name in threads),
        *(f"the process {line!r} still runs" for line in children),
    ]


def _children() -> dict[int, str]:
    """Find the processes that this one started and that have not been waited for."""
    found = {}
    own = str(os.getpid())
    for folder in _PROC.glob("[0-9]*"):
        # A process may end while it is looked at.
        with suppress(OSError, IndexError, UnicodeDecodeError):
            fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            if fields[1] != own:
                continue
            line = (folder / "cmdline").read_bytes()
            # It belongs to the interpreter, and ends with it.
            if _HELPER not in line:
                found[int(folder.name)] = line.replace(b"\0", b" ").decode("utf-8", "replace")
    return found
