"""How a job's process ended, in words."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from turnkeyml.execution.isolated.system import OutOfMemoryKills
from turnkeyml.execution.job_folder import REPORT
from turnkeyml.executor import Ending, JobEnd

_TAIL_BYTES = 1 << 12
_LAST_LINE_LENGTH = 200
_STACK = "The Python code that was running then stands at the end of its log."
_HINTS = {
    signal.SIGSEGV: _STACK,
    signal.SIGABRT: f"A library gave up; its reason is in the log. {_STACK}",
    signal.SIGBUS: "A file in memory was cut off, or there is no room in /dev/shm or on the disk. "
    f"{_STACK}",
    signal.SIGILL: "A library uses an instruction that this processor does not have. " + _STACK,
    signal.SIGFPE: _STACK,
    signal.SIGXCPU: "The shell limits processor time; see: ulimit -t",
    signal.SIGXFSZ: "The shell limits the size of files; see: ulimit -f",
}
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
_FEWER = "Take a smaller model or input, or run fewer side by side with --jobs."


@dataclass(frozen=True)
class Watched:
    """What was seen of a job.

    Args:
        folder: The job's own.
        output: A descriptor of the file it prints to, which may be deleted by now.
        output_file: That file.
        status: As ``os.waitpid`` gives it; None if the process did not end although it was killed.
        killed_for: Why we ended it, if we did.
        peak_memory_bytes: The most memory its processes had at once.
        oom_before: The kernel's counters when it began.
    """

    folder: Path
    output: int
    output_file: Path
    status: int | None
    killed_for: JobEnd | None
    peak_memory_bytes: int | None
    oom_before: OutOfMemoryKills


def timeout_end(seconds: float) -> JobEnd:
    """Say that a job took too long."""
    return JobEnd(
        Ending.TIMEOUT,
        f"It took longer than {seconds:g} s and was ended.",
        "Look at what it printed last, or give it more time with --timeout.",
    )


def memory_end(used: int, limit: int) -> JobEnd:
    """Say that a job had more memory than it was allowed to."""
    return JobEnd(
        Ending.OUT_OF_MEMORY,
        f"Its processes had {_size(used)} of memory, more than the limit of {_size(limit)}, "
        "and were ended.",
        "Give it more with --memory-limit, or take a smaller model or input.",
    )


def output_end(path: str, limit: int) -> JobEnd:
    """Say that a job wrote without end."""
    return JobEnd(
        Ending.OUTPUT_LIMIT,
        f"It printed more than {_size(limit)} and was ended.",
        f"The beginning and the end are in {path}. If it has to be so much: "
        "--executor-args output_limit_mb::1000",
    )


def lost_end() -> JobEnd:
    """Say that a job's supervisor went away, and the job with it."""
    return JobEnd(
        Ending.LOST,
        "The process that watched over it was ended by somebody, so it was ended too.",
        "If its script ends its parent process (os.getppid), take that out.",
    )


def unwritable_end(folder: Path, error: OSError) -> JobEnd:
    """Say that a job could not be begun."""
    return JobEnd(
        Ending.LOST,
        f"It could not be begun: its folder {folder} cannot be written: {error.strerror or error}.",
        "Look whether the disk is full, or the folder was deleted.",
    )


def end_of(watched: Watched) -> JobEnd:
    """Say how a job ended, from what was seen of it."""
    peak = watched.peak_memory_bytes
    if (watched.folder / REPORT).exists():
        return JobEnd(Ending.REPORTED, peak_memory_bytes=peak)
    if watched.killed_for is not None:
        end = watched.killed_for
    elif watched.status is None:
        end = lost_end()
    elif os.WIFSIGNALED(watched.status):
        end = _signal_end(watched, os.WTERMSIG(watched.status))
    else:
        end = _exit_end(watched, os.waitstatus_to_exitcode(watched.status))
    return JobEnd(end.ending, end.message, end.hint, peak)


def _signal_end(watched: Watched, number: int) -> JobEnd:
    try:
        known = signal.Signals(number)
    except ValueError:
        return JobEnd(Ending.CRASHED, f"It was ended by signal {number}.")
    if known is signal.SIGKILL:
        return _killed_end(watched.oom_before)
    name = f"{(signal.strsignal(number) or known.name).lower()} ({known.name})"
    if known in _CRASHES:
        return JobEnd(Ending.CRASHED, f"It crashed: {name}.", _HINTS[known])
    hint = _HINTS.get(known, "Somebody sent it this signal; turnkey did not.")
    return JobEnd(Ending.CRASHED, f"It was ended by a signal: {name}.", hint)


def _killed_end(before: OutOfMemoryKills) -> JobEnd:
    """Explain a SIGKILL that we have not sent: only the kernel's counters prove whose it was."""
    now = OutOfMemoryKills.count()
    if now.here > before.here:
        what = "The memory that this machine gives to turnkey ran out, and the kernel ended it."
    elif now.anywhere > before.anywhere:
        what = "The machine ran out of memory, and the kernel ended it."
    else:
        what = (
            "It was ended by SIGKILL, which turnkey did not send; probably memory ran out, or "
            "somebody ended it."
        )
    return JobEnd(Ending.OUT_OF_MEMORY, what, _FEWER)


def _exit_end(watched: Watched, code: int) -> JobEnd:
    if not watched.folder.exists():
        return JobEnd(
            Ending.EXITED,
            f"Its folder was deleted while it ran, and it ended with exit code {code}.",
            f"Nothing but turnkey may delete {watched.folder}.",
        )
    error = _last_error(watched.output)
    return JobEnd(
        Ending.EXITED,
        f"It ended with exit code {code} before it was done{f': {error}' if error else '.'}",
        f"What it printed last is in {watched.output_file}",
    )


def _last_error(output: int) -> str:
    """Give the last line of a traceback, if that is what the output ends with."""
    size = os.fstat(output).st_size
    tail = os.pread(output, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    lines = tail.decode("utf-8", "replace").rstrip().splitlines()
    if not any(line.startswith("Traceback (most recent call last)") for line in lines[:-1]):
        return ""
    line = lines[-1].strip()
    return line if len(line) <= _LAST_LINE_LENGTH else f"{line[:_LAST_LINE_LENGTH]}..."


def _size(number: int) -> str:
    if number >= 10**9:
        return f"{number / 1e9:.2f} GB"
    return f"{number / 1e6:.0f} MB"
