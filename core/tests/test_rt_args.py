"""Runtime arguments: read, checked against a signature, converted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.errors import PlanError
from turnkeyml.rt_args import convert_rt_args, parse_rt_args
from turnkeyml.runtime import CONTEXT_NAMES, BaseRT

if TYPE_CHECKING:
    from collections.abc import Mapping


class RT(BaseRT):
    def device_name(self) -> str:
        return "x"


class Plain(RT):
    def __init__(self, arg1="a", arg2=None, flag_arg=False):
        pass


class Annotated(RT):
    def __init__(
        self,
        model: Any = None,
        *,
        text: str = "",
        number: int = 0,
        ratio: float = 0.0,
        flag: bool = False,
        words: list[str] | None = None,
        numbers: list[int] = (),
        pair: tuple[float, ...] = (),
        names: set[str] = frozenset(),
        maybe: Optional[int] = None,  # noqa: UP045
        either: int | str = 0,
        anything: Any = None,
        place: Path | None = None,
    ):
        pass


class Needs(RT):
    def __init__(self, key: str, iterations: int):
        pass


class Open(RT):
    def __init__(self, number: int = 0, **kwargs):
        pass


class TypedLazily(RT):
    def __init__(self, stats: Mapping[str, Any], number: int = 0, other: Mapping | None = None):
        pass


def convert(runtime_class: type[BaseRT], *words: str) -> dict[str, Any]:
    return convert_rt_args("rt", runtime_class, parse_rt_args(words))


def test_the_form_of_the_guide_is_understood() -> None:
    assert parse_rt_args(["arg1::value1", "arg2::[value2,value3]", "flag_arg"]) == {
        "arg1": "value1",
        "arg2": ["value2", "value3"],
        "flag_arg": True,
    }
    assert parse_rt_args(["arg::[value1, value2, value3]"]) == {
        "arg": ["value1", "value2", "value3"]
    }


def test_without_annotations_values_are_text_lists_and_true() -> None:
    assert convert(Plain, "arg1::1", "arg2::[1,2]", "flag_arg") == {
        "arg1": "1",
        "arg2": ["1", "2"],
        "flag_arg": True,
    }


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("text::a::b", "a::b"),
        ("text::", ""),
        ("text::5", "5"),
        ("number::5", 5),
        ("number::-5", -5),
        ("ratio::1e-3", 0.001),
        ("flag", True),
        ("flag::true", True),
        ("flag::No", False),
        ("words::[a, b]", ["a", "b"]),
        ("words::a", ["a"]),
        ("words::[]", []),
        ("words::none", None),
        ("numbers::[1,2]", [1, 2]),
        ("pair::[1,2.5]", (1.0, 2.5)),
        ("names::[a,b,a]", {"a", "b"}),
        ("maybe::7", 7),
        ("maybe::none", None),
        ("either::x", "x"),
        ("anything::x", "x"),
        ("anything", True),
        ("place::a/b", Path("a/b")),
    ],
)
def test_values_are_converted_by_annotation(word: str, value: object) -> None:
    (found,) = convert(Annotated, word).values()
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("number::x", "takes 'number' as int, not 'x'"),
        ("number", "takes 'number' as int, not True"),
        ("number::[1,2]", "takes 'number' as int, not ['1', '2']"),
        ("numbers::[1,x]", "takes 'numbers' as int, not 'x'"),
        ("flag::maybe", "takes 'flag' as bool, not 'maybe'"),
        ("text", "takes 'text' as str, not True"),
        ("nothing::1", "has no argument 'nothing'. It takes: text, number"),
        ("model::x", "has no argument 'model'"),
    ],
)
def test_what_does_not_fit_the_signature_is_refused(word: str, said: str) -> None:
    with pytest.raises(PlanError) as caught:
        convert(Annotated, word)
    assert str(caught.value).startswith("The runtime 'rt' ")
    assert said in str(caught.value)


def test_a_runtime_without_arguments_takes_none() -> None:
    assert convert(RT) == {}
    with pytest.raises(PlanError, match="has no argument 'x'. It takes none"):
        convert(RT, "x::1")


def test_a_missing_argument_is_named_with_how_to_give_it() -> None:
    with pytest.raises(
        PlanError, match="needs the argument 'key'. Give it with --rt-args key::VAL"
    ):
        convert(Needs)
    assert convert(Needs, "key::k") == {"key": "k"}


def test_a_runtime_with_keyword_arguments_takes_anything_but_the_context() -> None:
    assert convert(Open, "number::3", "other::x") == {"number": 3, "other": "x"}
    for name in (*CONTEXT_NAMES, "self"):
        with pytest.raises(PlanError, match=f"has no argument '{name}'"):
            convert(Open, f"{name}::x")


def test_an_annotation_that_cannot_be_resolved_spoils_no_other() -> None:
    assert convert(TypedLazily, "number::3") == {"number": 3}
    assert convert(TypedLazily, "other::x") == {"other": "x"}


@pytest.mark.parametrize(
    "word", ["", "::", "::x", "a b::x", "1a::x", "-x", "--flag", "a-b::c", "="]
)
def test_a_word_of_another_form_is_refused(word: str) -> None:
    with pytest.raises(PlanError, match="is no argument"):
        parse_rt_args([word])


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(PlanError, match="'a' is given twice"):
        parse_rt_args(["a::1", "a"])


@given(st.lists(st.text(), max_size=4))
def test_no_words_break_the_reading(words: list[str]) -> None:
    try:
        found = parse_rt_args(words)
    except PlanError:
        return
    assert len(found) == len(words)
    assert all(key.isidentifier() for key in found)


class Chooses(BaseRT):
    def __init__(self, dtype: Literal["float16", "float32"] = "float32", level: Literal[1, 2] = 1):
        pass

    def device_name(self) -> str:
        return "toy"


def test_an_argument_with_few_values_takes_only_these() -> None:
    assert convert_rt_args("toyrt", Chooses, {"dtype": "float16"}) == {"dtype": "float16"}
    assert convert_rt_args("toyrt", Chooses, {"level": "2"}) == {"level": 2}
    with pytest.raises(PlanError, match="'dtype' as one of float16, float32, not 'float8'"):
        convert_rt_args("toyrt", Chooses, {"dtype": "float8"})
