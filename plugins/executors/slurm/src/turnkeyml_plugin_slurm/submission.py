"""What is written down of each submission, so that its jobs and their results are found again."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.cache.atomic import open_replaced
from turnkeyml.executor import JobSpec

SCHEMA = 1
MANIFEST = "manifest.json"
TASKS = "tasks"
_NUMBER = "number.json"
_VOID = "void.json"
_STARTED, _ENDED, _REVOKED = ".started.json", ".ended.json", ".revoked"
_NAME = "turnkey-"
_NO_IDENTITY = ("input_files", "dry_run", "explain", "skip_policy")


@dataclass(frozen=True)
class Entry:
    """One task of a submission.

    Args:
        key: The job's.
        folder: The job's own.
        fingerprint: Of all that decides what the job does.
        timeout_s: What it may take in seconds; None: no limit.
        memory_bytes: What it may have; None: no limit.
    """

    key: str
    folder: str
    fingerprint: str
    timeout_s: float | None
    memory_bytes: int | None

    @classmethod
    def of(cls, job: JobSpec) -> Entry:
        """Write down a job."""
        limits = job.limits
        return cls(
            job.key, str(job.folder), fingerprint(job), limits.timeout_s, limits.memory_bytes
        )


class Submission:
    """The folder of an array of jobs, in which each task leaves how it has begun and ended.

    As long as the manifest is there, its tasks may run. Without it, one that begins ends at once,
    and one that runs is ended by its supervisor: so jobs end even if Slurm cannot be told.

    Args:
        folder: Its name is the submission's.
        entries: One for each index of the array.
        number: That Slurm gave it, once that is known.
    """

    def __init__(self, folder: Path, entries: Sequence[Entry], number: int | None = None) -> None:
        self.folder = folder
        self.entries = tuple(entries)
        self.number = number
        self.started: dict[int, dict[str, Any]] = {}

    @property
    def name(self) -> str:
        """What Slurm and the folder are called by."""
        return self.folder.name

    @classmethod
    def write(cls, root: Path, entries: Sequence[Entry], extra: dict[str, Any]) -> Submission:
        """Make one that has not been submitted yet.

        Args:
            root: The folder of all of them.
            entries: One for each task.
            extra: More that the tasks are told.
        """
        folder = root / f"{_NAME}{secrets.token_hex(8)}"
        (folder / TASKS).mkdir(parents=True)
        content = {"schema": SCHEMA, "jobs": [vars(entry) for entry in entries], **extra}
        write_json(folder / MANIFEST, content)
        return cls(folder, entries)

    @classmethod
    def read(cls, folder: Path) -> Submission | None:
        """Read one of an earlier command; None if its jobs are not to run any more."""
        try:
            content = read_json(folder / MANIFEST)
            entries = [Entry(**job) for job in content["jobs"]]
        except (OSError, ValueError, TypeError, KeyError):
            return None
        number = None
        with suppress(OSError, ValueError, TypeError, KeyError):
            number = int(read_json(folder / _NUMBER)["number"])
        return cls(folder, entries, number)

    def keep_number(self, number: int) -> None:
        """Write down the number that Slurm gave."""
        self.number = number
        write_json(self.folder / _NUMBER, {"schema": SCHEMA, "number": number})

    def ended(self) -> set[int]:
        """Look which tasks have left how they ended; takes note of those that have begun."""
        found = set()
        # Listing the folder is also what makes a network's file system look for new files.
        for path in _list(self.folder / TASKS):
            index, _, kind = path.name.partition(".")
            if f".{kind}" == _ENDED:
                found.add(int(index))
            elif f".{kind}" == _STARTED and int(index) not in self.started:
                with suppress(OSError, ValueError):
                    self.started[int(index)] = read_json(path)
        return found

    def end(self, index: int) -> dict[str, Any]:
        """Read how a task ended.

        Raises:
            OSError, ValueError: It cannot be read.
        """
        return read_json(end_file(self.folder, index))

    def is_revoked(self, index: int) -> bool:
        """Tell whether a task was given up."""
        return revoked_file(self.folder, index).exists()

    def revoke(self, index: int) -> None:
        """Give up one task: should it still run, it ends."""
        with suppress(OSError):
            revoked_file(self.folder, index).touch()

    def void(self) -> None:
        """Give up all tasks; the folder stays, so that a later command cancels them, too."""
        with suppress(OSError):
            (self.folder / MANIFEST).replace(self.folder / _VOID)

    def remove(self) -> None:
        """Take the folder away."""
        self.void()
        shutil.rmtree(self.folder, ignore_errors=True)


def earlier_submissions(root: Path) -> tuple[list[Submission], list[Path]]:
    """Give the submissions of earlier commands, oldest first, and the folders of those given up."""
    folders = [path for path in _list(root) if path.name.startswith(_NAME)]
    folders.sort(key=_age)
    read = [(folder, Submission.read(folder)) for folder in folders]
    return [one for _, one in read if one], [folder for folder, one in read if one is None]


def _age(folder: Path) -> float:
    try:
        return (folder / MANIFEST).stat().st_mtime
    except OSError:
        return 0.0


def _list(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def start_file(folder: Path, index: int) -> Path:
    """Name the file in which a task says that it has begun."""
    return folder / TASKS / f"{index}{_STARTED}"


def end_file(folder: Path, index: int) -> Path:
    """Name the file in which a task says how it has ended."""
    return folder / TASKS / f"{index}{_ENDED}"


def revoked_file(folder: Path, index: int) -> Path:
    """Name the file that ends a task."""
    return folder / TASKS / f"{index}{_REVOKED}"


def fingerprint(job: JobSpec) -> str:
    """Give a digest of what a job does, by which a later command knows whether it wants the same.

    What is only said about it does not count, and neither does the number of the attempt.
    """
    request = job.request.to_json()
    request.pop("title", None)
    for name in _NO_IDENTITY:
        request["options"].pop(name, None)
    parts = [request, job.source.to_json(), vars(job.limits), list(job.without)]
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file that is whole or not there."""
    with open_replaced(path) as file:
        json.dump(content, file)


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote.

    Raises:
        OSError, ValueError: It cannot be read, or is something else.
    """
    content = json.loads(path.read_text("utf-8"))
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(f"{path} is not of this version.")
    return content
