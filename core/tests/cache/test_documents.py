"""YAML files: what was written comes back, and what was not ours is refused."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.errors import CacheError, NewerSchemaError

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


def test_the_schema_leads_the_file_after_the_digest_of_all_that_follows(tmp_path: Path) -> None:
    write_document(tmp_path / "a.yaml", 1, {"a": "ü"})
    body = "schema: 1\na: ü\n"
    digest = hashlib.sha256(body.encode()).hexdigest()
    assert (tmp_path / "a.yaml").read_text("utf-8") == f"# sha256 {digest}\n{body}"


def test_no_byte_can_change_unseen(tmp_path: Path) -> None:
    path, content = tmp_path / "a.yaml", {"latency_ms": 3.14, "list": [1, None, "x y"], "on": True}
    write_document(path, 1, content)
    whole = path.read_bytes()
    silent = []
    for place, bit in itertools.product(range(len(whole)), (0x01, 0x10)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        try:
            silent.append(read_document(path, 1))
        except CacheError as error:
            assert "\n" not in str(error)
    # What is left is a file whose first line lost its form, with all the rest as it was.
    assert all(found == {"schema": 1, **content} for found in silent)
    assert len(silent) <= 2 * whole.index(b"\n")


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write_document(path, 1, {"a": 1, "b": [1, 2]})
    whole = path.read_bytes()
    for length in range(len(b"# sha256 ") + 65, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CacheError):
            read_document(path, 1)


def test_a_file_without_a_digest_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("schema: 1\na: [1, {b: 2}]\nday: 2024-01-01\n")
    assert read_document(tmp_path / "a.yaml", 1) == {
        "schema": 1,
        "a": [1, {"b": 2}],
        "day": "2024-01-01",
    }


def test_a_newer_file_is_known_as_such_whatever_its_digest_says(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"# sha256 {'0' * 64}\nschema: 2\n")
    with pytest.raises(NewerSchemaError):
        read_document(tmp_path / "a.yaml", 1)


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
        b"schema: 1\na: " + b"[" * 100_000,
        b"schema: 1\na: " + b"- " * 100_000,
        b"schema: 1\na: " + b"{a: " * 100_000,
        b"schema: 1\na: &x [*x]\nb: *y",
        b"schema: 1\na: &x [1, 1]\nb: &y [*x, *x]\nc: [*y, *y]",
        b"schema: 1\na: !!binary aGk=",
        b"schema: 1\na: !!set {x}",
        b"schema: 1\n? [1, 2]\n: x",
        b"schema: 1\na: 1\na: 2",
        b"schema: 1\n---\nschema: 1",
        b"schema: 1\na: " + b"1" * 10_000,
        b"schema: .inf",
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
