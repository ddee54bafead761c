"""What the first step of a chain writes, kept apart until the lock of its build is held.

A first step finds models before anybody knows whose builds they are, so it holds no lock: another
process may be working on those very builds, with inputs of other values.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.cache.layout import BuildDirectory
from turnkeyml.cache.locks import held_lock, is_held
from turnkeyml.cache.seals import Seals
from turnkeyml.errors import CacheError

STAGING = ".starting"
"""The folder of a cache in which each job has a folder of its own, and a lock beside it."""


class Staging:
    """Where the files of one model wait.

    Its ``seals`` tell whether the files still are what was written.

    Args:
        folder: Its own; it is made when something is written.
        claim: Gives the build's directory, which it makes if it is gone.
    """

    def __init__(self, folder: Path, claim: Callable[[], BuildDirectory]) -> None:
        self.folder = folder
        self.seals = Seals(folder)
        self._claim = claim

    def settle(self, build: BuildDirectory) -> None:
        """Move everything to its place in the build, whose lock the caller has.

        Raises:
            CacheError: The build was deleted meanwhile, and its name is another model's.
            OSError: It cannot be moved.
        """
        if self._claim().name != build.name:
            raise CacheError(
                f"The build {build.name} was deleted meanwhile, and another model has its name.",
                hint="Run the command again.",
            )
        for root, _, names in os.walk(self.folder):
            target = build.path / Path(root).relative_to(self.folder)
            # In a cache that came from somebody else it may be a link to anything.
            if target.is_symlink():
                target.unlink()
            target.mkdir(exist_ok=True)
            for name in names:
                Path(root, name).replace(target / name)


@contextmanager
def staging_folder(cache: Path) -> Iterator[Path]:
    """Give a folder for what a job's first step writes; it is removed in the end.

    Raises:
        CacheError: There can be no lock here.
        OSError: It cannot be made.
    """
    _remove_abandoned(cache)
    while True:
        lock = cache / STAGING / f"{secrets.token_hex(8)}.lock"
        with held_lock(lock, lambda owner: None):
            # Somebody may have taken it for abandoned just before.
            if lock.exists():
                folder = lock.with_suffix("")
                try:
                    folder.mkdir()
                    yield folder
                finally:
                    _remove(lock)
                return


def _remove_abandoned(cache: Path) -> None:
    """Take away the folders of jobs that died."""
    root = cache / STAGING
    if root.is_symlink():
        return
    for lock in root.glob("*.lock"):
        if is_held(lock):
            continue
        with suppress(CacheError), held_lock(lock, None) as is_mine:
            if is_mine:
                _remove(lock)


def _remove(lock: Path) -> None:
    """Take a folder away; its lock goes last, so that what a killed process leaves is found."""
    folder = lock.with_suffix("")
    shutil.rmtree(folder, ignore_errors=True)
    if not os.path.lexists(folder):
        with suppress(OSError):
            lock.unlink()


@contextmanager
def opened_log(path: Path, own: Path) -> Iterator[BinaryIO]:
    """Begin a log anew, of which other processes may begin theirs at the same place.

    Args:
        path: Where it is looked for while it is written, and afterwards.
        own: Another name of it, which no other process takes.

    Raises:
        OSError: It cannot be made.
    """
    own.touch()
    while True:
        publish_log(own, path)
        with path.open("r+b", buffering=0) as file:
            # Another process may have put its own there just now.
            if os.path.samestat(os.fstat(file.fileno()), own.stat()):
                yield file
                return


def publish_log(own: Path, path: Path) -> None:
    """Let a log be found at a path, in place of whatever is there."""
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(6)}")
    os.link(own, temporary)
    try:
        temporary.replace(path)
    finally:
        # Renaming one name of a file to another of its names leaves both.
        temporary.unlink(missing_ok=True)
