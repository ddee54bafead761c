"""Read the builds of a cache: what the files of one say, and whether they are still the same."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.cache.documents import read_document
from turnkeyml.cache.layout import STATE_SCHEMA, STATS_FILE, STATS_SCHEMA
from turnkeyml.errors import CacheError
from turnkeyml.report.quick_yaml import NotPlainError, QuickReader
from turnkeyml.report.rows import Values, rows_from, unreadable_row

_DIGEST = re.compile(rb"# sha256 ([0-9a-f]{64})\n")
_AFTER_FACTS = b"\nartifacts:"
_SUFFIX = "_state.yaml"

Stamp = str
"""What the file system says of a build's two files, as text; another text means other files."""


@dataclass(frozen=True)
class Found:
    """A build as it lies in a cache.

    Args:
        name: Its name.
        stamp: Of its files.
        newest_ns: When the newer of them was changed, in ns since 1970.
    """

    name: str
    stamp: Stamp
    newest_ns: int


@dataclass(frozen=True)
class ReadBuild:
    """What was read of a build.

    Args:
        found: As it was before it was read.
        names: The columns of each row, as a JSON list.
        rows: The values of each row, as a JSON list.
    """

    found: Found
    names: tuple[str, ...]
    rows: tuple[str, ...]


def find_builds(cache: Path) -> list[Found]:
    """List the builds of a cache by name, with the stamps of their files.

    Raises:
        CacheError: The directory cannot be read.
    """
    found = []
    try:
        with os.scandir(cache) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise CacheError(
            f"The cache directory {cache} cannot be read: {error.strerror}."
        ) from error
    root = os.fspath(cache)
    for name in sorted(names):
        build = _stamped(root, name)
        if build is not None:
            found.append(build)
    return found


def _stamped(root: str, name: str) -> Found | None:
    folder = f"{root}/{name}/"
    try:
        state = os.stat(f"{folder}{name}{_SUFFIX}")  # noqa: PTH116 - of 100,000 files
    except (OSError, ValueError):
        # What may not be looked into counts as somebody else's.
        return None
    if not stat.S_ISREG(state.st_mode):
        return None
    newest, parts = state.st_mtime_ns, [_mark(state)]
    try:
        beside = os.stat(f"{folder}{STATS_FILE}")  # noqa: PTH116
    except OSError:
        parts.append("none")
    else:
        newest = max(newest, beside.st_mtime_ns)
        parts.append(_mark(beside))
    return Found(name, " ".join(parts), newest)


def _mark(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns}-{found.st_ctime_ns}-{found.st_size}-{found.st_ino}"


class BuildReader:
    """Reads builds one after the other; what their files have in common is read once."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._yaml = QuickReader()
        self._names: dict[tuple[str, ...], str] = {}

    def read_all(self, builds: Sequence[Found]) -> Iterator[ReadBuild]:
        """Read builds, in order."""
        for found in builds:
            rows = self.rows_of(found.name)
            yield ReadBuild(
                found,
                tuple(self._names_of(row) for row in rows),
                tuple(_json(list(row.values())) for row in rows),
            )

    def _names_of(self, row: Values) -> str:
        names = tuple(row)
        if names not in self._names:
            self._names[names] = _json(list(names))
        return self._names[names]

    def rows_of(self, name: str) -> list[Values]:
        """Give the rows of a build, one that says that it is unreadable if it is.

        There are none if it has been deleted.
        """
        folder = f"{self._cache}{os.sep}{name}{os.sep}"
        try:
            state = self._read(f"{folder}{name}{_SUFFIX}", STATE_SCHEMA, _AFTER_FACTS)
            stats: dict[str, Any] = {}
            if os.path.lexists(f"{folder}{STATS_FILE}"):
                stats = self._read(f"{folder}{STATS_FILE}", STATS_SCHEMA)
            return rows_from(name, state, stats)
        except CacheError as error:
            if not os.path.lexists(f"{folder}{name}{_SUFFIX}"):
                return []
            return [unreadable_row(name, str(error).replace(folder, ""))]

    def _read(self, path: str, schema: int, end: bytes | None = None) -> dict[str, Any]:
        """Read a file up to a line that begins like this; what follows is of no use here."""
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - of 100,000 files
                raw = file.read()
            digest = _DIGEST.match(raw)
            if digest and hashlib.sha256(raw[digest.end() :]).hexdigest() == digest[1].decode():
                cut = -1 if end is None else raw.find(end)
                content = self._yaml.parse(raw[digest.end() : len(raw) if cut < 0 else cut + 1])
                if content.get("schema") == schema:
                    return content
        except (OSError, UnicodeDecodeError, NotPlainError):
            pass
        return read_document(Path(path), schema)


_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, check_circular=False).encode
