"""What a slot does before its first job, so that no job has to: imports, and a first use."""

from __future__ import annotations

import gc
import importlib
import os
import re
import stat
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from turnkeyml.errors import TurnkeyError
from turnkeyml.execution.isolated.processes import IS_LINUX
from turnkeyml.plugins.records import ToolRecord
from turnkeyml.plugins.registry import Registry, load_registry

AfterFork = Callable[[], object]

_OWN = ("filelock", "yaml")
"""What the core itself imports late, since commands that only say something do without."""
_HARMLESS = re.compile(
    r"/dev/(null|zero|full|u?random|tty|pts/\d+)\Z"
    # NVIDIA's management library opens these, and can be forked; a driver that computes opens
    # nvidia-uvm too.
    r"|/dev/nvidia(ctl|\d+)\Z"
)


class NotSafeError(Exception):
    """Jobs must not be forked from this process; the message says why."""


@dataclass(frozen=True)
class Warmth:
    """A process from which jobs can be forked.

    Args:
        registry: What is installed.
        after_fork: What each job calls first.
        loaded: Top-level packages that a job finds imported and that a fresh process has not.
    """

    registry: Registry
    after_fork: tuple[AfterFork, ...] = ()
    loaded: frozenset[str] = field(default_factory=frozenset)


def warm_up(tools: Sequence[str], preload: Sequence[str] = ()) -> Warmth:
    """Import what these tools will need, and let them use it for the first time.

    Args:
        tools: The tools of a plan.
        preload: Modules that are imported besides.

    Raises:
        NotSafeError: Something went wrong, or has left what a fork does not survive.
    """
    if not IS_LINUX:
        raise NotSafeError("forking is safe on Linux only")
    registry = load_registry()
    after_fork: list[AfterFork] = []
    records = [record for name in tools if (record := registry.find_tool(name)) is not None]
    try:
        for record in records:
            record.ref.load()
        before = _top_level_modules()
        for module in _OWN:
            importlib.import_module(module)
        for record in records:
            _prepare(record, after_fork)
        with warnings.catch_warnings():
            for module in preload:
                importlib.import_module(module)
    except TurnkeyError as error:
        raise NotSafeError(str(error)) from error
    # Imports run foreign code, which may raise anything.
    except (Exception, SystemExit) as error:
        raise NotSafeError(f"{type(error).__name__}: {error}") from error
    _check_threads()
    _check_devices()
    loaded = _top_level_modules() - before - {"turnkeyml"}
    gc.collect()
    # Else the first collection in a job would write to every page that it shares with others.
    gc.freeze()
    # The first to set something was the first to see how it was.
    return Warmth(registry, tuple(reversed(after_fork)), frozenset(loaded))


def _prepare(record: ToolRecord, after_fork: list[AfterFork]) -> None:
    for module in record.preload:
        importlib.import_module(module)
    if record.warm_up is not None:
        # Imports in a job would set filters inside its script, and not for good.
        with warnings.catch_warnings():
            found = record.warm_up.load()()
        if callable(found):
            after_fork.append(found)


def _top_level_modules() -> set[str]:
    return {name.partition(".")[0] for name in sys.modules}


def _check_threads() -> None:
    others = [thread.name for thread in threading.enumerate()][1:]
    if others:
        raise NotSafeError(f"threads are running: {', '.join(others)}")


def _check_devices() -> None:
    """Refuse to fork a process that talks to a device: the driver's state is of no use after."""
    for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(number).st_mode):
                path = os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115
                if not survives_fork(path):
                    raise NotSafeError(f"the device {path} is in use")


def survives_fork(device: str) -> bool:
    """Tell whether a device may be open in a process from which jobs are forked."""
    return _HARMLESS.match(device) is not None
