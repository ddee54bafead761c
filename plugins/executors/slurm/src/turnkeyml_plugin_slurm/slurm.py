"""Slurm's own commands, and what their answers mean."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from turnkeyml.errors import TurnkeyError, UsageError

COMMANDS = ("sbatch", "squeue", "scancel", "scontrol")
DEFAULT_ARRAY_SIZE = 1001
"""What Slurm allows if its administrator said nothing else."""

_TIMEOUT_S = 60.0
_AWAY = (
    "unable to contact slurm controller",
    "connect failure",
    "connection failure",
    "connection refused",
    "socket timed out",
    "zero bytes were transmitted",
    "message receive failure",
    "in standby mode",
    "slurm temporarily unable",
    "resource temporarily unavailable",
)
_TOO_MANY = ("submitjoblimit", "submitjobsperuser", "maxsubmitjob", "job submit limit")
_UNKNOWN = ("invalid job id",)
_KEPT = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT", "SLURM_CLUSTERS")
_FORMAT = "%j|%F|%K|%T|%N|%r"


class SlurmAwayError(TurnkeyError):
    """The controller does not answer; it may later."""


class SlurmRefusedError(UsageError):
    """The controller does not take such a job."""


class SlurmFullError(SlurmRefusedError):
    """The user has as many jobs as are allowed; later there may be room."""


@dataclass(frozen=True)
class TaskState:
    """What Slurm says of one task of an array.

    Args:
        array_id: The array's number.
        state: In Slurm's words, such as ``RUNNING``.
        node: Where it runs or ran; empty if it did not begin.
        reason: Why it waits, or why it ended.
        exit_code: Of the batch script, where it was asked for.
        signal: That ended the batch script, where it was asked for; 0: none.
    """

    array_id: int
    state: str
    node: str = ""
    reason: str = ""
    exit_code: int | None = None
    signal: int | None = None


TaskName = tuple[str, int]
"""A submission's name, and the task's index in its array."""

REST = -1
"""Stands for all tasks of an array that were cancelled together before they began: Slurm then knows
them as one."""


class Slurm:
    """Calls Slurm's commands. Every method may be called in any thread, and may take a minute.

    Jobs are known by their name, which only one submission has: after it lost its memory, a
    controller gives numbers a second time.
    """

    def __init__(self, timeout_s: float = _TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def missing_commands(self) -> list[str]:
        """Name the commands that are not there."""
        return [name for name in COMMANDS if shutil.which(name) is None]

    def submit(self, arguments: Sequence[str]) -> int:
        """Call sbatch, and give the number of the job.

        The job gets the environment of this process, without what Slurm has set in it if this
        process is itself part of a job.

        Raises:
            SlurmAwayError: It is not known whether the job was submitted.
            SlurmRefusedError: It was not, and will not be.
        """
        output = self._call(["sbatch", "--parsable", *arguments], own_environment())
        text = output.strip().splitlines()[-1:] or [""]
        try:
            return int(text[0].partition(";")[0])
        except ValueError as error:
            raise SlurmAwayError(f"sbatch answered {text[0]!r}, and no number of a job.") from error

    def test(self, arguments: Sequence[str]) -> None:
        """Ask whether such a job would be taken, without submitting it.

        Raises:
            SlurmAwayError, SlurmRefusedError: It would not.
        """
        self._call(["sbatch", "--test-only", *arguments], own_environment())

    def tasks(self, names: Iterable[str]) -> dict[TaskName, TaskState]:
        """Give all tasks of these submissions that the controller knows.

        Raises:
            SlurmAwayError: The controller does not answer.
        """
        wanted = sorted(names)
        if not wanted:
            return {}
        words = ["squeue", "--noheader", "--array", "--states=all", f"--format={_FORMAT}"]
        words += [f"--user={os.getuid()}", f"--name={','.join(wanted)}"]
        found = {}
        for line in self._ask(words).splitlines():
            fields = line.split("|", _FORMAT.count("|"))
            if len(fields) != _FORMAT.count("|") + 1 or not fields[1].isdigit():
                continue
            name, array, index, state, node, reason = fields
            number = int(index) if index.isdigit() else REST
            found[name, number] = TaskState(int(array), state, node, reason)
        return found

    def explain(self, name: str, array_id: int, index: int) -> TaskState | None:
        """Ask for all that is known of a task that has ended; None if nobody knows it.

        Raises:
            SlurmAwayError: The controller does not answer.
        """
        try:
            record = self._ask(["scontrol", "-o", "show", "job", f"{array_id}_{index}"])
        except SlurmRefusedError:
            return self._from_accounting(name, index)
        fields = dict(word.partition("=")[::2] for word in record.split() if "=" in word)
        if fields.get("JobName") != name:
            return self._from_accounting(name, index)
        code, signal = _exit_code(fields.get("ExitCode", ""))
        node = fields.get("NodeList", "").replace("(null)", "")
        state, reason = fields.get("JobState", ""), fields.get("Reason", "")
        return TaskState(array_id, state, node, reason, code, signal)

    def _from_accounting(self, name: str, index: int) -> TaskState | None:
        if shutil.which("sacct") is None:
            return None
        words = ["sacct", "--noheader", "--parsable2", "--allocations", f"--name={name}"]
        try:
            answer = self._ask([*words, "--format=JobID,State,ExitCode,NodeList"])
        except (SlurmAwayError, SlurmRefusedError):
            # Many clusters keep no accounts.
            return None
        for line in answer.splitlines():
            job, state, code, node = (*line.split("|"), "", "", "")[:4]
            array, _, task = job.partition("_")
            if task == str(index) and array.isdigit():
                # "CANCELLED by 1000"
                word = state.partition(" ")[0]
                return TaskState(int(array), word, node, "", *_exit_code(code))
        return None

    def cancel(
        self, names: Iterable[str], *, task: str | None = None, only_waiting: bool = False
    ) -> None:
        """End jobs; nothing happens to those that have ended.

        Args:
            names: Of submissions.
            task: Only this one, as ``12_3``.
            only_waiting: Only those that have not begun.

        Raises:
            SlurmAwayError: The controller does not answer.
        """
        for name in names:
            words = ["scancel", "--quiet", f"--user={os.getuid()}", f"--name={name}"]
            words += ["--state=PENDING"] if only_waiting else []
            try:
                self._ask([*words, *([task] if task else [])])
            except SlurmRefusedError as error:
                if not any(sign in error.message.lower() for sign in (*_UNKNOWN, "already")):
                    raise

    def set_throttle(self, array_id: int, limit: int) -> None:
        """Let so many tasks of an array run at once.

        Raises:
            SlurmAwayError, SlurmRefusedError: It stays as it was.
        """
        self._ask(["scontrol", "update", f"JobId={array_id}", f"ArrayTaskThrottle={limit}"])

    def array_size(self) -> int:
        """Ask how many tasks an array may have.

        Raises:
            SlurmAwayError: The controller does not answer.
        """
        for line in self._ask(["scontrol", "show", "config"]).splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "MaxArraySize" and value.strip().isdigit():
                return int(value)
        return DEFAULT_ARRAY_SIZE

    def close(self) -> None:
        """End all commands that still run, so that nobody waits for them."""
        with self._lock:
            self._closed = True
            for process in self._running:
                process.kill()

    def _ask(self, words: Sequence[str]) -> str:
        # What is printed must not depend on the user's settings.
        plain = {"LC_ALL": "C", "SLURM_TIME_FORMAT": "standard", "SLURM_BITSTR_LEN": "0"}
        own = {k: v for k, v in own_environment().items() if not k.startswith("SQUEUE_")}
        return self._call(words, {**own, **plain})

    def _call(self, words: Sequence[str], environment: Mapping[str, str]) -> str:
        process = self._start(words, environment)
        try:
            output, errors = process.communicate(timeout=self._timeout_s)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.communicate()
            raise SlurmAwayError(f"{words[0]} did not answer in {self._timeout_s:g} s.") from error
        finally:
            with self._lock:
                self._running.discard(process)
        if process.returncode == 0:
            return output
        raise _error_of(words[0], errors or output)

    def _start(self, words: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        with self._lock:
            if self._closed:
                raise SlurmAwayError("Slurm is not asked any more.")
            try:
                process = subprocess.Popen(
                    list(words),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                    env=dict(environment),
                    # Ctrl-C is for turnkey: an sbatch that is cut off leaves nobody who knows.
                    start_new_session=True,
                )
            except OSError as error:
                raise SlurmAwayError(f"{words[0]} cannot be run: {error.strerror}.") from error
            self._running.add(process)
            return process


def own_environment() -> dict[str, str]:
    """Give this process's environment without what a Slurm job has set in it, or would disturb."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT
        or not name.startswith(("SLURM_", "SLURMD_", "SBATCH_WAIT", "SBATCH_ARRAY"))
    }


def escape_pattern(path: Path) -> str:
    """Write a path as sbatch takes it where ``%`` begins a pattern."""
    return str(path).replace("%", "%%")


def _exit_code(text: str) -> tuple[int | None, int | None]:
    code, _, signal = text.partition(":")
    return (int(code) if code.isdigit() else None), (int(signal) if signal.isdigit() else None)


def _error_of(command: str, text: str) -> TurnkeyError:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    meant = [line for line in lines if not line.startswith("Try ")] or ["it gave no reason"]
    lowered = text.lower()
    sentence = _without_prefix(meant[-1])
    if any(sign in lowered for sign in _AWAY):
        return SlurmAwayError(f"{command}: {sentence}.")
    if any(sign in lowered for sign in _TOO_MANY):
        return SlurmFullError(f"{command}: {sentence}.")
    return SlurmRefusedError(f"{command}: {sentence}.")


def _without_prefix(line: str) -> str:
    """Take away what every line of Slurm begins with."""
    for prefix in ("sbatch:", "scancel:", "squeue:", "scontrol:", "error:", "allocation failure:"):
        line = line.removeprefix(prefix).strip()
    return line.rstrip(".")
