"""Dimensions that a file leaves open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.errors import BuildError
from turnkeyml_plugin_load_onnx.dimensions import GivenShape, parse_shapes, settle_shapes
from turnkeyml_plugin_load_onnx.signature import InputSpec


def specs(dtype="float32", **dims):
    return {
        name: InputSpec(name, "int64" if name.endswith(("ids", "mask")) else dtype, shape)
        for name, shape in dims.items()
    }


def settle(inputs, *shapes, where="--shape"):
    given = [GivenShape(n, s, where) for n, s in parse_shapes(shapes).items()]
    return settle_shapes(inputs, given)


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("x=1,3,224,224", {"x": (1, 3, 224, 224)}),
        ("x=5", {"x": (5,)}),
        ("x=", {"x": ()}),
        ("x=0,2", {"x": (0, 2)}),
        ("a=b=1,2", {"a=b": (1, 2)}),
        ("input:0=1", {"input:0": (1,)}),
        ("model/x.1= 1, 2", {"model/x.1": (1, 2)}),
    ],
)
def test_shapes_are_read(word, wanted):
    assert parse_shapes((word,)) == wanted


@pytest.mark.parametrize(
    ("dims", "wanted"),
    [
        (("batch", 3, "height", "width"), (1, 3, 224, 224)),
        (("N", "C", "H", "W"), (1, 3, 224, 224)),
        (("batch_size", "sequence_length", 768), (1, 128, 768)),
        (("batch", "seq_len"), (1, 128)),
        (("batch_size", 12, "past_sequence_length", 64), (1, 12, 128, 64)),
        (("unk__1", "unk__2", "unk__3", 3), (1, 224, 224, 3)),
        ((None, 3, None, None), (1, 3, 224, 224)),
        ((None, None, None, None), (1, 3, 224, 224)),
        ((None, 12, None, 64), (1, 12, 128, 64)),
        ((None, None, 768), (1, 128, 768)),
        ((None, 80, None), (1, 80, 128)),
        ((None, 3, None, None, None), (1, 3, 16, 224, 224)),
        ((None, None, None, None, 3), (1, 16, 224, 224, 3)),
        ((None, 10), (1, 10)),
        (("s0", "s1"), (1, 1)),
        ((None,), (1,)),
        ((), ()),
        ((2, 0), (2, 0)),
        ((None, None, None, None, None, None), (1, 1, 1, 1, 1, 1)),
    ],
)
def test_open_dimensions_get_sensible_values(dims, wanted):
    assert settle(specs(x=dims)).shapes == {"x": wanted}


@pytest.mark.parametrize("dims", [("s0", "s1"), (None, None)])
def test_whole_numbers_in_two_dimensions_are_sequences(dims):
    assert settle(specs(input_ids=dims)).shapes == {"input_ids": (1, 128)}


def test_dimension_of_one_name_has_one_value_in_all_inputs():
    inputs = specs(x=("a", "d"), input_ids=("a", "d"))
    assert settle(inputs).shapes == {"x": (1, 128), "input_ids": (1, 128)}
    settled = settle(inputs, "x=3,4")
    assert settled.shapes == {"x": (3, 4), "input_ids": (3, 4)}
    assert settled.chosen == {}
    assert settled.symbols == {"a": 3, "d": 4}


def test_what_was_chosen_is_named():
    settled = settle(specs(x=("batch", None, 8), y=("batch", "seq")), "y=2,5")
    assert settled.chosen == {"x[1]": 128}
    assert settled.shapes["x"] == (2, 128, 8)


@pytest.mark.parametrize(
    ("symbol", "label"),
    [("s72", "x[1]"), ("unk__617", "x[1]"), ("dim_1", "x[1]"), ("?", "x[1]"), ("rows", "rows")],
)
def test_names_that_mean_nothing_are_shown_by_their_place(symbol, label):
    assert settle(specs(x=(2, symbol))).chosen == {label: 1}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("past + sequence", 256),
        ("past + 1", 129),
        ("2*past - sequence", 128),
        ("past / 2", 64),
        ("sequence // 3", 42),
    ],
)
def test_dimension_that_is_computed_from_others_is_computed(text, wanted):
    settled = settle(specs(x=("past", "sequence"), attention_mask=(1, text)))
    assert settled.shapes["attention_mask"] == (1, wanted)
    assert text not in settled.chosen


def test_computed_dimension_that_contradicts_what_it_is_computed_from_is_refused():
    inputs = specs(x=("past", "sequence"), attention_mask=(1, "past + sequence"))
    assert settle(inputs, "x=3,4", "attention_mask=1,7").shapes["attention_mask"] == (1, 7)
    with pytest.raises(BuildError, match=r"'past \+ sequence' is 8 by --shape .* but 7 by past=3"):
        settle(inputs, "x=3,4", "attention_mask=1,8")


@pytest.mark.parametrize("text", ["past / 3", "past - 200", "past // 0", "past * 99999999999"])
def test_computed_dimension_without_a_result_is_refused(text):
    with pytest.raises(BuildError, match="cannot be computed from past=128"):
        settle(specs(x=("past",), y=(text,)))


@pytest.mark.parametrize(
    "text", ["__import__('os')", "a.b", "f(a)", "a-b", "[1]", "a if a else b", "(" * 90, "1+"]
)
def test_text_that_is_no_sum_of_dimensions_is_a_name(text):
    assert settle(specs(x=(text, "a"))).shapes["x"][0] == 1


@given(st.text(max_size=300))
def test_any_text_may_be_the_name_of_a_dimension(text):
    shape = settle(specs(x=(text or None, "a", 5))).shapes["x"]
    assert len(shape) == 3
    assert all(isinstance(n, int) and n >= 0 for n in shape)


def test_input_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(BuildError) as caught:
        settle(specs(x=("batch", 3, None), input_ids=(1,)), "y=1")
    assert str(caught.value) == (
        "--shape names the input 'y', which the model does not have. "
        "Its inputs are: x[batch, 3, ?], input_ids[1]."
    )


@pytest.mark.parametrize("word", ["x=1,4", "x=1", "x=1,3,1", "x="])
def test_shape_that_the_file_does_not_allow_is_refused(word):
    with pytest.raises(BuildError, match=r"but the model takes x\[batch, 3\]\."):
        settle(specs(x=("batch", 3)), word)


def test_two_values_for_one_dimension_are_refused():
    with pytest.raises(BuildError) as caught:
        settle(specs(x=("batch", 3), y=("batch",)), "x=2,3", "y=4")
    assert str(caught.value) == (
        "The dimension 'batch' is 2 by --shape for x, but 4 by --shape for y. "
        "A dimension of one name has one size in the whole model."
    )
    with pytest.raises(BuildError, match="'n' is 2 by --shape for x, but 3 by --shape for x"):
        settle(specs(x=("n", "n")), "x=2,3")


def test_two_shapes_for_one_input_are_refused():
    given = [GivenShape("x", (1, 2), "--shape"), GivenShape("x", (1, 3), "x.npz")]
    with pytest.raises(BuildError, match=r"x\.npz gives x the shape \[1, 3\], but it was given"):
        settle_shapes(specs(x=(1, None)), given)


def test_input_of_unknown_rank_needs_a_shape():
    with pytest.raises(BuildError, match="does not say how many dimensions its input x has"):
        settle(specs(x=None))
    assert settle(specs(x=None), "x=2,3").shapes == {"x": (2, 3)}


@given(
    st.dictionaries(
        st.sampled_from("abcde"),
        st.lists(
            st.one_of(st.none(), st.integers(0, 9), st.sampled_from(["batch", "n", "m", "n + m"])),
            max_size=6,
        ),
        max_size=4,
    )
)
def test_whatever_the_file_leaves_open_is_settled_and_fits_it(dims):
    inputs = specs(**{name: tuple(shape) for name, shape in dims.items()})
    settled = settle(inputs)
    values = dict(settled.symbols)
    for name, shape in settled.shapes.items():
        assert len(shape) == len(dims[name])
        for dim, n in zip(dims[name], shape, strict=True):
            if isinstance(dim, int):
                assert n == dim
            elif dim is not None:
                assert n == values[dim]
    words = [f"{name}={','.join(map(str, s))}" for name, s in settled.shapes.items()]
    again = settle(inputs, *words)
    assert again.shapes == settled.shapes
    assert again.chosen == {}
