"""Profiles as they are written on the command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.errors import PlanError
from turnkeyml_plugin_build_trt_engine.profiles import ShapeRange, parse_profiles, words_of


def test_three_shapes_are_smallest_usual_and_largest():
    assert parse_profiles(["input_ids=1x8,1x128,4x512"]) == (
        {"input_ids": ShapeRange((1, 8), (1, 128), (4, 512))},
    )


def test_one_shape_stands_for_all_three():
    assert parse_profiles(["x=2x3"]) == parse_profiles(["x=2x3,2x3,2x3"])


def test_names_may_contain_an_equals_sign():
    assert list(parse_profiles(["a=b=1"])[0]) == ["a=b"]


def test_several_ranges_make_several_profiles_and_a_single_one_is_in_all():
    first, second = parse_profiles(["x=1", "n=5", "x=2"])
    assert str(first["x"]) == "1,1,1"
    assert str(second["x"]) == "2,2,2"
    assert first["n"] == second["n"]


def test_nothing_given_is_no_profile():
    assert parse_profiles([]) == ()


@pytest.mark.parametrize(
    "word",
    [
        "x",
        "x=",
        "=1x2",
        "x=1,2",
        "x=1x,2,3",
        "x=a",
        "x=-1",
        "x=1x2;3",
        "x=1,2,3,4",
        "x=" + "9" * 19,
    ],
)
def test_other_spellings_are_refused_with_the_right_one(word):
    with pytest.raises(PlanError, match=r"takes NAME=MIN,OPT,MAX, such as input_ids=1x8"):
        parse_profiles([word])


def test_shapes_of_different_ranks_are_refused():
    with pytest.raises(PlanError, match="have 1, 2 and 2 dimensions"):
        parse_profiles(["x=1,1x2,1x2"])


def test_shapes_that_do_not_grow_are_refused():
    with pytest.raises(PlanError, match="not in the order smallest, usual, largest"):
        parse_profiles(["x=4x8,1x8,4x8"])


def test_unequal_numbers_of_ranges_are_refused():
    with pytest.raises(PlanError, match="gives 2 ranges for y, but 3 for another input"):
        parse_profiles(["x=1", "x=2", "x=3", "y=1", "y=2"])


shapes = st.lists(st.integers(0, 10**9), min_size=1, max_size=4)


@given(st.dictionaries(st.text("ab=/.:", min_size=1), shapes, max_size=3), st.integers(1, 3))
def test_what_is_recorded_reads_back_as_the_same(inputs, count):
    words = [
        f"{name}={'x'.join(str(n) for n in shape)}"
        for _ in range(count)
        for name, shape in inputs.items()
    ]
    profiles = parse_profiles(words)
    assert parse_profiles(words_of(profiles)) == profiles
    assert words_of(parse_profiles(words_of(profiles))) == words_of(profiles)
