"""Ctrl-C during a command of many inputs: once ends it cleanly, twice ends it now."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

from turnkeyml.console import Console


class Interruption:
    """Says whether the user wants the command to end after what runs.

    As a context manager it takes Ctrl-C over, unless this is not the main thread, which is the only
    one that may.

    Args:
        console: Where it is said what the first one does.
        watched: Whether Ctrl-C is taken over at all; a command of one input just ends.
    """

    def __init__(self, console: Console, *, watched: bool) -> None:
        self._console = console
        self._watched = watched and threading.current_thread() is threading.main_thread()
        self._said = False
        self._before: Any = None

    def is_set(self) -> bool:
        """Tell whether it was said."""
        return self._said

    def __enter__(self) -> Interruption:
        if self._watched:
            self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *details: object) -> None:
        if self._watched:
            signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._said:
            raise KeyboardInterrupt
        self._said = True
        # Python refuses to print in the middle of printing; that it stops is what counts.
        with suppress(RuntimeError):
            self._console.progress(
                "\nStopping after what runs now. Press Ctrl-C again to stop at once."
            )
