"""Send what foreign code prints into a log, down to the file descriptors."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_OUT, _ERR = 1, 2


@contextmanager
def output_to(path: Path) -> Iterator[None]:
    """Send all output of this process into a file while the block runs; the file is begun anew.

    Native libraries and child processes are included. The console keeps its own way out.

    Args:
        path: The log; its folder must exist.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    saved = [_duplicate(number) for number in (_OUT, _ERR)]
    streams = sys.stdout, sys.stderr
    with path.open("w", encoding="utf-8", errors="backslashreplace", buffering=1) as log:
        os.dup2(log.fileno(), _OUT)
        os.dup2(log.fileno(), _ERR)
        sys.stdout = sys.stderr = log
        try:
            yield
        finally:
            sys.stdout, sys.stderr = streams
            for number, copy in zip((_OUT, _ERR), saved, strict=True):
                _restore(number, copy)


def _duplicate(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:
        return None


def _restore(number: int, copy: int | None) -> None:
    if copy is None:
        os.close(number)
        return
    os.dup2(copy, number)
    os.close(copy)
