"""Make room in a cache: delete builds, or what they built."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA, BuildDirectory
from turnkeyml.cache.locks import build_lock_if_free, owner_of
from turnkeyml.errors import CacheError, NewerSchemaError, UsageError

_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_TIMES = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def bytes_from(text: str) -> int:
    """Read a size such as ``500MB``, ``1.5G`` or ``1000``; units are powers of 1024.

    Raises:
        UsageError: It is something else.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?\s*", text, re.IGNORECASE)
    if found is None:
        raise UsageError(f"{text!r} is no size.", hint="Give one like 500MB or 10GB.")
    return int(float(found[1]) * _SIZES[found[2].upper()])


def seconds_from(text: str) -> float:
    """Read a duration such as ``30d``, ``12h`` or ``2w``.

    Raises:
        UsageError: It is something else.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([mhdw])\s*", text, re.IGNORECASE)
    if found is None:
        raise UsageError(f"{text!r} is no duration.", hint="Give one like 30d, 12h or 2w.")
    return float(found[1]) * _TIMES[found[2].lower()]


def size_of(build: BuildDirectory) -> int:
    """Give the bytes that a build takes; what vanishes meanwhile counts nothing."""
    return tree_size(build.path)


def tree_size(path: Path) -> int:
    """Give the bytes of all files below a folder, links as links."""
    total, folders = 0, [os.fspath(path)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    with suppress(OSError):
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                        else:
                            total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total


def cleanable_size(build: BuildDirectory) -> int:
    """Give the bytes that `clean_build` would free."""
    return sum(map(_size_of, _cleanable(build)))


def _cleanable(build: BuildDirectory) -> list[Path]:
    """List what is neither log, state nor statistics: folders, and files never finished."""
    try:
        entries = list(build.path.iterdir())
    except OSError:
        return []
    return [p for p in entries if _is_folder(p) or p.name.startswith(TEMPORARY)]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _size_of(path: Path) -> int:
    if _is_folder(path):
        return tree_size(path)
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def last_used(build: BuildDirectory) -> float:
    """Give when a command last worked on a build, in seconds since 1970."""
    try:
        return build.state_file.stat().st_mtime
    except OSError:
        return 0.0


def used_before(builds: Iterable[BuildDirectory], limit: float) -> list[BuildDirectory]:
    """Choose the builds on which no command worked since, in seconds since 1970."""
    return [build for build in builds if last_used(build) < limit]


def beyond_size(builds: Iterable[BuildDirectory], limit: int) -> list[BuildDirectory]:
    """Choose builds, longest unused first, that when cleaned leave at most ``limit`` bytes."""
    found = sorted(builds, key=last_used)
    total = sum(map(size_of, found))
    chosen = []
    for build in found:
        if total <= limit:
            break
        if freed := cleanable_size(build):
            chosen.append(build)
            total -= freed
    return chosen


def clean_build(build: BuildDirectory, *, unless_used_since: float | None = None) -> int | None:
    """Delete what a build made, and keep its logs, state and statistics.

    Args:
        build: The build.
        unless_used_since: Leave it if a command has worked on it since, in seconds since 1970.

    Returns:
        The bytes that this freed; None if there was nothing to do by the time it had the lock.

    Raises:
        CacheError: A running command has the build, or its files cannot be deleted.
    """
    freed = 0
    try:
        with _held_alone(build):
            used = last_used(build)
            is_wanted = unless_used_since is not None and used >= unless_used_since
            if is_wanted or not build.state_file.exists():
                return None
            # The state forgets the artifacts first, so that it never tells of what is not there.
            _forget_artifacts(build)
            for path in _cleanable(build):
                size = _size_of(path)
                if _is_folder(path):
                    shutil.rmtree(path)
                else:
                    path.unlink()
                freed += size
    except OSError as error:
        raise _cannot("cleaned", build, error) from error
    return freed


def _forget_artifacts(build: BuildDirectory) -> None:
    used = build.state_file.stat()
    content = _readable_state(build)
    del content["schema"]
    content |= {"artifacts": [], "records": [], "seals": {}}
    write_document(build.state_file, STATE_SCHEMA, content)
    # Its time says when the build was used, which this is not.
    os.utime(build.state_file, ns=(used.st_atime_ns, used.st_mtime_ns))


def _readable_state(build: BuildDirectory) -> dict[str, Any]:
    try:
        return read_document(build.state_file, STATE_SCHEMA)
    except NewerSchemaError:
        raise
    except CacheError as error:
        raise CacheError(
            error.message, hint=f"This removes the whole build: turnkey cache delete {build.name}"
        ) from error


def delete_build(build: BuildDirectory) -> int | None:
    """Delete a build with everything that is known of it.

    Returns:
        The bytes that this freed; None if another process had deleted it before.

    Raises:
        CacheError: As `clean_build`.
    """
    before = size_of(build)
    try:
        with _held_alone(build):
            if not build.state_file.exists():
                return None
            # Without its state the folder is no build any more, however far the rest gets.
            build.state_file.unlink(missing_ok=True)
            shutil.rmtree(build.path)
    except OSError as error:
        # A command that is about to begin has claimed it again.
        if error.errno != errno.ENOTEMPTY or build.state_file.exists():
            raise _cannot("deleted", build, error) from error
    return before


@contextmanager
def _held_alone(build: BuildDirectory) -> Iterator[None]:
    with build_lock_if_free(build.cache, build.name) as is_held:
        if not is_held:
            owner = owner_of(build.cache, build.name)
            raise CacheError(
                f"{build.name} is in use by {owner}.", hint="Try again when it has ended."
            )
        yield


def _cannot(what: str, build: BuildDirectory, error: OSError) -> CacheError:
    where = Path(str(error.filename)).name if error.filename else build.name
    return CacheError(f"{build.name} cannot be {what}: {where}: {error.strerror or error}.")
