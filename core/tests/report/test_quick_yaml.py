"""The quick reader says what the whole one says, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from turnkeyml.cache.documents import write_document
from turnkeyml.cache.strict_yaml import parse_yaml
from turnkeyml.report.quick_yaml import NotPlainError, QuickReader

WORDS = ["yes", "null", "~", "0x1f", "1e5", "0b101", "1_000", "12:30:45", "2026-11-21", "=", "<<"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=200)
    | st.sampled_from([*WORDS, "- a", "a: b", "a #b", "'", '"', "it's", "a\nb", "[]", "{}", ""])
    | st.from_regex(r"\A[0-9a-f]{8}\Z")
)
KEYS = st.text(max_size=12) | st.sampled_from(["a", "b-c", "1", "12345678", "null", "a b", "x.y"])
DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=6,
)


def quickly(content: bytes, reader: QuickReader | None = None) -> Any:
    try:
        return (reader or QuickReader()).parse(content)
    except (NotPlainError, UnicodeDecodeError):
        return NotImplemented


def exactly(content: bytes) -> Any:
    try:
        return parse_yaml(content)
    except ValueError:
        return ValueError


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


@given(DOCUMENTS)
@example({"schema": 1, "a": {"b": [{"c": 1.5, "d": [1, 2]}, {"e": None}], "f": {}, "g": []}})
@example({"error": "word " * 60, "b": "two\nlines " * 30})
@example({"a": ["word " * 60, "it's " * 60]})
def test_what_turnkey_writes_is_read_alike(document: dict[str, Any]) -> None:
    folder = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")
    path = folder / f"quick-{id(document)}.yaml"
    try:
        write_document(path, 1, document)
        content = path.read_bytes().partition(b"\n")[2]
    finally:
        path.unlink(missing_ok=True)
    found = quickly(content)
    assert found is NotImplemented or same(found, exactly(content))


PIECES = st.sampled_from(
    ["a:", "b:", " ", "  ", "\n", "\n", "- ", "-", "1", "1.5", "x", ": ", "'", '"', "#", " #", "|",
     ">", "&a", "*a", "!", "{", "}", "[", "]", ",", "?", "%", "@", "\t", "...", "---", "null", "\\",
     "''", "é", "\u2028", "\r", "key: value\n", "  deep: 1\n", "- item\n", "  more words\n"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join))
@example("a: 'one\n  two'\n  three: 4\n")
@example("a: one\n  two\n\n  three\n")
@example("a:\n  one\n  two\n")
@example("a: 1\n  2\n")
@example("a: one\ntwo\n")
@example("a: 1\na: 2\n")
@example("- a\n- b\n")
@example("a:\n- b\n c: 1\n")
@example("a:\n  - b\n  - c\n")
@example("'12': 1\n12: 2\n")
@example("a: 'x\nb: 1'\n")
def test_whatever_a_file_holds_the_answer_is_that_of_the_whole_reader(text: str) -> None:
    content = text.encode()
    found = quickly(content)
    # An empty file has no value; the quick reader gives an empty mapping, which is no document.
    assert found is NotImplemented or same(found, exactly(content)) or found == {}


@given(st.binary(max_size=80))
def test_bytes_that_are_no_text_do_no_harm(content: bytes) -> None:
    found = quickly(content)
    assert found is NotImplemented or same(found, exactly(content)) or found == {}


def test_what_was_remembered_of_one_file_is_not_changed_by_another() -> None:
    reader = QuickReader()
    first = quickly(b"a: []\nb: {}\nc:\n- 1\n", reader)
    first["a"].append(1)
    first["b"]["x"] = 1
    first["c"].append(2)
    assert quickly(b"a: []\nb: {}\nc:\n- 1\n", reader) == {"a": [], "b": {}, "c": [1]}


@pytest.mark.parametrize("text", ["a: 1.5\na: 2.5\n", "a: 1.5\n'a': 2\n"])
def test_a_key_that_stands_twice_is_left_to_the_whole_reader(text: str) -> None:
    reader = QuickReader()
    quickly(b"a: 1.5\n", reader)
    assert quickly(text.encode(), reader) is NotImplemented


def test_deep_nesting_is_left_to_the_whole_reader() -> None:
    deep = "".join(f"{'  ' * n}a:\n" for n in range(5000))
    assert quickly(deep.encode()) is NotImplemented


def test_most_of_what_turnkey_writes_is_plain(tmp_path: Path) -> None:
    document = {
        "hash": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
        "class": "LinearTestModel (<class '__main__.LinearTestModel'>)",
        "saved_at": "2026-11-21T10:03:10+00:00",
        "seconds": 0.000012,
        "big": 1e300,
        "reasons": ["its threads waited for a core " * 9],
        "error": 'TorchExportError: "weight" is no input\nof: the model',
        "shapes": {"x": [1, 3, 224, 224]},
        "nested": [{"a": 1, "b": {"c": [True, None]}}, {"a": 2}],
        "empty": {"a": {}, "b": [], "c": ""},
        "12345678": {"key": -1},
    }
    write_document(tmp_path / "x", 1, document)
    content = (tmp_path / "x").read_bytes().partition(b"\n")[2]
    assert quickly(content) == {"schema": 1, **document}
