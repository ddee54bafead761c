"""What runs in a Slurm job: ``python -m turnkeyml_plugin_slurm.task FOLDER``.

It runs one job of a submission in a process of its own, keeps the exact limits, and leaves how it
ended, whatever becomes of that process.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from turnkeyml.errors import CacheError, TurnkeyError
from turnkeyml.execution.isolated.executor import IsolatedExecutor
from turnkeyml.execution.isolated.messages import end_to_json
from turnkeyml.execution.isolated.system import OutOfMemoryKills
from turnkeyml.execution.job_folder import read_job, read_report
from turnkeyml.executor import Ended, Ending, ExecutorSetup, JobEnd, JobSpec, Limits
from turnkeyml.plugins.registry import load_registry
from turnkeyml_plugin_slurm.states import NOT_SEEN, out_of_memory_end
from turnkeyml_plugin_slurm.submission import (
    MANIFEST,
    SCHEMA,
    end_file,
    read_json,
    revoked_file,
    start_file,
    write_json,
)

_WATCH_S = 5.0
_GONE_LOOKS = 3
"""A network's file system may fail to find a file once, although it is there."""
_ENDED_FROM_OUTSIDE = 128 + signal.SIGTERM


class _OneJob:
    """A queue of one job."""

    def __init__(self, job: JobSpec) -> None:
        self._jobs = [job]

    def take(self) -> JobSpec | None:
        """Give it once."""
        return self._jobs.pop() if self._jobs else None

    def __len__(self) -> int:
        return len(self._jobs)


class _Ending:
    """Whether somebody wants the job to end: Slurm, or the user's command.

    Args:
        folder: The submission's.
        index: The task's.
        watch_s: How often it looks whether the job is still wanted, in seconds.
    """

    def __init__(self, folder: Path, index: int, watch_s: float) -> None:
        self._manifest = folder / MANIFEST
        self._revoked = revoked_file(folder, index)
        self._watch_s = watch_s
        self._looked = time.monotonic()
        self._gone = 0
        self.was_signalled = False
        signal.signal(signal.SIGTERM, self._take_signal)

    def _take_signal(self, number: int, frame: FrameType | None) -> None:
        self.was_signalled = True

    def is_given_up(self) -> bool:
        """Tell whether the submission has been taken back; looks every few seconds."""
        now = time.monotonic()
        if now - self._looked >= self._watch_s:
            self._looked = now
            self._gone = self._gone + 1 if self._is_gone() else 0
        return self._gone >= _GONE_LOOKS

    def _is_gone(self) -> bool:
        try:
            self._manifest.stat()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return self._revoked.exists()

    def is_set(self) -> bool:
        """Whether no job is to be taken: there is only one."""
        return False


def run_task(folder: Path, index: int) -> int:
    """Run one task of a submission, and give the exit code that Slurm is told.

    Args:
        folder: The submission's.
        index: The task's, in the array.
    """
    manifest = _manifest(folder)
    if manifest is None:
        return NOT_SEEN
    if revoked_file(folder, index).exists():
        return _ENDED_FROM_OUTSIDE
    ending = _Ending(folder, index, manifest.get("watch_s", _WATCH_S))
    write_json(start_file(folder, index), {"schema": SCHEMA, **_place()})
    if "probe" in manifest:
        seen = {path: Path(path).exists() for path in manifest["probe"]}
        write_json(end_file(folder, index), {"schema": SCHEMA, **_place(), "seen": seen})
        return 0
    content, code = _run(manifest, index, ending)
    if content is None:
        # Nobody wants to know any more.
        return _ENDED_FROM_OUTSIDE
    write_json(end_file(folder, index), {"schema": SCHEMA, **_place(), **content})
    return code


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        return read_json(folder / MANIFEST)
    except (OSError, ValueError):
        return None


def _place() -> dict[str, Any]:
    """Say where this runs, in the words of Slurm."""
    array = os.environ.get("SLURM_ARRAY_JOB_ID", os.environ.get("SLURM_JOB_ID", ""))
    return {"node": os.environ.get("SLURMD_NODENAME") or socket.gethostname(), "array_id": array}


def _run(
    manifest: dict[str, Any], index: int, ending: _Ending
) -> tuple[dict[str, Any] | None, int]:
    """Run a job to its end, and give what is written down of it."""
    entry = manifest["jobs"][index]
    folder = Path(entry["folder"])
    try:
        job, _ = read_job(folder)
    except CacheError as error:
        return {"end": end_to_json(JobEnd(Ending.LOST, str(error)))}, 1
    job = replace(job, limits=Limits(entry["timeout_s"], entry["memory_bytes"]))
    executor = IsolatedExecutor(fresh=True, output_limit_mb=manifest["output_limit_mb"])
    before = OutOfMemoryKills.count()
    end: JobEnd | None = None
    with tempfile.TemporaryDirectory(prefix="turnkey-slurm-") as own:
        # Plugins are the job's to load; watching over it needs none.
        nothing = load_registry([])
        setup = ExecutorSetup(nothing, {}, Path(manifest["cache_dir"]), Path(own), 1)
        with closing(executor.run(_OneJob(job), setup, ending)) as events:
            for event in events:
                if isinstance(event, Ended):
                    end = event.end
                if ending.was_signalled or ending.is_given_up():
                    break
    if end is None:
        # Why Slurm wanted it to end is for Slurm to tell.
        return ({"signalled": True}, _ENDED_FROM_OUTSIDE) if ending.was_signalled else (None, 0)
    if end.ending is Ending.OUT_OF_MEMORY and OutOfMemoryKills.count().here > before.here:
        told = out_of_memory_end("It")
        end = replace(end, message=told.message, hint=told.hint)
    return _content(job, end)


def _content(job: JobSpec, end: JobEnd) -> tuple[dict[str, Any], int]:
    content: dict[str, Any] = {"end": end_to_json(end)}
    report = None
    if end.ending is Ending.REPORTED:
        try:
            report = read_report(job.folder)
        except CacheError as error:
            return {"end": end_to_json(JobEnd(Ending.LOST, str(error)))}, 1
    if report is not None:
        # The job's folder is the command's, which may begin it anew; this copy is ours.
        content["report"] = report.to_json()
    return content, int(report is None or report.failed)


def main() -> None:
    """Run the task that Slurm's environment names."""
    folder, index = Path(sys.argv[1]), int(os.environ["SLURM_ARRAY_TASK_ID"])
    try:
        code = run_task(folder, index)
    except TurnkeyError as error:
        end = JobEnd(Ending.LOST, error.message, error.hint)
        write_json(end_file(folder, index), {"schema": SCHEMA, **_place(), "end": end_to_json(end)})
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
