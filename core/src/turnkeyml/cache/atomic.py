"""Write files so that a reader, or a process killed at any moment, never sees half of one."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from turnkeyml.artifacts import FileRecord

TEMPORARY = ".tmp-"
"""What the names of unfinished files begin with; cleaning may remove such files at any time."""

_BLOCK = 1 << 20


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``, and move it into place if the block succeeds.

    Args:
        path: The file to write; its folder must exist.
    """
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(6)}-{path.name[:64]}")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def open_replaced(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file for writing that appears under its name only when the block succeeds."""
    encoding = None if "b" in mode else "utf-8"
    with replaced(path) as temporary, temporary.open(mode, encoding=encoding) as file:
        yield file


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Give the digest of a file's bytes as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def record_of(path: Path, root: Path) -> FileRecord:
    """Describe a finished file.

    Args:
        path: The file.
        root: The build directory that the record's path is relative to.
    """
    relative = path.resolve().relative_to(root.resolve()).as_posix()
    return FileRecord(relative, path.stat().st_size, sha256_of(path))


def publish(temporary: Path, path: Path) -> None:
    """Move a finished file to a name that says what is in it; the same name is the same content."""
    _sync(temporary)
    temporary.replace(path)


def append(path: Path, content: bytes, *, safely: bool = False) -> None:
    """Add to the end of a file, which is made if it is not there; a link is not followed.

    Args:
        path: The file.
        content: What to add. Other processes' additions stand before or after it.
        safely: Whether it is on the disk when this returns.

    Raises:
        OSError: It cannot be written, or only a part of it.
    """
    number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        # A disk that gets full takes a part of it and says so only when asked again.
        while content:
            content = content[os.write(number, content) :]
        if safely:
            os.fsync(number)
    finally:
        os.close(number)
