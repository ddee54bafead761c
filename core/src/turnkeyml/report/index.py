"""What reports have read of a cache before: a database beside the builds that may vanish any time.

The YAML files are the truth. Whatever is wrong with the database, the builds are read again.
"""

from __future__ import annotations

import itertools
import sqlite3
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

from turnkeyml.report.reading import ReadBuild

FOLDER = ".report"
FILE = "index.sqlite3"
SCHEMA = 2
"""Raised when a change in what rows have must not be hidden by what was read before."""

SETTLED_NS = 2_000_000_000
"""A build that was changed less than this before it was read is read again next time: file systems
do not tell two changes apart that come close together."""

_WAIT_S = 2.0
_NOT_ITS_FAULT = ("locked", "busy", "full", "readonly", "unable to open", "disk I/O")
_TABLES = """
CREATE TABLE IF NOT EXISTS about (version TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shapes
    (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE, sum INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS builds
    (name TEXT PRIMARY KEY, stamp TEXT NOT NULL, content TEXT NOT NULL, sum INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Entry:
    """What is known of a build.

    Args:
        stamp: Of the files that were read.
        content: Its rows as a JSON list: numbers of lists of column names, then for each of them
            the values of a row.
    """

    stamp: str
    content: str


@dataclass(frozen=True)
class Known:
    """All that a database knows.

    Args:
        entries: By the build's name.
        shapes: Lists of column names as JSON, by number.
    """

    entries: Mapping[str, Entry]
    shapes: Mapping[int, str]


def load_index(cache: Path) -> Known:
    """Give what is known of a cache; nothing if the database is missing, damaged or in use."""
    path = cache / FOLDER / FILE
    if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
        return Known({}, {})
    try:
        with closing(_connect(path, "ro")) as database:
            return _load(database)
    except sqlite3.OperationalError:
        # In use, or not to be read.
        return Known({}, {})
    except (sqlite3.DatabaseError, ValueError, TypeError, OverflowError):
        _remove(path)
        return Known({}, {})


def save_index(cache: Path, read: Iterable[ReadBuild], gone: Iterable[str]) -> bool:
    """Add what was read and forget what is gone.

    Args:
        cache: The cache.
        read: What was read just now.
        gone: Names of builds that are no longer there.

    Returns:
        Whether it could be written; a cache of somebody else or a full disk is no reason to fail.
    """
    path = cache / FOLDER / FILE
    if path.is_symlink() or path.parent.is_symlink():
        return False
    before = time.time_ns() - SETTLED_NS
    settled = [build for build in read if build.found.newest_ns < before]
    for _ in range(2):
        try:
            path.parent.mkdir(exist_ok=True)
            with closing(_connect(path, "rwc")) as database:
                _save(database, settled, gone)
            return True
        except OSError:
            return False
        except sqlite3.OperationalError as error:
            if any(word in str(error) for word in _NOT_ITS_FAULT):
                return False
            _remove(path)
        except sqlite3.DatabaseError:
            _remove(path)
    return False


def numbers_of(shapes: Mapping[int, str], read: Iterable[ReadBuild]) -> dict[str, int]:
    """Number lists of column names, those that are known as they are."""
    numbers = {names: number for number, names in shapes.items()}
    free = itertools.count(max(shapes, default=0) + 1)
    for build in read:
        for names in build.names:
            if names not in numbers:
                numbers[names] = next(free)
    return numbers


def content_of(build: ReadBuild, numbers: Mapping[str, int]) -> str:
    """Give the content of a build's entry."""
    shapes = ",".join(str(numbers[names]) for names in build.names)
    return f"[[{shapes}],{','.join(build.rows)}]"


def shapes_in(content: str) -> str:
    """Give the numbers of the lists of column names in an entry, without reading all of it."""
    return content[: content.find("]") + 1].removeprefix("[")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    database = sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=_WAIT_S, isolation_level=None
    )
    # The file may be anybody's: what is in it is data and nothing else.
    database.execute("PRAGMA trusted_schema = OFF")
    return database


def _version() -> str:
    return f"{SCHEMA} {metadata.version('turnkeyml-core')}"


def _load(database: sqlite3.Connection) -> Known:
    database.execute("BEGIN")
    try:
        # A view could compute for ever.
        others = "SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index')"
        if database.execute(others).fetchone() != (0,):
            raise ValueError("it has more than tables")
        if database.execute("SELECT version FROM about").fetchall() != [(_version(),)]:
            return Known({}, {})
        shapes = {}
        for number, names, total in database.execute("SELECT id, names, sum FROM shapes"):
            _check(total, number, names)
            shapes[number] = names
        entries = {}
        rows = database.execute("SELECT name, stamp, content, sum FROM builds")
        for name, stamp, content, total in rows:
            _check(total, name, stamp, content)
            entries[name] = Entry(stamp, content)
        return Known(entries, shapes)
    finally:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")


def _save(database: sqlite3.Connection, read: list[ReadBuild], gone: Iterable[str]) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        for statement in _TABLES.split(";"):
            database.execute(statement)
        if database.execute("SELECT version FROM about").fetchall() != [(_version(),)]:
            for table in ("about", "shapes", "builds"):
                database.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
            database.execute("INSERT INTO about VALUES (?)", (_version(),))
        shapes = dict(database.execute("SELECT id, names FROM shapes").fetchall())
        numbers = numbers_of(shapes, read)
        database.executemany(
            "INSERT OR IGNORE INTO shapes VALUES (?, ?, ?)",
            [(number, names, _sum(number, names)) for names, number in numbers.items()],
        )
        database.executemany("DELETE FROM builds WHERE name = ?", [(name,) for name in gone])
        database.executemany(
            "INSERT OR REPLACE INTO builds VALUES (?, ?, ?, ?)", _records(read, numbers)
        )
        database.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise


def _records(
    read: Iterable[ReadBuild], numbers: Mapping[str, int]
) -> Iterable[tuple[str, str, str, int]]:
    for build in read:
        name, stamp, content = build.found.name, build.found.stamp, content_of(build, numbers)
        # A name that is no text cannot be kept.
        with suppress(UnicodeEncodeError):
            yield name, stamp, content, _sum(name, stamp, content)


def _check(total: object, *parts: object) -> None:
    if not all(isinstance(part, (str, int)) for part in parts) or total != _sum(*parts):
        raise ValueError("a row is damaged")


def _sum(*parts: object) -> int:
    return zlib.crc32("\n".join(map(str, parts)).encode())


def _remove(path: Path) -> None:
    # The journal first: it would be played back into the next file of this name.
    for suffix in ("-journal", "-wal", "-shm", ""):
        with suppress(OSError):
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
