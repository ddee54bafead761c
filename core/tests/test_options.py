"""Options: one dataclass to and from click, command-line words and JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.errors import UsageError
from turnkeyml.options import (
    NoOptions,
    argv_from_options,
    click_options,
    json_from_options,
    option,
    option_specs,
    options_from_json,
    options_from_values,
)


@dataclass(frozen=True)
class All:
    """Every type there is."""

    flag: bool = option(False, help="A flag.")
    on_flag: bool = option(True, help="A flag that is on.")
    count: int = option(3, help="A number.", minimum=0, flags=("-c",))
    ratio: float = option(0.5, help="A ratio.", minimum=0)
    word: str = option("w", help="A word.", metavar="WORD")
    place: Path = option(Path("p"), help="A place.")
    choice: str = option("a", help="A choice.", choices=("a", "b"), shorthand="--pick")
    maybe_count: int | None = option(None, help="Maybe a number.")
    maybe_place: Path | None = option(None, help="Maybe a place.")
    words: tuple[str, ...] = option((), help="Words.", flags=("-w",))
    counts: tuple[int, ...] = option((1, 2), help="Numbers.")
    places: tuple[Path, ...] = option((), help="Places.")


def parse(words: list[str], options_class: type = All) -> Any:
    """Go the way of the command line: click, then the dataclass."""
    command = click.Command("x", params=list(click_options(options_class)), callback=lambda **v: v)
    values = command.main(args=words, prog_name="x", standalone_mode=False)
    return options_from_values(options_class, values)


# What words can carry: many values go by repeating the option, and no value is empty or a flag.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(
    lambda text: not text.startswith("-")
)
PATHS = TEXT.map(Path)
OPTIONS = st.builds(
    All,
    flag=st.booleans(),
    on_flag=st.booleans(),
    count=st.integers(min_value=0),
    ratio=st.floats(min_value=0, allow_nan=False, allow_infinity=False),
    word=TEXT,
    place=PATHS,
    choice=st.sampled_from(["a", "b"]),
    maybe_count=st.none() | st.integers(),
    maybe_place=st.none() | PATHS,
    words=st.lists(TEXT, max_size=3).map(tuple),
    counts=st.lists(st.integers(), min_size=1, max_size=3).map(tuple),
    places=st.lists(PATHS, max_size=3).map(tuple),
)


@given(OPTIONS)
def test_options_come_back_from_json(options: All) -> None:
    assert options_from_json(All, json.loads(json.dumps(json_from_options(options)))) == options


@given(OPTIONS)
def test_options_come_back_from_command_line_words(options: All) -> None:
    assert parse(_repeated(argv_from_options(options))) == options


def _repeated(words: list[str]) -> list[str]:
    """Repeat an option before each of its values, as the command line does before click."""
    result: list[str] = []
    many = ""
    for word in words:
        if word.startswith("--"):
            many = word if word in ("--words", "--counts", "--places") else ""
            if not many:
                result.append(word)
        elif many:
            result += [many, word]
        else:
            result.append(word)
    return result


def test_defaults_need_no_words() -> None:
    assert argv_from_options(All()) == []
    assert parse([]) == All()


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (["--flag"], "flag", True),
        (["--no-on-flag"], "on_flag", False),
        (["--on-flag"], "on_flag", True),
        (["--count", "7"], "count", 7),
        (["-c", "7"], "count", 7),
        (["--count=7"], "count", 7),
        (["--ratio", "1e-3"], "ratio", 0.001),
        (["--word", "two words"], "word", "two words"),
        (["--place", "a/b"], "place", Path("a/b")),
        (["--choice", "b"], "choice", "b"),
        (["--maybe-count", "-4"], "maybe_count", -4),
        (["--maybe-place", "x"], "maybe_place", Path("x")),
        (["--words", "a", "-w", "b"], "words", ("a", "b")),
        (["--counts", "5"], "counts", (5,)),
        (["--places", "x", "--places", "y"], "places", (Path("x"), Path("y"))),
    ],
)
def test_words_of_every_type_are_understood(words: list[str], field: str, value: object) -> None:
    assert getattr(parse(words), field) == value


@pytest.mark.parametrize(
    "words",
    [
        ["--count", "x"],
        ["--count", "1.5"],
        ["--count", "-1"],
        ["--ratio", "-0.1"],
        ["--choice", "c"],
        ["--counts", "x"],
        ["--flag=3"],
        ["--no-flag"],
        ["--nothing"],
    ],
)
def test_wrong_words_are_refused_by_click(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(words)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"nothing": 1}, "there is no option 'nothing'. It has: choice, count"),
        ({"count": "x"}, "--count takes a value of type int, not 'x'"),
        ({"count": 1.5}, "--count takes a value of type int, not 1.5"),
        ({"count": float("inf")}, "--count takes a value of type int, not inf"),
        ({"count": True}, "--count takes a value of type int, not True"),
        ({"count": [1]}, "--count takes a value of type int"),
        ({"count": -1}, "--count takes at least 0, not -1"),
        ({"ratio": float("nan")}, "--ratio takes at least 0, not nan"),
        ({"flag": "yes"}, "--flag takes a value of type bool, not 'yes'"),
        ({"flag": 1}, "--flag takes a value of type bool, not 1"),
        ({"place": 5}, "--place takes a value of type Path, not 5"),
        ({"word": {"a": 1}}, "--word takes a value of type str"),
        ({"choice": "c"}, "--choice takes one of a, b, not 'c'"),
        ({"counts": [1, "x"]}, "--counts takes a value of type int, not 'x'"),
    ],
)
def test_wrong_values_are_refused_with_name_expected_and_got(values: Any, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        options_from_values(All, values, "tool")
    assert str(caught.value).startswith("tool: ")
    assert said in str(caught.value)


def test_numbers_may_come_as_text_and_names_with_hyphens() -> None:
    assert options_from_values(All, {"maybe-count": "4", "ratio": "2"}) == All(
        maybe_count=4, ratio=2.0
    )


def test_none_means_the_default() -> None:
    values = dict.fromkeys(spec.name for spec in option_specs(All))
    assert options_from_values(All, values) == All()


def test_a_single_value_for_many_is_one_of_many() -> None:
    assert options_from_values(All, {"words": "a"}).words == ("a",)


def test_an_empty_list_in_json_is_an_empty_tuple() -> None:
    assert options_from_json(All, {"counts": []}).counts == ()


def test_a_tool_without_options_has_none() -> None:
    assert option_specs(NoOptions) == ()
    with pytest.raises(UsageError, match="It has: none"):
        options_from_values(NoOptions, {"a": 1})


def test_only_a_flag_that_is_on_has_an_off_spelling() -> None:
    specs = {spec.name: spec for spec in option_specs(All)}
    assert specs["on_flag"].off_flag == "--no-on-flag"
    assert specs["flag"].off_flag is None
    assert specs["word"].off_flag is None


def test_the_shorthand_offers_only_what_says_so() -> None:
    (found,) = click_options(All, shorthand=True)
    assert found.opts == ["--pick"]


def test_help_shows_defaults_and_help_of_every_option() -> None:
    command = click.Command("x", params=list(click_options(All)))
    text = " ".join(command.get_help(click.Context(command)).split())
    for spec in option_specs(All):
        assert spec.info.help in text
    assert "A number. [default: 3]" in text
    assert "--word WORD" in text
    assert "--on-flag / --no-on-flag" in text
    assert "[a|b]" in text
    assert "Words. Takes several values." in text
    assert "None" not in text


def test_a_field_that_is_not_made_by_option_is_refused() -> None:
    @dataclass(frozen=True)
    class Bare:
        x: int = 3

    with pytest.raises(TypeError, match="Bare.x is not made by option"):
        option_specs(Bare)


def test_a_type_that_no_command_line_gives_is_refused() -> None:
    @dataclass(frozen=True)
    class Odd:
        x: dict = option({}.copy, help="Odd.")

    with pytest.raises(TypeError, match="Odd.x has type"):
        option_specs(Odd)
