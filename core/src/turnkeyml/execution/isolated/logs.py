"""The logs that a job's process writes to at this moment, and how long they are."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from turnkeyml.execution.isolated.processes import IS_LINUX

_HEAD_BYTES = 1 << 16
_TAIL_BYTES = 1 << 20
_OUTPUTS = (1, 2)
_CUT = b"\n\n... turnkey took out %d bytes here ...\n\n"


class Logs:
    """A job's own output file, and whatever log of a step its output goes to meanwhile.

    Args:
        pid: The job's process.
        output: A descriptor of its output file.
        cache: Logs are in it; files elsewhere are none of our business.
    """

    def __init__(self, pid: int, output: int, cache: str) -> None:
        self._pid = pid
        self._output = output
        self._prefix = f"{cache}{os.sep}"

    def longest(self) -> tuple[str, int]:
        """Give the path of the longest log, and its size in bytes."""
        sizes = {_path(f"/proc/self/fd/{self._output}"): os.fstat(self._output).st_size}
        for number in _OUTPUTS if IS_LINUX else ():
            link = f"/proc/{self._pid}/fd/{number}"
            with suppress(OSError):
                path = _path(link)
                if path.startswith(self._prefix):
                    sizes[path] = os.stat(link).st_size  # noqa: PTH116 - follows to deleted files too
        longest = max(sizes, key=lambda path: sizes[path])
        return longest, sizes[longest]


def _path(link: str) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115 - may be no path at all
    except OSError:
        return ""


def shorten(path: str) -> None:
    """Take the middle out of a log to which nobody writes any more; no harm if it is gone."""
    with suppress(OSError), Path(path).open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size <= _HEAD_BYTES + _TAIL_BYTES:
            return
        file.seek(size - _TAIL_BYTES)
        tail = file.read()
        file.seek(_HEAD_BYTES)
        file.write(_CUT % (size - _HEAD_BYTES - _TAIL_BYTES) + tail)
        file.truncate()
