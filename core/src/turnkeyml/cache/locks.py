"""One lock a build, with the owner's name in it, so that two processes never write one build."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from turnkeyml.errors import CacheError

LOCKS = ".locks"

_MOMENT_S = 1.0
"""Who only looks whether a lock is held holds it for a moment himself."""


@contextmanager
def build_lock(cache: Path, build: str, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a build; the operating system frees it when the process dies.

    Args:
        cache: The cache directory.
        build: The build's name.
        waiting: Called once with the owner's description if another process holds it.

    Raises:
        CacheError: As `held_lock`.
    """
    with held_lock(_lock_file(cache, build), waiting):
        yield


@contextmanager
def build_lock_if_free(cache: Path, build: str) -> Iterator[bool]:
    """Hold the lock of a build, unless another process does; gives whether it is held.

    Raises:
        CacheError: As `held_lock`.
    """
    with held_lock(_lock_file(cache, build), None) as is_held:
        yield is_held


@contextmanager
def held_lock(path: Path, waiting: Callable[[str], None] | None) -> Iterator[bool]:
    """Hold a lock; the operating system frees it when the process dies.

    Args:
        path: Of the lock's file; its folder is made. Who holds it is said in a file beside it.
        waiting: Called once with the owner's description if another process holds it, which is then
            waited for. None: it is not, and the lock is not held.

    Raises:
        CacheError: There can be no lock here.
    """
    from filelock import FileLock, Timeout

    owner = path.with_suffix(".owner")
    lock = FileLock(path)
    try:
        while True:
            path.parent.mkdir(parents=True, exist_ok=True)
            _refuse_link(path)
            with suppress(FileNotFoundError):
                # Where cleaning has taken the folder away meanwhile, there is nothing to wait for.
                try:
                    lock.acquire(timeout=0 if waiting is not None else _MOMENT_S)
                except Timeout:
                    if waiting is not None:
                        waiting(describe_owner(owner))
                        lock.acquire()
                break
    except OSError as error:
        lock.release()
        reason = error.strerror or type(error).__name__
        raise CacheError(f"The lock {path} cannot be had: {reason}.") from error
    try:
        if lock.is_locked:
            with suppress(OSError):
                _write_owner(owner)
        yield lock.is_locked
    finally:
        if lock.is_locked:
            with suppress(OSError):
                owner.unlink(missing_ok=True)
            lock.release()


def _lock_file(cache: Path, build: str) -> Path:
    return cache / LOCKS / f"{build}.lock"


def _refuse_link(path: Path) -> None:
    # A cache may come from anybody, and opening a lock empties the file.
    if path.is_symlink():
        raise CacheError(f"The lock {path} is a link.", hint="Remove it.")


def owner_of(cache: Path, build: str) -> str:
    """Say who holds the lock of a build."""
    return describe_owner(_lock_file(cache, build).with_suffix(".owner"))


def is_locked(cache: Path, build: str) -> bool:
    """Tell whether a living process holds the lock of a build."""
    return is_held(_lock_file(cache, build))


def is_held(path: Path) -> bool:
    """Tell whether a living process holds a lock.

    Who asks is in nobody's way for longer than a moment, not in that of others who ask, and needs
    no right to write.
    """
    import fcntl

    if path.is_symlink():
        return False
    with suppress(OSError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def describe_owner(path: Path) -> str:
    """Say who holds a lock, from the file beside it."""
    try:
        data = json.loads(path.read_text("utf-8"))
        return f"process {int(data['pid'])} on {data['host']} since {data['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _write_owner(path: Path) -> None:
    myself = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    # What is there is a link, perhaps, or was left by a process that died.
    path.unlink(missing_ok=True)
    path.write_text(json.dumps(myself), "utf-8")
