"""Taking turns on a host: builds share it, and what is measured has its device for itself.

The locks are POSIX record locks, which the operating system frees when their process dies, and
which its children do not inherit: what a script leaves running holds nobody up.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from turnkeyml.tool import HOST

_FOLDER = Path("/tmp")  # noqa: S108 - the same for all processes of a user on a host
_MODE = 0o700
_GATE = "gate"


@contextmanager
def shared_turn() -> Iterator[None]:
    """Work on this host beside others, but not while something is measured on its processor."""
    with ExitStack() as stack:
        folder = _folder()
        if folder is not None:
            # Whoever wants to be alone closes the gate first, so that builds that keep coming
            # cannot keep him waiting for ever.
            with _held(folder / f"{HOST}.{_GATE}", fcntl.LOCK_SH):
                stack.enter_context(_held(folder / HOST, fcntl.LOCK_SH))
        yield


@contextmanager
def turn_alone(device: str) -> Iterator[None]:
    """Work while nobody else does on a device.

    Args:
        device: ``host``, or the family of a device apart from it. On a device apart, builds and
            benchmarks on other devices go on beside.
    """
    with ExitStack() as stack:
        folder = _folder()
        if folder is not None:
            name = "".join(c if c.isalnum() or c in "._-" else "-" for c in device)
            if name != HOST:
                # Its own lock first: who waits for a device should not keep the host busy.
                stack.enter_context(_held(folder / f"device-{name}", fcntl.LOCK_EX))
                stack.enter_context(shared_turn())
            else:
                with _held(folder / f"{HOST}.{_GATE}", fcntl.LOCK_EX):
                    stack.enter_context(_held(folder / HOST, fcntl.LOCK_EX))
        yield


def _folder() -> Path | None:
    """Give the folder of the locks; None if there can be none, so that nobody takes turns."""
    folder = (_FOLDER if _FOLDER.is_dir() else Path.cwd()) / f"turnkey-turns-{os.getuid()}"
    try:
        folder.mkdir(mode=_MODE, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    # Somebody else might have made it, or a link in its place.
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return folder if is_own else None


@contextmanager
def _held(path: Path, how: int) -> Iterator[None]:
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        yield
        return
    try:
        try:
            fcntl.lockf(number, how)
        except OSError as error:
            # Two that wait for each other, or a file system without locks: better both at once
            # than none for ever.
            if error.errno not in (errno.EDEADLK, errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
                raise
        yield
    finally:
        # The script that ran meanwhile may have closed all it found.
        with suppress(OSError):
            os.close(number)
