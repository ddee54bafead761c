"""``key::value`` words for a class: read, checked against its signature, converted."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.errors import PlanError
from turnkeyml.keyword_args import Taker, convert_arguments, parse_words


class Nothing:
    """It takes no arguments."""


class Some:
    def __init__(
        self,
        where: str,
        count: int = 1,
        speed: Literal["slow", "fast", 3] = "slow",
        share: float | None = None,
        *,
        is_deep: bool = False,
        words: tuple[str, ...] = (),
    ) -> None:
        self.given = (where, count, speed, share, is_deep, words)


class Anything:
    def __init__(self, count: int = 1, **more: object) -> None:
        self.given = (count, more)


class Positional:
    def __init__(self, first: str = "x", /, *rest: str) -> None:
        self.given = (first, rest)


def make(cls: type, *words: str, reserved: tuple[str, ...] = ()) -> Any:
    taker = Taker(f"thing {cls.__name__!r}", cls, "--words", reserved=frozenset(reserved))
    return cls(**convert_arguments(taker, parse_words(words, "--words")))


def test_arguments_are_converted_by_their_annotations() -> None:
    words = ("where::here", "count::7", "speed::3", "share::0.5", "is_deep", "words::[a, b]")
    assert make(Some, *words).given == ("here", 7, 3, 0.5, True, ("a", "b"))
    assert make(Some, "where::a::b", "share::none", "is_deep::no", "words::x").given == (
        "a::b",
        1,
        "slow",
        None,
        False,
        ("x",),
    )


def test_what_takes_nothing_is_given_nothing() -> None:
    assert isinstance(make(Nothing), Nothing)
    with pytest.raises(PlanError, match="has no argument 'x'") as caught:
        make(Nothing, "x::1")
    assert caught.value.hint == "It takes none."


def test_what_takes_anything_is_given_anything() -> None:
    assert make(Anything, "count::2", "size::7", "loud").given == (2, {"size": "7", "loud": True})
    with pytest.raises(PlanError, match="has no argument 'self'"):
        make(Anything, "self::x")


def test_arguments_without_names_cannot_be_given() -> None:
    with pytest.raises(PlanError, match="has no argument 'first'"):
        make(Positional, "first::y")
    assert make(Positional).given == ("x", ())


def test_a_shell_makes_several_words_of_a_list_with_blanks() -> None:
    found = parse_words(["many::[a,", "b/c.txt", "]", "deep", "few::[x]"], "--words")
    assert found == {"many": ["a", "b/c.txt"], "deep": True, "few": ["x"]}


WRONG = [
    ((), "needs the argument 'where'", "Give it with --words where::VALUE"),
    (("where::x", "wher::y"), "has no argument 'wher'", "It takes: where, count, speed"),
    (("where::x", "count::1.5"), "takes 'count' as int, not '1.5'", None),
    (("where::x", "count"), "takes 'count' as int, not True", None),
    (("where",), "takes 'where' as str, not True", None),
    (("where::[a,b]",), "takes 'where' as str", None),
    (("where::x", "speed::warp"), "takes 'speed' as one of slow, fast, 3, not 'warp'", None),
    (("where::x", "share::much"), "takes 'share' as float, not 'much'", None),
    (("where::x", "is_deep::perhaps"), "takes 'is_deep' as bool, not 'perhaps'", None),
    (("where::x", "where::y"), "--words: 'where' is given twice.", None),
    (
        ("where::[a,b", "count::7", "is_deep]"),
        "--words: the list 'where::[a,b' has no end.",
        "Write where::[value1,value2]",
    ),
    (
        ("where::[a,b",),
        "--words: the list 'where::[a,b' has no end.",
        "Write where::[value1,value2]",
    ),
    (
        ("where::x", "count::1 deep"),
        "takes 'count' as int, not '1 deep'",
        "Each argument is a word",
    ),
    (("two words",), "--words: 'two words' is no argument.", "Write key::value"),
    (("::x",), "--words: '::x' is no argument.", "Write key::value"),
    (("",), "--words: '' is no argument.", "Write key::value"),
]


@pytest.mark.parametrize(("words", "message", "hint"), WRONG)
def test_wrong_arguments_are_explained(
    words: tuple[str, ...], message: str, hint: str | None
) -> None:
    with pytest.raises(PlanError) as caught:
        make(Some, *words)
    assert message in caught.value.message
    assert hint is None or str(caught.value.hint).startswith(hint)


def test_what_turnkey_fills_in_is_not_the_users_to_give() -> None:
    with pytest.raises(PlanError, match="has no argument 'where'"):
        make(Some, "where::x", reserved=("where",))
    with pytest.raises(PlanError, match="has no argument 'count'"):
        make(Anything, "count::2", reserved=("count",))


@given(st.lists(st.text(max_size=12), max_size=4))
def test_any_words_are_arguments_or_refused(words: list[str]) -> None:
    for cls in (Some, Anything, Nothing, Positional):
        try:
            make(cls, *words)
        except PlanError as error:
            assert error.message.endswith(".")
