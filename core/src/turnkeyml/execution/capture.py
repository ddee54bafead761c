"""Send what foreign code prints into a log, down to the file descriptors."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

_OUT, _ERR = 1, 2


@contextmanager
def output_to(path: Path) -> Iterator[None]:
    """Send all output of this process into a file while the block runs; the file is begun anew.

    Args:
        path: The log; its folder must exist.
    """
    # In a cache that came from somebody else it may be a link to anything.
    if path.is_symlink():
        path.unlink()
    with path.open("wb", buffering=0) as log, output_into(log):
        yield


@contextmanager
def output_into(log: BinaryIO) -> Iterator[None]:
    """Send all output of this process into an open file while the block runs.

    Native libraries and child processes are included. The console keeps its own way out. The
    stream objects stay what they are, because loggers that are made meanwhile hold on to them.

    Args:
        log: The file, opened for writing without a buffer.
    """
    with ExitStack() as stack:
        for name, number in (("stdout", _OUT), ("stderr", _ERR)):
            stream = getattr(sys, name)
            if _descriptor(stream) == number:
                _flush(stream)
                stack.enter_context(_redirected(number, log.fileno()))
                stack.enter_context(_readable(stream))
            else:
                stack.enter_context(_redirected(number, log.fileno()))
                stack.enter_context(_replaced(name, stream, log.fileno()))
        yield


def _descriptor(stream: TextIO | None) -> int | None:
    try:
        return stream.fileno() if stream is not None else None
    except (OSError, ValueError):
        return None


@contextmanager
def _redirected(number: int, target: int) -> Iterator[None]:
    try:
        saved = os.dup(number)
    except OSError:
        saved = None
    os.dup2(target, number)
    try:
        yield
    finally:
        if saved is None:
            os.close(number)
        else:
            os.dup2(saved, number)
            os.close(saved)


@contextmanager
def _readable(stream: TextIO) -> Iterator[None]:
    """Let both streams come into the log in order, whatever characters the locale has."""
    settings = getattr(stream, "line_buffering", True), stream.errors
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        yield
    finally:
        if isinstance(stream, io.TextIOWrapper) and not stream.closed:
            # Flushes, while the descriptor still leads to the log.
            stream.reconfigure(line_buffering=settings[0], errors=settings[1])


@contextmanager
def _replaced(name: str, stream: TextIO | None, target: int) -> Iterator[None]:
    """Take the place of a stream that is not the process's own, as in a notebook."""
    proxy = _Proxy(target)
    setattr(sys, name, proxy)
    try:
        yield
    finally:
        proxy.hand_over(stream)
        if getattr(sys, name) is proxy:
            setattr(sys, name, stream)


class _Proxy(io.TextIOBase):
    """Writes into a log, and later to the stream whose place it took."""

    def __init__(self, target: int) -> None:
        self._target: int | None = target
        self._now: TextIO | None = None

    def hand_over(self, stream: TextIO | None) -> None:
        """Write to ``stream`` from now on: loggers may still hold this object."""
        self._target, self._now = None, stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._target is not None:
            os.write(self._target, text.encode("utf-8", "backslashreplace"))
        elif self._now is not None:
            self._now.write(text)
        return len(text)


def _flush(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        stream.flush()
