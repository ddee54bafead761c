"""What commands have left in a cache: found, counted, and taken away when they have finished."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from turnkeyml.cache.atomic import open_replaced
from turnkeyml.cache.cleaning import tree_size
from turnkeyml.cache.locks import held_lock
from turnkeyml.errors import CacheError
from turnkeyml.execution.command import JOBS
from turnkeyml.execution.journal import COMMANDS, JOURNAL, LOCK, SCHEMA, Journal
from turnkeyml.execution.json_values import MALFORMED, text
from turnkeyml.report.broken_inputs import lines_worth_keeping

_NAME = re.compile(r"[0-9a-f]{16}\Z")
_BEGINNING = b'{"event": "command", '


class _InUseError(Exception):
    """A running process has the command."""


@dataclass(frozen=True)
class PastCommand:
    """A command that has left something.

    Args:
        folder: Its own, in the folder of commands of a cache.
        is_finished: Whether all of its inputs have ended: nothing of it is gone on with.
        last_used: When it last noted something, in seconds since 1970.
    """

    folder: Path
    is_finished: bool
    last_used: float


def find_commands(cache: Path) -> list[PastCommand]:
    """List the commands that have left something, by the names of their folders."""
    root = cache / COMMANDS
    try:
        folders = [] if root.is_symlink() else sorted(root.iterdir())
    except OSError:
        return []
    return [found for folder in folders if (found := _look_at(folder)) is not None]


def _look_at(folder: Path) -> PastCommand | None:
    """Give the command of a folder; None if turnkey did not make it, or a newer one did."""
    lock, path = folder / LOCK, folder / JOURNAL
    try:
        is_ours = _NAME.match(folder.name) and not folder.is_symlink() and not lock.is_symlink()
        if not is_ours or not lock.is_file() or path.is_symlink():
            return None
        used = (path if path.exists() else lock).stat().st_mtime
        if path.exists() and not _begins_right(path):
            return None
        return PastCommand(folder, _is_finished(folder), used)
    except (OSError, CacheError):
        return None


def _begins_right(path: Path) -> bool:
    with path.open("rb") as file:
        line = file.readline(1 << 16)
    if not line.endswith(b"\n"):
        # It was cut off when nothing had begun yet.
        return _BEGINNING.startswith(line) or line.startswith(_BEGINNING)
    try:
        return line.startswith(_BEGINNING) and json.loads(line)["schema"] == SCHEMA
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _is_finished(folder: Path) -> bool:
    journal = Journal(folder)
    journal.read()
    return not journal.is_continued


def clean_commands(cache: Path, commands: Sequence[PastCommand]) -> tuple[int, int]:
    """Take away what finished commands left, but for what reports tell of inputs without models.

    Args:
        cache: The cache directory.
        commands: Of `find_commands`; those that have not finished, or that run, are left.

    Returns:
        How many were cleaned, and the bytes that this freed.

    Raises:
        CacheError: Something cannot be deleted.
    """
    begun = time.time()
    kept = lines_worth_keeping(cache)
    count = freed = 0
    for command in commands:
        # What was written since the lines were read may tell more than they do.
        if command.is_finished and command.last_used < begun:
            bytes_freed = _clean(command.folder, kept, begun)
            count += bytes_freed > 0
            freed += bytes_freed
    return count, freed


def _clean(folder: Path, kept: Mapping[Path, Sequence[bytes]], begun: float) -> int:
    try:
        with held_lock(folder / LOCK, _refuse):
            path = folder / JOURNAL
            if not _is_finished(folder) or (path.exists() and path.stat().st_mtime >= begun):
                return 0
            lines = kept.get(path, ())
            before = tree_size(folder)
            if lines:
                _shorten(path, lines)
                _remove_jobs(folder, but=set(map(_job_of, lines)))
                return before - tree_size(folder)
            _remove(folder)
            return before
    except _InUseError:
        return 0
    except OSError as error:
        raise _cannot(folder, error) from error


def delete_commands(commands: Sequence[PastCommand]) -> int:
    """Take away all that commands left, unfinished ones too; those that run are left.

    Returns:
        The bytes that this freed.

    Raises:
        CacheError: Something cannot be deleted.
    """
    freed = 0
    for command in commands:
        try:
            with held_lock(command.folder / LOCK, _refuse):
                size = tree_size(command.folder)
                _remove(command.folder)
                freed += size
        except _InUseError:
            continue
        except OSError as error:
            raise _cannot(command.folder, error) from error
    return freed


def _refuse(owner: str) -> None:
    raise _InUseError


def _cannot(folder: Path, error: OSError) -> CacheError:
    return CacheError(f"{folder} cannot be cleaned: {error.strerror or error}.")


def _job_of(line: bytes) -> object:
    with suppress(*MALFORMED):
        return text(json.loads(line)["job"])
    return None


def _shorten(path: Path, lines: Sequence[bytes]) -> None:
    """Leave only these lines between the first and the last one."""
    with path.open("rb") as file:
        first = file.readline()
    whole = [line for line in (first, *lines) if line.endswith(b"\n")]
    end = json.dumps({"event": "finished"}).encode() + b"\n"
    if path.stat().st_size > sum(map(len, whole)) + 100:
        with open_replaced(path, "wb") as file:
            file.writelines([*whole, end])


def _remove_jobs(folder: Path, but: set[object]) -> None:
    jobs = folder / JOBS
    if jobs.is_symlink() or not jobs.is_dir():
        return
    for job in jobs.iterdir():
        if job.name not in but and job.is_dir() and not job.is_symlink():
            shutil.rmtree(job)


def _remove(folder: Path) -> None:
    """Take a command away; the lock is held.

    Without its journal nothing is known of it, however far the rest gets; the lock goes last, so
    that nobody else is in the folder before.
    """
    lock = folder / LOCK
    (folder / JOURNAL).unlink(missing_ok=True)
    for path in folder.iterdir():
        if path == lock:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    lock.unlink()
    # The same command may have begun again meanwhile, or somebody else be looking.
    with suppress(OSError):
        folder.rmdir()
