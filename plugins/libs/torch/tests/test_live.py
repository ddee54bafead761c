"""A model with the inputs of one invocation."""

from __future__ import annotations

import torch

from turnkeyml_torch import LiveModel, make_signature


class Pair(torch.nn.Module):
    def forward(self, first, second=None, *, third=None):
        return first


def live(*args, **kwargs):
    module = Pair()
    return LiveModel(module, args, kwargs, make_signature(module, args, kwargs))


def test_arguments_have_the_names_and_the_order_of_forward():
    found = live(torch.zeros(1), third=torch.zeros(3), second=torch.zeros(2)).arguments()
    assert list(found) == ["first", "second", "third"]


def test_keyword_arguments_are_put_into_the_order_of_forward():
    found = live(third=torch.zeros(3), first=torch.zeros(1), second=torch.zeros(2))
    assert list(found.ordered_kwargs()) == ["first", "second", "third"]


def test_shapes_are_those_of_the_tensors_only():
    found = live(torch.zeros(1, 4), (torch.zeros(2), 7))
    assert found.tensor_shapes() == {"first": (1, 4), "second.0": (2,)}
