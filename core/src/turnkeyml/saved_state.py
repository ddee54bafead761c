"""What a build's state file says, wherever it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnkeyml.artifacts import Artifact
from turnkeyml.cache.documents import read_document
from turnkeyml.cache.layout import STATE_SCHEMA, BuildDirectory
from turnkeyml.cache.locks import is_locked
from turnkeyml.cache.step_records import StepRecord
from turnkeyml.errors import CacheError
from turnkeyml.outcomes import Status


@dataclass(frozen=True)
class SavedState:
    """What a state file says.

    Args:
        build: Where it was read; a cache may have been moved since it was written.
        status: ``INTERRUPTED`` if it says "running" but nobody holds the build's lock.
        content: The whole document.
        artifacts: Those of the last chain that are files.
        records: What each step made, those of earlier chains too.
    """

    build: BuildDirectory
    status: Status
    content: Mapping[str, Any]
    artifacts: tuple[Artifact, ...]
    records: tuple[StepRecord, ...] = ()


def load_state(build: BuildDirectory) -> SavedState:
    """Read a build's state file, which may come from anywhere.

    Raises:
        CacheError: It is missing, damaged, or from a newer turnkey.
    """
    content = read_document(build.state_file, STATE_SCHEMA)
    try:
        status = Status(content.get("status"))
        artifacts = tuple(Artifact.from_json(item) for item in content.get("artifacts") or [])
        records = tuple(StepRecord.from_json(item) for item in content.get("records") or [])
    except (ValueError, TypeError) as error:
        raise CacheError(f"{build.state_file} is malformed: {error}.") from error
    if status is Status.RUNNING and not is_locked(build.cache, build.name):
        status = Status.INTERRUPTED
    return SavedState(build, status, content, artifacts, records)
