"""What the state file remembers of each step that made something: its key, and what it made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from turnkeyml.artifacts import Artifact
from turnkeyml.errors import CacheError


@dataclass(frozen=True)
class StepRecord:
    """One step's work, to be used again while its key is the same.

    Args:
        step: Name and identity of the step, as its artifacts carry it.
        parts: Everything that decides what the step makes, by name.
        artifacts: What it made.
        made_at: When, as UTC ISO 8601.
    """

    step: str
    parts: Mapping[str, Any]
    artifacts: tuple[Artifact, ...]
    made_at: str

    @property
    def key(self) -> str:
        """The parts as 64 hexadecimal digits."""
        return key_of(self.parts)

    def to_json(self) -> dict[str, Any]:
        """Give what is written into the state file."""
        return {
            "step": self.step,
            "made_at": self.made_at,
            "parts": dict(self.parts),
            "artifacts": [artifact.to_json() for artifact in self.artifacts],
        }

    @classmethod
    def from_json(cls, data: Any) -> StepRecord:
        """Read back what `to_json` gave.

        Raises:
            CacheError: The data has another form, or a path leaves the build directory.
        """
        try:
            return cls(
                str(data["step"]),
                dict(data["parts"]),
                tuple(Artifact.from_json(item) for item in data["artifacts"]),
                str(data["made_at"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CacheError(f"A step in the state file is malformed: {error!r}.") from error


def key_of(parts: Mapping[str, Any]) -> str:
    """Give the digest of a step's parts as 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def changed_parts(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say which parts differ, in words: ``option opset (18 -> 20)``, ``code of pytorch-model``.

    Args:
        old: Parts of an earlier run.
        new: Parts of this one.
    """
    found = []
    for group in dict.fromkeys([*new, *old]):
        before, after = old.get(group), new.get(group)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            for name in dict.fromkeys([*after, *before]):
                if before.get(name) != after.get(name):
                    words = _words_for(group, name)
                    found.append(_change(words, before.get(name), after.get(name)))
        else:
            found.append(_change(group, before, after))
    return found


def _words_for(group: str, name: str) -> str:
    kind, _, part = name.rpartition(" ")
    return f"{part} of {kind}" if group == "input" else f"{group} {name}"


def _change(name: str, before: Any, after: Any) -> str:
    if _is_digest(before) or _is_digest(after):
        return name
    return f"{name} ({_shown(before)} -> {_shown(after)})"


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)[:60]


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == hashlib.sha256().digest_size * 2


def referenced_files(artifacts: Iterable[Artifact]) -> set[str]:
    """Give the files of artifacts, relative to the build directory."""
    return {record.path for artifact in artifacts for record in artifact.files}
