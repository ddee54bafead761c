"""The strict reader: it gives what a general one gives, for all that turnkey writes."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.cache.documents import yaml_text
from turnkeyml.cache.strict_yaml import MAX_DEPTH, parse_yaml

KEYS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=16,
)


@given(VALUES)
def test_what_the_writer_wrote_comes_back(value: object) -> None:
    assert parse_yaml(yaml_text(value).encode()) == value


@given(VALUES)
def test_so_does_what_is_written_without_libyaml(value: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(yaml, "CSafeDumper", raising=False)
        assert parse_yaml(yaml_text(value).encode()) == value


@given(VALUES)
def test_so_does_flow_style(value: object) -> None:
    assert parse_yaml(yaml.safe_dump(value, default_flow_style=True).encode()) == value


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029", "\r", "\ufeff", "\x1b"])
@pytest.mark.parametrize("form", ["{}", "a{}b", "{} ", " {}", "'{}", "{0}\n{0}"])
def test_rare_line_breaks_come_back(separator: str, form: str) -> None:
    text = form.format(separator)
    value = {text: text, "k": [text]}
    assert parse_yaml(yaml_text(value).encode()) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("yes", True),
        ("0x1f", 31),
        ("1_000", 1000),
        ("1.5e+3", 1500.0),
        ("-.inf", float("-inf")),
        ("'12'", "12"),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("=", "="),
        ("{1: a, null: b, <<: c}", {"1": "a", "null": "b", "<<": "c"}),
        ("|\n  a\n  b\n", "a\nb\n"),
    ],
)
def test_plain_scalars_mean_what_they_mean_in_yaml_but_dates_and_keys_stay_text(
    text: str, value: object
) -> None:
    assert parse_yaml(text.encode()) == value


def test_nesting_up_to_the_limit_is_read_and_one_more_refused() -> None:
    found = parse_yaml(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        (found,) = found
    assert found == []
    with pytest.raises(ValueError, match="nested deeper than 64 levels"):
        parse_yaml(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: &x 1\nb: *x", "aliases are not allowed"),
        ("!!python/object/apply:os.system [x]", "the tag tag:yaml.org,2002:python"),
        ("!mine {}", "the tag !mine"),
        ("!!str x", "the tag tag:yaml.org,2002:str"),
        ("? {a: 1}\n: b", "a key is no text"),
        ("a: 1\na: 2", "the key 'a' stands twice"),
        ("a\n---\nb", "several documents"),
        ("a: [1", "did not find expected"),
        ("\x07", "control characters are not allowed"),
    ],
)
def test_what_turnkey_never_writes_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        parse_yaml(text.encode())
    assert "\n" not in str(caught.value)
