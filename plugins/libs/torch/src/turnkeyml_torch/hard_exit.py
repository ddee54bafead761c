"""What `os._exit` does in a script that runs inside this process: it ends the script."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator


class HardExit(BaseException):
    """The script called `os._exit` with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@contextlib.contextmanager
def caught_hard_exits() -> Iterator[None]:
    """Make `os._exit` raise `HardExit` in this thread of this process.

    Processes that the script forks, and its other threads, end as they would otherwise.
    """
    process, thread = os.getpid(), threading.get_ident()
    real: Any = os._exit

    def leave(status: int) -> NoReturn:
        if os.getpid() != process or threading.get_ident() != thread:
            real(status)
        raise HardExit(status)

    os._exit = leave
    try:
        yield
    finally:
        os._exit = real
