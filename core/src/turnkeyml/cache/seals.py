"""Whether files are still what they were: by digest, or by the marks that every change leaves."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.artifacts import Artifact, FileRecord
from turnkeyml.cache.atomic import sha256_of

_CLOCK_STEP_NS = 20_000_000
"""File systems stamp files with the kernel's last tick; a second change within it is unseen."""


@dataclass(frozen=True)
class Seal:
    """What the file system said of a file right after its digest was right.

    Nothing can write to a file without a new time of change (``ctime``), which no program can set.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Seal:
        """Read the marks of a file."""
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


class Seals:
    """The seals of one build's files.

    A file whose seal is unbroken needs no reading. One without a seal, such as in a cache that was
    moved, or with a broken one, is read whole and sealed anew if its digest is right.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, Seal] = {}
        self._watched: dict[str, Seal] = {}

    def learn(self, data: Any) -> None:
        """Read back what `to_json` gave; what is malformed only costs a reading."""
        for path, marks in data.items() if isinstance(data, Mapping) else ():
            if isinstance(marks, list) and [type(mark) for mark in marks] == [int] * 4:
                self._known[str(path)] = Seal(*marks)

    def to_json(self, paths: Iterable[str]) -> dict[str, list[int]]:
        """Give the seals of these files as they are written into the state file."""
        return {
            path: [seal.size, seal.mtime_ns, seal.ctime_ns, seal.inode]
            for path in sorted(paths)
            if (seal := self._known.get(path)) is not None
        }

    def watch(self, records: Iterable[FileRecord]) -> None:
        """Note files that were just written, or read and found right, for as long as this lives."""
        for record in records:
            self._watched[record.path] = Seal.of(self._root / record.path)

    def seal(self, records: Iterable[FileRecord]) -> None:
        """Seal files that are watched, so that later processes need not read them.

        One that was changed since is not sealed, and will be read.
        """
        for record in records:
            seal = _settled(self._root / record.path)
            if seal == self._watched.get(record.path):
                self._known[record.path] = seal
            else:
                self._known.pop(record.path, None)

    def damaged(self, artifacts: Iterable[Artifact], *, read: bool) -> list[str]:
        """Find the files that are missing or are not what was written.

        Args:
            artifacts: Whose files.
            read: Compare digests even where the seal is unbroken, because the file is to be used.

        Returns:
            Paths relative to the build directory.
        """
        records = {record.path: record for artifact in artifacts for record in artifact.files}
        doubtful = [r for r in records.values() if not self._is_trusted(r, read=read)]
        with ThreadPoolExecutor(max_workers=4) as pool:
            results = list(pool.map(self._is_right, doubtful))
        return [record.path for record, right in zip(doubtful, results, strict=True) if not right]

    def _is_trusted(self, record: FileRecord, *, read: bool) -> bool:
        seal = (self._watched if read else self._known).get(record.path)
        try:
            return seal is not None and seal == Seal.of(self._root / record.path)
        except OSError:
            return False

    def _is_right(self, record: FileRecord) -> bool:
        path = self._root / record.path
        try:
            before = _settled(path)
            if before.size != record.size or sha256_of(path) != record.sha256:
                return False
            # What was written to while it was read is not what was read.
            if Seal.of(path) != before:
                return False
        except OSError:
            return False
        self._known[record.path] = self._watched[record.path] = before
        return True


def _settled(path: Path) -> Seal:
    """Read the marks of a file when any later change would leave another mark."""
    seal = Seal.of(path)
    wait = seal.ctime_ns + _CLOCK_STEP_NS - time.time_ns()
    if 0 < wait <= _CLOCK_STEP_NS:
        time.sleep(wait / 1e9)
        seal = Seal.of(path)
    return seal
