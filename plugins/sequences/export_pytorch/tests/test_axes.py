"""The spelling of --dynamic-axes."""

from __future__ import annotations

import pytest
import torch

from turnkeyml.errors import BuildError, PlanError
from turnkeyml_plugin_export_pytorch.axes import match_axes, parse_axes, still_fixed
from turnkeyml_plugin_export_pytorch.flat import FlatInput

INPUTS = (
    FlatInput("input_ids", "input_ids", torch.ones(1, 8)),
    FlatInput("past_0_key", "past.layers.0.keys", torch.ones(1, 2, 3, 4)),
    FlatInput("step", "step", torch.tensor(1)),
)


def match(*values):
    return match_axes(parse_axes(values), INPUTS)


def test_axes_of_one_input_are_named():
    assert match("input_ids=0:batch,1:sequence") == {"input_ids": {0: "batch", 1: "sequence"}}


def test_axes_without_a_name_are_called_after_the_input():
    assert match("input_ids=1") == {"input_ids": {1: "input_ids_dim_1"}}


def test_axes_count_back_from_the_end():
    assert match("past_0_key=-2:past") == {"past_0_key": {2: "past"}}


def test_batch_is_the_first_axis_of_all_inputs_that_have_one():
    assert match("batch") == {"input_ids": {0: "batch"}, "past_0_key": {0: "batch"}}


def test_patterns_choose_inputs_and_leave_out_those_without_such_axes():
    assert match("past_*=2:past") == {"past_0_key": {2: "past"}}
    assert match("*=0:batch,2:past") == {
        "input_ids": {0: "batch"},
        "past_0_key": {0: "batch", 2: "past"},
    }


def test_captured_names_are_understood_too():
    assert match("past.layers.0.keys=0:n") == {"past_0_key": {0: "n"}}


def test_several_values_add_up():
    assert match("batch", "input_ids=1:sequence")["input_ids"] == {0: "batch", 1: "sequence"}


def test_an_unknown_input_is_refused_with_those_that_are_there():
    with pytest.raises(BuildError, match="the model has no input ids") as caught:
        match("ids=0:batch")
    assert caught.value.hint.startswith("It has: input_ids (1, 8), past_0_key (1, 2, 3, 4), step")


@pytest.mark.parametrize(
    ("value", "hint"), [("input_ids=2", "Its axes are 0 to 1."), ("step=0", "It is a single")]
)
def test_an_axis_that_is_not_there_is_refused(value, hint):
    with pytest.raises(BuildError, match="has no axis") as caught:
        match(value)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    "value", ["", "input_ids", "input_ids=", "input_ids=a", "=0:b", "x=0:1b", "x=0:a b", "x=0;1"]
)
def test_other_spellings_are_refused_when_planned(value):
    with pytest.raises(PlanError, match="cannot be understood") as caught:
        parse_axes([value])
    assert "input_ids=0:batch,1:sequence" in caught.value.hint


def test_axes_that_stayed_fixed_are_said_in_words():
    wanted = {"x": {0: "batch", 1: "sequence"}, "y": {0: "batch"}}
    assert still_fixed(wanted, {"x": {0: "batch"}}) == [
        "axis 1 (sequence) of x",
        "axis 0 (batch) of y",
    ]
    assert still_fixed(wanted, {"x": {0: "n", 1: "n"}, "y": {0: "n"}}) == []
