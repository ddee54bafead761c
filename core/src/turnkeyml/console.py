"""The only module that prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

_LATENCY_UNITS = ((1e3, "microseconds (us)"), (1.0, "milliseconds (ms)"), (1e-3, "seconds (s)"))
_KEPT_CONTROLS = {"\n", "\t"}


class Console:
    """The user's terminal, or the file or pipe in its place.

    Results go to standard output; progress and errors to standard error. The console keeps its own
    copies of both, so that it can speak while the output of tools goes to their logs. A reader that
    goes away (a closed pipe) ends the printing and not the work; nor does a full disk, but then
    ``is_complete`` is false in the end. As a context manager it gives the copies back.
    """

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._given = (out or sys.stdout, err or sys.stderr)
        self._out, self._err = _own_copy(self._given[0]), _own_copy(self._given[1])
        self.is_complete = True
        self.is_live = self._err.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> Console:
        return self

    def __exit__(self, *details: object) -> None:
        for stream, given in ((self._out, self._given[0]), (self._err, self._given[1])):
            if stream is not given:
                with suppress(OSError):
                    stream.close()

    def print(self, text: str = "") -> None:
        """Print a line of results."""
        self._write(self._out, text)

    def print_lines(self, lines: Iterable[str]) -> None:
        """Print several lines of results."""
        self.print("\n".join(lines))

    def progress(self, text: str) -> None:
        """Print a line that says what is going on."""
        self._write(self._err, text)

    def error(self, message: str, hint: str | None = None) -> None:
        """Print what went wrong and what to do."""
        self._write(self._err, f"Error: {message}" + (f"\n  {hint}" if hint else ""))

    def rich(self) -> RichConsole:
        """Give a rich console on standard error, for live views."""
        from rich.console import Console as RichConsole

        return RichConsole(file=cast(TextIO, _Forgiving(self._err)))

    def _write(self, stream: TextIO, text: str) -> None:
        try:
            stream.write(printable(text) + "\n")
            stream.flush()
        except (BrokenPipeError, ValueError):
            pass
        except OSError:
            self.is_complete = False


class _Forgiving:
    """A stream on which writing does nothing when it cannot be written to any more.

    A view that is redrawn writes from a thread of its own, and whenever it is stopped.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def printable(text: str) -> str:
    """Replace control characters, which names and messages of users' files may contain."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT_CONTROLS else repr(c)[1:-1] for c in text)


def _own_copy(stream: TextIO | None) -> TextIO:
    if stream is None:
        # Closed by whoever started us. This takes its descriptor, so that no other file gets it.
        return Path(os.devnull).open("w", encoding="utf-8")
    try:
        descriptor = os.dup(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return stream
    encoding = getattr(stream, "encoding", None) or "utf-8"
    # What the terminal's encoding cannot say is shown escaped instead of ending the program.
    return os.fdopen(descriptor, "w", encoding=encoding, errors="backslashreplace")


def plural(count: int, noun: str) -> str:
    """Say a number of things: ``1 model``, ``2 models``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def format_bytes(size: float) -> str:
    """Say a size as the status shows it: ``240.0 B``, ``1.99 KB``, ``417.6 MB``."""
    if size < 1024:
        return f"{size:.1f} B"
    for unit in ("KB", "MB", "GB"):
        size /= 1024
        if size < 1024 or unit == "GB":
            break
    return f"{size:.2f} {unit}" if size < 10 else f"{size:.1f} {unit}"


def format_seconds(seconds: float) -> str:
    """Say a duration: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def format_latency(milliseconds: float) -> tuple[str, str]:
    """Say a latency with three significant digits, and its unit: ``13.6``, ``microseconds (us)``.

    What is kept and reported elsewhere is always in ms.
    """
    for factor, unit in _LATENCY_UNITS:
        value = float(f"{milliseconds * factor:.3g}")
        if value < 1000:
            return f"{value:#.3g}".rstrip("."), unit
    # A thousand seconds and more are said in the last unit.
    return f"{value:.0f}", unit
