"""What a build's state file says, wherever it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnkeyml.artifacts import INPUTS, REFERENCE, Artifact
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
        artifacts: Those of the last chain that built anything, as far as they are files.
        records: What each step made, those of earlier chains too.
    """

    build: BuildDirectory
    status: Status
    content: Mapping[str, Any]
    artifacts: tuple[Artifact, ...]
    records: tuple[StepRecord, ...] = ()

    @property
    def has_model(self) -> bool:
        """Whether there is a file to go on from, besides inputs and what they give."""
        return any(a.kind not in (INPUTS, REFERENCE) for a in self.artifacts)

    def __str__(self) -> str:
        from turnkeyml.console import printable

        kinds = ", ".join(artifact.kind for artifact in self.artifacts)
        error = self.content.get("error")
        told = [self.status.value, kinds, str(error) if error else ""]
        return printable(f"{self.build.name}: {'; '.join(text for text in told if text)}")

    def __repr__(self) -> str:
        # Without the whole document, which is long.
        return f"<{self}>"

    def _repr_html_(self) -> str:
        from turnkeyml.display import facts_table

        model = self.content.get("model")
        model = model if isinstance(model, dict) else {}
        return facts_table(
            [
                ("build", self.build.name),
                ("status", self.status.value),
                ("error", self.content.get("error")),
                ("input", self.content.get("input")),
                ("class", model.get("class")),
                ("parameters", model.get("parameters")),
                ("artifacts", ", ".join(artifact.kind for artifact in self.artifacts)),
                ("folder", self.build.path),
            ]
        )


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
