"""Make room in a cache: delete builds, or what they built."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA, BuildDirectory
from turnkeyml.cache.locks import build_lock
from turnkeyml.errors import CacheError, UsageError

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
    total = 0
    for path in build.path.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:
            continue
    return total


def last_used(build: BuildDirectory) -> float:
    """Give when a command last worked on a build, in seconds since 1970."""
    try:
        return build.state_file.stat().st_mtime
    except OSError:
        return 0.0


def older_than(builds: Iterable[BuildDirectory], seconds: float) -> list[BuildDirectory]:
    """Choose the builds that no command worked on for so long."""
    limit = time.time() - seconds
    return [build for build in builds if last_used(build) < limit]


def beyond_size(builds: Iterable[BuildDirectory], limit: int) -> list[BuildDirectory]:
    """Choose builds, longest unused first, without which the rest fits into ``limit`` bytes."""
    sizes = {build: size_of(build) for build in builds}
    total = sum(sizes.values())
    chosen = []
    for build in sorted(sizes, key=last_used):
        if total <= limit:
            break
        chosen.append(build)
        total -= sizes[build]
    return chosen


def clean_build(build: BuildDirectory) -> int:
    """Delete what a build made, and keep its logs, state and statistics.

    Returns:
        The bytes that this freed.

    Raises:
        CacheError: A running command has the build, or its files cannot be deleted.
    """
    before = size_of(build)
    with build_lock(build.cache, build.name, _refuse_to_wait(build)):
        try:
            content = read_document(build.state_file, STATE_SCHEMA)
            del content["schema"]
            # The state forgets the artifacts first, so that it never tells of what is not there.
            write_document(
                build.state_file,
                STATE_SCHEMA,
                {**content, "artifacts": [], "records": [], "seals": {}},
            )
            for path in build.path.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
        except OSError as error:
            raise _cannot("cleaned", build, error) from error
    return max(0, before - size_of(build))


def delete_build(build: BuildDirectory) -> int:
    """Delete a build with everything that is known of it.

    Returns:
        The bytes that this freed.

    Raises:
        CacheError: As `clean_build`.
    """
    before = size_of(build)
    with build_lock(build.cache, build.name, _refuse_to_wait(build)):
        try:
            # Without its state the folder is no build any more, however far the rest gets.
            build.state_file.unlink(missing_ok=True)
            shutil.rmtree(build.path)
        except OSError as error:
            raise _cannot("deleted", build, error) from error
    return before


def _refuse_to_wait(build: BuildDirectory) -> Callable[[str], None]:
    def refuse(owner: str) -> None:
        raise CacheError(f"{build.name} is in use by {owner}.", hint="Try again when it has ended.")

    return refuse


def _cannot(what: str, build: BuildDirectory, error: OSError) -> CacheError:
    where = Path(str(error.filename)).name if error.filename else build.name
    return CacheError(f"{build.name} cannot be {what}: {where}: {error.strerror or error}.")
