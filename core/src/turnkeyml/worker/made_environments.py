"""The environments that a cache has: in use, or to be taken away."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.cache.cleaning import tree_size
from turnkeyml.cache.locks import build_lock_if_free
from turnkeyml.errors import CacheError

ENVIRONMENTS = ".environments"
"""The folder of a cache that has them."""

MARKER = ".turnkey-environment"
"""The file in an environment that turnkey made. Who uses it holds a lock on the file; its time says
when it was used last."""

SCHEMA = 1
_LONGEST = 1000
_UNFINISHED = re.compile(re.escape(TEMPORARY) + r"(?P<name>.+)-[0-9a-f]{12}\Z")
_held: dict[Path, int] = {}
"""Open files whose locks end with this process, because what it measures may begin any time."""


@dataclass(frozen=True)
class MadeEnvironment:
    """An environment that turnkey made.

    Args:
        path: Its folder.
        last_used: In seconds since 1970.
    """

    path: Path
    last_used: float

    @property
    def is_used(self) -> bool:
        """Whether a running command uses it."""
        try:
            with _locked_marker(self.path) as is_free:
                return not is_free
        except OSError:
            return False


def mark_environment(path: Path) -> None:
    """Say that turnkey made an environment."""
    with (path / MARKER).open("x", encoding="utf-8") as file:
        json.dump({"schema": SCHEMA}, file)


def hold_environment(path: Path) -> bool:
    """Keep an environment from being taken away while this process lives.

    Returns:
        False if it was taken away just now.
    """
    import fcntl

    try:
        if not os.path.lexists(path / MARKER) and (path / "bin").is_dir():
            with suppress(FileExistsError):
                # An earlier turnkey made it, as its name says.
                mark_environment(path)
        number = os.open(path / MARKER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        # In the cache of somebody else, who alone can take it away.
        return True
    fcntl.flock(number, fcntl.LOCK_SH)
    if not _is_same(number, path / MARKER):
        os.close(number)
        return False
    os.utime(number)
    before = _held.pop(path, None)
    if before is not None:
        os.close(before)
    _held[path] = number
    return True


def _is_same(number: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(number), path.lstat())
    except OSError:
        return False


def find_environments(cache: Path) -> list[MadeEnvironment]:
    """List the environments that carry turnkey's marker, by name."""
    found = []
    for path in _folders_in(cache):
        marker = path / MARKER
        with suppress(OSError):
            facts = marker.lstat()
            if path.name.startswith(TEMPORARY) or not stat.S_ISREG(facts.st_mode):
                continue
            if _schema_of(marker) == SCHEMA:
                found.append(MadeEnvironment(path, facts.st_mtime))
    return found


def _schema_of(marker: Path) -> object:
    with marker.open("rb") as file, suppress(ValueError, TypeError, KeyError):
        return json.loads(file.read(_LONGEST))["schema"]
    return None


def _folders_in(cache: Path) -> list[Path]:
    root = cache / ENVIRONMENTS
    try:
        if root.is_symlink():
            return []
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def remove_environment(environment: MadeEnvironment) -> int | None:
    """Take an environment away; it is made again when it is wanted.

    Returns:
        The bytes that this freed; None if a command uses it, or has since it was found.

    Raises:
        CacheError: It cannot be deleted.
    """
    path = environment.path
    try:
        with build_lock_if_free(path.parent.parent, f"environment-{path.name}") as is_held:
            if not is_held:
                return None
            with _locked_marker(path) as is_free:
                if not is_free or (path / MARKER).stat().st_mtime > environment.last_used:
                    return None
                freed = tree_size(path)
                gone = path.with_name(f"{TEMPORARY}{path.name}-{secrets.token_hex(6)}")
                path.replace(gone)
            shutil.rmtree(gone)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise CacheError(f"{path} cannot be deleted: {error.strerror or error}.") from error
    return freed


def remove_unfinished(cache: Path) -> int:
    """Take away what was left of environments whose making or removing was cut off.

    Returns:
        The bytes that this freed.
    """
    freed = 0
    for path in _folders_in(cache):
        found = _UNFINISHED.match(path.name)
        if found is None:
            continue
        with (
            suppress(CacheError),
            build_lock_if_free(cache, f"environment-{found['name']}") as is_held,
        ):
            if is_held:
                freed += tree_size(path)
                shutil.rmtree(path, ignore_errors=True)
    return freed


@contextmanager
def _locked_marker(path: Path) -> Iterator[bool]:
    """Hold an environment alone, unless somebody uses it; gives whether it is held."""
    import fcntl

    number = os.open(path / MARKER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield _is_same(number, path / MARKER)
    finally:
        os.close(number)
