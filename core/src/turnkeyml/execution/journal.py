"""The journal of a command: what of it has ended, so that the same command goes on from there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from turnkeyml.cache.atomic import append
from turnkeyml.cache.locks import held_lock
from turnkeyml.errors import CacheError
from turnkeyml.execution.json_values import MALFORMED, items, text, whole
from turnkeyml.execution.reports import JobReport, ModelReport
from turnkeyml.executor import Ending, JobSpec

SCHEMA = 1
COMMANDS = ".commands"
"""The folder of a cache in which each command has a folder of its own."""

LOCK = "journal.lock"
"""Whoever holds it works on the command."""

JOURNAL = "journal.jsonl"
_MAKE_ROOM = "Make room; the same command then goes on from here."


def command_digest(request: Mapping[str, Any], paths: list[str]) -> str:
    """Give what a command is known by: its inputs and options, in 16 hexadecimal digits.

    Args:
        request: As `RunRequest.to_json` gives it.
        paths: The files that its inputs are.
    """
    text = json.dumps([request, paths], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Journal:
    """Says what has ended, a line each; the file only grows, and a torn last line does not count.

    Args:
        folder: The command's own, in the folder of commands of a cache.
    """

    def __init__(self, folder: Path) -> None:
        self._cache = folder.parent.parent
        self._path = folder / JOURNAL
        self._is_ours = False
        self.ended: dict[str, tuple[Ending, JobReport]] = {}
        self.begun: dict[str, int] = {}
        self.known: dict[str, dict[str, ModelReport]] = {}

    @property
    def is_continued(self) -> bool:
        """Whether an earlier command of the same kind was cut off."""
        return bool(self.begun or self.ended)

    def read(self) -> None:
        """Read what an earlier command left; one that had finished counts for nothing.

        Raises:
            CacheError: The file cannot be read.
        """
        if self._path.is_symlink():
            return
        try:
            lines = self._path.read_bytes().split(b"\n") if self._path.is_file() else []
        except OSError as error:
            raise CacheError(f"{self._path} cannot be read: {error.strerror or error}.") from error
        for line in lines:
            # A line that cannot be read is an event that is not known: its job is run again.
            with suppress(*MALFORMED):
                self._take(json.loads(line))

    def _take(self, event: Mapping[str, Any]) -> None:
        kind = event["event"]
        if kind in ("command", "finished"):
            self.ended, self.begun, self.known = {}, {}, {}
            # What another version of turnkey has noted is not gone on with.
            self._is_ours = kind == "command" and event["schema"] == SCHEMA
        elif kind == "begun" and self._is_ours:
            key, attempt = text(event["job"]), whole(event["attempt"])
            models = items(ModelReport.from_json, event["known"])
            self.begun[key] = attempt
            self.ended.pop(key, None)
            self.known[key] = {m.name: m.moved_to(self._cache) for m in models}
        elif kind == "ended" and self._is_ours:
            key, ending = text(event["job"]), Ending(event["ending"])
            before = Path(text(event["cache"]))
            report = JobReport.from_json(event["report"]).moved_to(self._cache, before)
            self.ended[key] = (ending, report)

    def forget_failed(self) -> None:
        """Take what has failed for not run."""
        failed = [key for key, (_, report) in self.ended.items() if report.failed]
        for key in failed:
            for events in (self.ended, self.begun, self.known):
                events.pop(key, None)
        for key, models in self.known.items():
            self.known[key] = {m.name: m for m in models.values() if not m.failed}

    def command(self, words: str, jobs: int) -> None:
        """Note that a command begins, unless one is gone on with.

        Raises:
            CacheError: It cannot be written down, as none of what follows.
        """
        if self.is_continued:
            # The last line may have been cut off.
            self._write(b"\n")
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise _not_written(self._path, error) from error
        self._add({"event": "command", "schema": SCHEMA, "words": words, "jobs": jobs})

    def job_begun(self, job: JobSpec, known: Mapping[str, ModelReport]) -> None:
        """Note that a job was handed to an executor.

        Args:
            job: The job.
            known: Models that earlier attempts have ended with.
        """
        models = [model.to_json() for model in known.values()]
        self._add({"event": "begun", "job": job.key, "attempt": job.attempt, "known": models})

    def job_ended(self, job: JobSpec, ending: Ending, report: JobReport) -> None:
        """Note how a job has ended; it is on the disk when this returns."""
        event = {"event": "ended", "job": job.key, "ending": ending.value}
        event["cache"] = str(self._cache)
        self._add({**event, "report": report.to_json()}, safely=True)

    def finished(self) -> None:
        """Note that every job has ended, so that the same command begins anew."""
        self._add({"event": "finished"}, safely=True)

    def _add(self, event: Mapping[str, Any], *, safely: bool = False) -> None:
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        self._write(json.dumps({**event, "at": at}).encode() + b"\n", safely=safely)

    def _write(self, content: bytes, *, safely: bool = False) -> None:
        try:
            append(self._path, content, safely=safely)
        except OSError as error:
            raise _not_written(self._path, error) from error


def _not_written(path: Path, error: OSError) -> CacheError:
    reason = error.strerror or str(error)
    return CacheError(f"{path} cannot be written: {reason}.", hint=_MAKE_ROOM)


@contextmanager
def opened_journal(folder: Path, waiting: Callable[[str], None]) -> Iterator[Journal]:
    """Hold a command's journal; another process that runs the same command is waited for.

    Args:
        folder: The command's own; it is made.
        waiting: Called once with the owner's description if another process holds it.

    Raises:
        CacheError: There can be no journal here.
    """
    lock = folder / LOCK
    while True:
        with held_lock(lock, waiting):
            # Who takes away what a finished command left takes its lock, too, and holds it then.
            if lock.exists():
                yield Journal(folder)
                return
