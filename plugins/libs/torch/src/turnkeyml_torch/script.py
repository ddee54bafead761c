"""Runs a Python script inside this process, as `python SCRIPT ARGUMENTS` would.

The script reads this process's stdin. `os._exit` ends the script, unless a thread of its own calls
it: then the process ends, and nothing can be told about it. A child it forks ends where the script
does: it never returns from here. A script meant for `torchrun` finds none of torchrun's environment
variables, and runs as one process.
"""

from __future__ import annotations

import enum
import os
import sys
import threading
import time
import traceback
import types
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml_torch.hard_exit import HardExit, caught_hard_exits
from turnkeyml_torch.naming import WRAPPER_MARK
from turnkeyml_torch.process_state import ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_POLL_S = 0.005
_IDLE_LOOKS = 2


class EndKind(enum.Enum):
    """How a script ended: at its last line, by `sys.exit`, `os._exit`, or by an exception."""

    FINISHED = "finished"
    EXITED = "exited"
    CUT_OFF = "cut off"
    RAISED = "raised"


@dataclass(frozen=True, eq=False)
class ScriptEnd:
    """What became of a script.

    `code` is the exit code that python would have given. `exception` and `traceback_text` (as
    python prints it, without frames of ours) belong to RAISED. `module` is the script's
    `__main__`; keep it for as long as its models are used. `seconds` runs from its first line to
    its last, threads it left running included.
    """

    kind: EndKind
    code: int
    exception: BaseException | None
    traceback_text: str
    module: types.ModuleType
    seconds: float


def run_script(path: str | os.PathLike[str], argv: Sequence[str] = ()) -> ScriptEnd:
    """Run a script with `__name__ == "__main__"`, its arguments, and its folder first on the path.

    Afterwards the process is as before: `sys.argv`, `sys.path`, `__main__`, the modules imported
    from the script's folder, working directory, environment, warning filters, standard streams,
    and torch's random state, default dtype and device, grad mode and thread count. `sys.exit` and
    exceptions end the script only; KeyboardInterrupt passes through.

    Raises:
        OSError: the file cannot be read.

    """
    file = Path(path).absolute()
    source = file.read_bytes()
    main = types.ModuleType("__main__")
    main.__file__ = str(file)
    main.__loader__ = SourceFileLoader("__main__", str(file))
    main.__dict__["__builtins__"] = __builtins__
    main.__dict__["__cached__"] = None
    state = ProcessState.take(file.parent)
    pid = os.getpid()
    kind, code, error = EndKind.FINISHED, 0, None
    start = time.perf_counter()
    try:
        sys.argv = [os.fspath(path), *argv]
        sys.path.insert(0, str(file.parent))
        sys.modules["__main__"] = main
        code_of_script = compile(source, str(file), "exec", dont_inherit=True)
        with caught_hard_exits():
            exec(code_of_script, main.__dict__)  # noqa: S102
    except SystemExit as exit_:
        kind, code = EndKind.EXITED, _exit_code(exit_)
    except HardExit as exit_:
        kind, code = EndKind.CUT_OFF, exit_.code
    except KeyboardInterrupt:
        if os.getpid() != pid:
            _end_child(130, None)
        state.restore()
        raise
    except BaseException as raised:  # noqa: BLE001 - the script's own, whatever it is
        kind, code, error = EndKind.RAISED, 1, raised
    text = format_error(error) if error is not None else ""
    if os.getpid() != pid:
        _end_child(code, text)
    try:
        _wait_for_threads(state.threads)
        seconds = time.perf_counter() - start
    finally:
        state.restore()
    return ScriptEnd(kind, code, error, text, main, seconds)


def format_error(error: BaseException) -> str:
    """Format an exception as python does, without the frames of this package."""
    shown = traceback.TracebackException.from_exception(error)
    _strip(shown, error)
    return "".join(shown.format())


def _strip(shown: Any, error: BaseException | None) -> None:
    """Take our frames out of a formatted exception, and out of those that led to it."""
    if shown is None or error is None:
        return
    frames = list(traceback.walk_tb(error.__traceback__))
    if len(frames) == len(shown.stack):
        kept = [
            summary
            for (frame, _), summary in zip(frames, shown.stack, strict=True)
            if not _is_ours(frame)
        ]
        shown.stack[:] = kept
    _strip(shown.__cause__, error.__cause__)
    _strip(shown.__context__, error.__context__)
    for inner, raised in zip(
        getattr(shown, "exceptions", None) or (), getattr(error, "exceptions", ()), strict=False
    ):
        _strip(inner, raised)


def _is_ours(frame: types.FrameType) -> bool:
    folder = f"{Path(__file__).parent}{os.sep}"
    code = frame.f_code
    return code.co_filename.startswith(folder) or WRAPPER_MARK in code.co_freevars


def _exit_code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code
    sys.stderr.write(f"{error.code}\n")
    return 1


def _end_child(code: int, text: str | None) -> None:
    """End a process that the script forked: it must not go on as if it were us."""
    if text:
        sys.stderr.write(text)
    for stream in (sys.stdout, sys.stderr):
        flush: Callable[[], None] | None = getattr(stream, "flush", None)
        if flush is not None:
            flush()
    os._exit(code & 0xFF)


def _wait_for_threads(before: frozenset[int]) -> None:
    """Wait for the threads the script started, as python does before it ends."""
    for thread in threading.enumerate():
        if thread.daemon or thread.ident in before or thread is threading.current_thread():
            continue
        idle = 0
        while thread.is_alive() and idle < _IDLE_LOOKS:
            thread.join(_POLL_S)
            idle = idle + 1 if _waits_for_work(thread) else 0


def _waits_for_work(thread: threading.Thread) -> bool:
    """Tell whether a thread of a ThreadPoolExecutor has nothing to do: it need not end."""
    frame = sys._current_frames().get(thread.ident or 0)
    if frame is None or frame.f_code is not _pool_worker_code():
        return False
    values = frame.f_locals
    queue = values.get("work_queue")
    return values.get("work_item") is None and (queue is None or queue.empty())


def _pool_worker_code() -> Any:
    pools = sys.modules.get("concurrent.futures.thread")
    return getattr(getattr(pools, "_worker", None), "__code__", None)
