"""One lock a build, with the owner's name in it, so that two processes never write one build."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

LOCKS = ".locks"


@contextmanager
def build_lock(cache: Path, build: str, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a build; the operating system frees it when the process dies.

    Args:
        cache: The cache directory.
        build: The build's name.
        waiting: Called once with the owner's description if another process holds it.
    """
    from filelock import FileLock, Timeout

    folder = cache / LOCKS
    folder.mkdir(parents=True, exist_ok=True)
    owner = folder / f"{build}.owner"
    lock = FileLock(folder / f"{build}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting(describe_owner(owner))
        lock.acquire()
    try:
        owner.write_text(json.dumps(_myself()), "utf-8")
        yield
    finally:
        with suppress(OSError):
            owner.unlink(missing_ok=True)
        lock.release()


def is_locked(cache: Path, build: str) -> bool:
    """Tell whether a living process holds the lock of a build."""
    from filelock import FileLock, Timeout

    path = cache / LOCKS / f"{build}.lock"
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return _is_locked_for_reader(path)
    lock.release()
    return False


def _is_locked_for_reader(path: Path) -> bool:
    """Ask without the right to write, as in a cache of somebody else."""
    import fcntl

    with path.open("rb") as file:
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


def _myself() -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
