"""Artifacts: what is written of them, and what is refused when it is read back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.artifacts import Artifact, FileRecord, safe_relative_path
from turnkeyml.errors import CacheError

FILES = (FileRecord("onnx/a.onnx", 10, "0" * 64), FileRecord("onnx/a.data", 20, "1" * 64))


def test_an_artifact_comes_back_from_json_without_its_live_object() -> None:
    made = Artifact("onnx-model", "export-1234", FILES, {"opset": 20}, live=object())
    read = Artifact.from_json(json.loads(json.dumps(made.to_json())))
    assert read == made
    assert read.live is None
    assert read.is_file


def test_a_live_object_is_no_file() -> None:
    assert not Artifact("pytorch-model", "discover-1", live=3).is_file


@pytest.mark.parametrize(
    "path",
    ["", ".", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "..\\x", "a\\b", "//x"],
)
def test_a_path_that_leaves_the_build_directory_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="does not stay inside"):
        safe_relative_path(path)
    data = Artifact("k", "s", FILES).to_json()
    data["files"][1]["path"] = path
    with pytest.raises(CacheError, match="malformed"):
        Artifact.from_json(data)


@given(st.lists(st.sampled_from(["a", ".", "b.c", " d"]), min_size=1))
def test_a_path_that_stays_inside_is_kept(parts: list[str]) -> None:
    if any(part != "." for part in parts):
        assert safe_relative_path("/".join(parts))


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "text",
        {},
        {"kind": "k", "step": "s", "files": None, "info": {}},
        {"kind": "k", "step": "s", "files": [{"path": "a"}], "info": {}},
        {"kind": "k", "step": "s", "files": ["a"], "info": {}},
        {"kind": "k", "step": "s", "files": [{"path": 3, "size": 1, "sha256": ""}], "info": {}},
        {"kind": "k", "step": "s", "files": [{"path": "a", "size": "x", "sha256": ""}], "info": {}},
        {"kind": "k", "step": "s", "files": [], "info": 7},
    ],
)
def test_anything_else_than_an_artifact_is_refused(data: object) -> None:
    with pytest.raises(CacheError, match="malformed"):
        Artifact.from_json(data)
