"""Calls that may take long, made beside a generator that must not stand still."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any, TypeVar

T = TypeVar("T")

_TICK_S = 0.05
_YIELD_S = 0.25


class Background:
    """Two threads: one call may wait for its answer while another is made."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2, "slurm")
        self._begun: set[Future[Any]] = set()

    def begin(self, call: Callable[[], T]) -> Future[T]:
        """Make a call, and do not wait for it."""
        future = self._pool.submit(call)
        self._begun = {one for one in self._begun if not one.done()} | {future}
        return future

    def wait(self, call: Callable[[], T]) -> Generator[None, None, T]:
        """Make a call, and give None while it lasts."""
        future = self.begin(call)
        while not future.done():
            yield from pause(_YIELD_S, future.done)
        return future.result()

    def drain(self, seconds: float) -> None:
        """Wait for the calls that are being made, but not for long."""
        wait_for(self._begun, timeout=seconds)

    def close(self) -> None:
        """Make no more calls."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def pause(
    seconds: float, is_over: Callable[[], bool] = lambda: False
) -> Generator[None, None, None]:
    """Let time pass, giving None several times a second, and at least once."""
    now = time.monotonic()
    until, given = now + seconds, now
    while not is_over() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _TICK_S))
        if time.monotonic() - given >= _YIELD_S:
            given = time.monotonic()
            yield None
    yield None
