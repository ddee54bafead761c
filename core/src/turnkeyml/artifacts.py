"""What tools pass on to each other: artifacts, known by their kind and never by a Python type."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from turnkeyml.errors import CacheError

PYTORCH_MODEL = "pytorch-model"
ONNX_MODEL = "onnx-model"
TRT_ENGINE = "trt-engine"
INPUTS = "inputs"
REFERENCE = "reference"
"""What the model itself returns for the captured inputs; a folder of tensors."""


@dataclass(frozen=True)
class FileRecord:
    """One file of an artifact.

    Args:
        path: Relative to the build directory, with forward slashes.
        size: In bytes.
        sha256: Of the file's bytes, as 64 hexadecimal digits.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Artifact:
    """One thing that a step made, and that later steps may start from.

    Args:
        kind: A name such as ``onnx-model``; plugins add their own.
        step: The identity of the step that made it (see ``Step identity`` in the glossary).
        files: What it consists of on disk; the first is the one to open. Empty for a live object.
        info: Facts about it that later steps and reports use; JSON values only.
        live: The object itself where the artifact is one in memory; it is never written.
        live_key: What decides what is made of the live object, such as its weights and code: names
            to digests that are the same in every process. Without one nothing made of it is reused.
    """

    kind: str
    step: str
    files: tuple[FileRecord, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)
    live: Any = field(default=None, repr=False, compare=False)
    live_key: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_file(self) -> bool:
        """Whether it outlives the process."""
        return bool(self.files)

    def key_parts(self) -> dict[str, str]:
        """Give what decides the results of steps that start from it; empty if that is unknown."""
        if not self.files and not self.live_key:
            return {}
        info = json.dumps(dict(self.info), sort_keys=True)
        parts = {**self.live_key, "facts": hashlib.sha256(info.encode()).hexdigest()}
        if self.files:
            content = "\n".join(record.sha256 for record in self.files)
            parts["files"] = hashlib.sha256(content.encode()).hexdigest()
        return parts

    def to_json(self) -> dict[str, Any]:
        """Give what is written into the state file."""
        return {
            "kind": self.kind,
            "step": self.step,
            "files": [{"path": f.path, "size": f.size, "sha256": f.sha256} for f in self.files],
            "info": dict(self.info),
        }

    @classmethod
    def from_json(cls, data: Any) -> Artifact:
        """Read back what `to_json` gave.

        Raises:
            CacheError: The data has another form, or a path leaves the build directory.
        """
        try:
            files = tuple(
                FileRecord(safe_relative_path(f["path"]), int(f["size"]), str(f["sha256"]))
                for f in data["files"]
            )
            return cls(str(data["kind"]), str(data["step"]), files, dict(data["info"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise CacheError(f"An artifact in the state file is malformed: {error!r}.") from error


def safe_relative_path(text: str) -> str:
    """Check that a path from a file stays inside the folder it is relative to.

    Raises:
        ValueError: It is absolute, empty, or climbs out.
    """
    path = PurePosixPath(text)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in text:
        raise ValueError(f"path {text!r} does not stay inside the build directory")
    return str(path)
