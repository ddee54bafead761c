"""YAML files: what was written comes back, and what was not ours is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.errors import CacheError

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT.filter(lambda key: key != "schema"), VALUES, max_size=4))
def test_plain_values_come_back(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "document.yaml"
    write_document(path, 3, content)
    assert read_document(path, 3) == {"schema": 3, **content}


def test_the_schema_leads_the_file(tmp_path: Path) -> None:
    write_document(tmp_path / "a.yaml", 1, {"a": "ü"})
    assert (tmp_path / "a.yaml").read_text("utf-8") == "schema: 1\na: ü\n"


def test_text_that_no_encoding_has_is_written_escaped(tmp_path: Path) -> None:
    name = b"caf\xe9.py".decode("utf-8", "surrogateescape")
    write_document(tmp_path / "a.yaml", 1, {"input": name, "list": [{name: 1}]})
    found = read_document(tmp_path / "a.yaml", 1)
    assert found["input"] == r"caf\udce9.py"
    assert found["list"] == [{r"caf\udce9.py": 1}]


def test_an_older_schema_is_read_and_a_newer_one_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write_document(path, 2, {})
    assert read_document(path, 3)["schema"] == 2
    with pytest.raises(CacheError) as caught:
        read_document(path, 1)
    assert caught.value.message == f"{path} was written by a newer turnkey (schema 2, known 1)."
    assert caught.value.hint == "Update turnkeyml-core to read it."


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"schema: 1\na: [1, 2",
        b"schema: 1\na: !!python/object/apply:os.system ['touch owned']",
        b"- schema: 1",
        b"just text",
        b"a: 1",
        b"schema: one",
        b"\x00\x01\x02",
        b"\xff\xfe\xfd",
        b"[" * 5_000,
        b"schema: 1\na: &x [*x]\nb: *y",
    ],
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(CacheError) as caught:
        read_document(path, 1)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    assert not Path("owned").exists()


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.yaml"
    path.write_bytes(content)
    with pytest.raises(CacheError):
        read_document(path, 0)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="No such file"):
        read_document(tmp_path / "a.yaml", 1)
