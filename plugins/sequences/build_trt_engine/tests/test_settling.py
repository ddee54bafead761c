"""What an engine takes for each input."""

from __future__ import annotations

import pytest

from turnkeyml_plugin_build_trt_engine.settling import Input, MisfitError, settle_profiles

OPEN = Input("x", (-1, 8), "float32")
FIXED = Input("f", (2,), "float32")
VALUES = Input("n", (), "int64", is_values=True)


def captured(**shapes):
    kinds = {"ids": "int64", "mask": "int64", "other": "int64"}
    return {
        name: {"shape": shape, "dtype": kinds.get(name, "float32")}
        for name, shape in shapes.items()
    }


def test_fixed_inputs_need_no_profile():
    assert settle_profiles([FIXED], [], captured(f=[2])) == ([], [])


def test_fixed_input_may_be_named_with_its_own_shape():
    profiles, _ = settle_profiles([FIXED], [{"f": [[2], [2], [2]]}], {})
    assert profiles == [{"f": [[2], [2], [2]]}]


def test_fixed_input_with_another_shape_is_refused():
    with pytest.raises(MisfitError, match="does not fit the input f"):
        settle_profiles([FIXED], [{"f": [[1], [2], [3]]}], {})


def test_what_is_not_named_is_taken_as_captured_in_every_profile():
    other = Input("y", (-1,), "float32")
    given = [{"x": [[1, 8], [1, 8], [4, 8]]}, {"x": [[5, 8], [5, 8], [9, 8]]}]
    profiles, notes = settle_profiles([OPEN, other], given, captured(x=[2, 8], y=[3]))
    assert [p["y"] for p in profiles] == [[[3], [3], [3]]] * 2
    assert len(notes) == 1
    assert "(y 3)" in notes[0]


def test_scalar_that_holds_a_size_is_bounded_by_values():
    known = {"n": {"shape": [], "dtype": "int64", "values": [7]}}
    profiles, notes = settle_profiles([VALUES], [{"n": [[1], [4], [9]]}], known)
    assert profiles == [{"n": [[1], [4], [9]]}]
    assert notes == []


def test_values_outside_every_profile_are_noted():
    known = {"n": {"shape": [], "dtype": "int64", "values": [70]}}
    _, notes = settle_profiles([VALUES], [{"n": [[1], [4], [9]]}], known)
    assert "(n 70)" in notes[0]


def test_number_of_values_must_be_that_of_the_tensor():
    with pytest.raises(MisfitError, match="does not fit the input n") as caught:
        settle_profiles([VALUES], [{"n": [[1, 2], [4, 5], [9, 9]]}], {})
    assert "values of a tensor of shape scalar" in caught.value.hint


def test_holder_of_a_shape_without_captured_values_must_be_named():
    with pytest.raises(MisfitError, match=r"The input n \(scalar\) is not fixed"):
        settle_profiles([VALUES], [], captured(n=[]))


def test_captured_shape_that_one_profile_takes_is_not_noted():
    given = [{"x": [[5, 8], [5, 8], [9, 8]]}, {"x": [[1, 8], [1, 8], [4, 8]]}]
    assert settle_profiles([OPEN], given, captured(x=[2, 8]))[1] == []


def test_captured_shape_of_another_rank_is_refused():
    with pytest.raises(MisfitError, match=r"as \?x8, but it was captured as 2x3x8"):
        settle_profiles([OPEN], [], captured(x=[2, 3, 8]))


IDS = Input("ids", (-1, -1), "int64", ("batch", "sequence"))
MASK = Input("mask", (-1, 1, -1), "int64", ("batch", None, "sequence"))
OTHER = Input("other", (-1, -1), "int64", ("batch", "length"))


def test_dimensions_of_one_name_share_their_range():
    given = [{"ids": [[1, 8], [1, 128], [4, 512]]}]
    profiles, notes = settle_profiles([IDS, MASK], given, captured(mask=[1, 1, 16], ids=[1, 16]))
    assert profiles[0]["mask"] == [[1, 1, 8], [1, 1, 128], [4, 1, 512]]
    assert [note for note in notes if "says nothing of" in note] == []


def test_dimensions_of_one_name_need_no_captured_input():
    given = [{"ids": [[1, 8], [1, 128], [4, 512]]}]
    profiles, _ = settle_profiles([IDS, MASK], given, {})
    assert profiles[0]["mask"] == [[1, 1, 8], [1, 1, 128], [4, 1, 512]]


def test_what_no_name_settles_is_taken_as_captured_and_noted():
    given = [{"ids": [[1, 8], [1, 128], [4, 512]]}]
    profiles, notes = settle_profiles([IDS, OTHER], given, captured(other=[1, 6], ids=[1, 16]))
    assert profiles[0]["other"] == [[1, 6], [1, 6], [4, 6]]
    assert "(other 1-4x6)" in notes[0]


def test_requests_are_not_changed():
    given = [{}]
    settle_profiles([OPEN], given, captured(x=[2, 8]))
    assert given == [{}]
