"""Records of steps: what is written comes back, and a change is said in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.artifacts import Artifact, FileRecord
from turnkeyml.cache.step_records import StepRecord, changed_parts, key_of, referenced_files
from turnkeyml.errors import CacheError

PARTS = {
    "tool": "export",
    "package": "plug 1.0",
    "turnkey": "0.1",
    "option": {"opset": 18, "name": None},
    "input": {"pytorch-model weights": "a" * 64},
    "library": {"onnx": "1.0"},
}
ARTIFACT = Artifact("onnx-model", "export-1", (FileRecord("onnx/a.onnx", 3, "b" * 64),), {"x": 1})
RECORD = StepRecord("export-1", PARTS, (ARTIFACT,), "2026-01-01T00:00:00+00:00")


def test_a_record_comes_back() -> None:
    assert StepRecord.from_json(RECORD.to_json()) == RECORD


@pytest.mark.parametrize("name", ["step", "parts", "artifacts", "made_at"])
def test_a_record_without_a_part_is_refused(name: str) -> None:
    data = RECORD.to_json()
    del data[name]
    with pytest.raises(CacheError, match="malformed"):
        StepRecord.from_json(data)


@pytest.mark.parametrize(
    "data",
    [
        None,
        3,
        "text",
        [],
        {**RECORD.to_json(), "parts": 3},
        {**RECORD.to_json(), "parts": ["ab", "c"]},
        {**RECORD.to_json(), "artifacts": 3},
        {**RECORD.to_json(), "artifacts": [3]},
        {**RECORD.to_json(), "artifacts": [{"kind": "k"}]},
    ],
)
def test_what_is_no_record_is_refused(data: object) -> None:
    with pytest.raises(CacheError, match="malformed"):
        StepRecord.from_json(data)


@given(st.randoms())
def test_the_key_does_not_depend_on_the_order_of_parts(random) -> None:
    names = list(PARTS)
    random.shuffle(names)
    assert key_of({name: PARTS[name] for name in names}) == RECORD.key


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)


@given(st.dictionaries(st.text(max_size=3), VALUES), st.dictionaries(st.text(max_size=3), VALUES))
def test_keys_differ_exactly_where_options_do(one: dict, two: dict) -> None:
    # True and 1 are equal in Python and not in JSON.
    same = [(k, type(v), v) for k, v in sorted(one.items())] == [
        (k, type(v), v) for k, v in sorted(two.items())
    ]
    keys = {key_of({**PARTS, "option": options}) for options in (one, two)}
    assert (len(keys) == 1) == same


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, []),
        ({"option": {"opset": 20, "name": None}}, ["option opset (18 -> 20)"]),
        ({"option": {"opset": 18, "name": "x"}}, ["option name (none -> x)"]),
        ({"option": {"name": None}}, ["option opset (18 -> none)"]),
        ({"input": {"pytorch-model weights": "c" * 64}}, ["weights of pytorch-model"]),
        (
            {"input": {"onnx-model files": "c" * 64}},
            ["files of onnx-model", "weights of pytorch-model"],
        ),
        ({"library": {"onnx": "1.1"}}, ["library onnx (1.0 -> 1.1)"]),
        ({"library": {"onnx": None}}, ["library onnx (1.0 -> none)"]),
        ({"package": "plug 1.1"}, ["package (plug 1.0 -> plug 1.1)"]),
        ({"turnkey": "0.2"}, ["turnkey (0.1 -> 0.2)"]),
        ({"option": {"opset": 18, "name": "n" * 99}}, [f"option name (none -> {'n' * 60})"]),
        (
            {"turnkey": "0.2", "option": {"opset": 20, "name": None}},
            ["turnkey (0.1 -> 0.2)", "option opset (18 -> 20)"],
        ),
    ],
)
def test_what_changed_is_said_in_words(change: dict, words: list[str]) -> None:
    assert changed_parts(PARTS, {**PARTS, **change}) == words


def test_parts_that_are_new_or_gone_are_said() -> None:
    assert changed_parts({"a": 1}, {"b": 2}) == ["b (none -> 2)", "a (1 -> none)"]


def test_the_files_of_artifacts_are_each_named_once() -> None:
    other = Artifact("k", "s-1", (FileRecord("onnx/a.onnx", 3, ""), FileRecord("b", 1, "")))
    assert referenced_files([ARTIFACT, other]) == {"onnx/a.onnx", "b"}
