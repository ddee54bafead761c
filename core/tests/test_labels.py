"""Labels in the first line of a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.errors import UsageError
from turnkeyml.labels import matches, parse_labels, read_labels


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        (
            "#labels author::google test_group::daily,monthly",
            {"author": ("google",), "test_group": ("daily", "monthly")},
        ),
        ("# labels: name::bert", {"name": ("bert",)}),
        ("#labels", {}),
        ("# labels: nothing here", {}),
        ("#labels a::b free text c::d", {"a": ("b",), "c": ("d",)}),
        ("\ufeff#labels a::b", {"a": ("b",)}),
        ("#labelsmith a::b", {}),
        ("import labels  # labels a::b", {}),
        ("", {}),
    ],
)
def test_the_first_line_says_the_labels(tmp_path: Path, line: str, labels: dict) -> None:
    (tmp_path / "a.py").write_text(f"{line}\n#labels late::yes\n", "utf-8")
    assert read_labels(tmp_path / "a.py") == labels


def test_a_script_in_another_encoding_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"#labels a::caf\xe9\n")
    assert read_labels(tmp_path / "a.py") == {"a": ("caf\ufffd",)}


@pytest.mark.parametrize("word", ["a", "a::", "::b", "a:b", "a::,", ""])
def test_a_word_of_another_form_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="is no label"):
        parse_labels([word])


def test_values_of_one_key_are_joined() -> None:
    assert parse_labels(["a::x,y", "b::z", "a::y,w"]) == {"a": ("x", "y", "w"), "b": ("z",)}


def test_every_key_wanted_needs_one_of_its_values() -> None:
    labels = {"a": ("x", "y"), "b": ("z",)}
    assert matches(labels, {})
    assert matches(labels, {"a": ("y", "other")})
    assert matches(labels, {"a": ("x",), "b": ("z",)})
    assert not matches(labels, {"a": ("x",), "b": ("other",)})
    assert not matches(labels, {"c": ("x",)})


PART = st.text(st.characters(categories=("L", "N")), min_size=1)


@given(st.dictionaries(PART, st.lists(PART, min_size=1, unique=True), max_size=4))
def test_labels_come_back_from_their_words(labels: dict[str, list[str]]) -> None:
    words = [f"{key}::{','.join(values)}" for key, values in labels.items()]
    assert parse_labels(words) == {key: tuple(values) for key, values in labels.items()}
