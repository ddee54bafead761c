"""What is in a cache at a glance: read quickly, because there may be a hundred thousand builds."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from turnkeyml.cache.cleaning import last_used, size_of
from turnkeyml.cache.layout import STATE_SCHEMA, BuildDirectory, Cache
from turnkeyml.cache.locks import is_locked
from turnkeyml.errors import CacheError
from turnkeyml.outcomes import Status
from turnkeyml.saved_state import load_state

UNREADABLE = "unreadable"
_DIGEST = re.compile(rb"# sha256 ([0-9a-f]{64})\n")
_STATUS = re.compile(rb"^status: ([a-z_]+)$", re.MULTILINE)
_SCHEMA = f"schema: {STATE_SCHEMA}\n".encode()
_SETTLED = {status.value for status in Status} - {Status.RUNNING.value}


@dataclass(frozen=True)
class BuildFacts:
    """A build at a glance.

    Args:
        build: The build.
        status: As its state file says; ``unreadable`` if that says nothing.
        size: In bytes.
        last_used: In seconds since 1970.
    """

    build: BuildDirectory
    status: str
    size: int
    last_used: float


def look_over(cache: Cache) -> Iterator[BuildFacts]:
    """Give the builds of a cache, by name.

    Raises:
        CacheError: The directory cannot be read.
    """
    for build in cache.builds():
        status = status_of(build)
        # What was deleted since the directory was read is nobody's fault.
        if status != UNREADABLE or os.path.lexists(build.state_file):
            yield BuildFacts(build, status, size_of(build), last_used(build))


def status_of(build: BuildDirectory) -> str:
    """Give the status of a build, without reading all of its state where that can be avoided."""
    try:
        raw = build.state_file.read_bytes()
    except OSError:
        return UNREADABLE
    digest, status = _DIGEST.match(raw), _STATUS.search(raw)
    if digest and status and raw.startswith(_SCHEMA, digest.end()):
        # As turnkey wrote it, so that a line means what it seems to.
        found = status[1].decode()
        is_whole = hashlib.sha256(raw[digest.end() :]).hexdigest().encode() == digest[1]
        if is_whole and found in _SETTLED:
            return found
        if is_whole and found == Status.RUNNING.value and is_locked(build.cache, build.name):
            return Status.RUNNING.value
        if is_whole and found == Status.RUNNING.value:
            return Status.INTERRUPTED.value
    try:
        return str(load_state(build).status.value)
    except CacheError:
        return UNREADABLE
