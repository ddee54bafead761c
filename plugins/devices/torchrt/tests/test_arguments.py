"""What a module is called with."""

from __future__ import annotations

from collections import namedtuple

import pytest
import torch

from turnkeyml_plugin_torchrt.arguments import Arguments, Mark, arguments_from_inputs
from turnkeyml_torch import bind_names

X, Y = torch.arange(3.0), torch.ones(3)
Pair = namedtuple("Pair", "a b")


class Forms(torch.nn.Module):
    def forward(self, x, /, y, *rest, scale=1.0, **more):
        return x + y + sum(rest) + scale + sum(more.values())


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((X, Y), {}),
        ((X,), {"y": Y}),
        ((X, Y, Y, Y), {"scale": 2.0}),
        ((X, Y), {"scale": 0.5, "bias": Y}),
    ],
)
def test_call_is_the_same_as_the_one_that_was_captured(args, kwargs):
    module = Forms()
    found = arguments_from_inputs(module, bind_names(module, args, kwargs))
    assert torch.equal(module(*found.args, **found.kwargs), module(*args, **kwargs))


def test_arguments_of_scripted_and_traced_modules_go_by_keyword():
    plain = torch.nn.Linear(3, 2)
    with pytest.warns((DeprecationWarning, FutureWarning), match="torch.jit"):
        modules = [torch.jit.script(plain), torch.jit.trace(plain, (X,))]
    for module in modules:
        found = arguments_from_inputs(module, bind_names(module, (X,), {}))
        assert list(found.kwargs) == ["input"]
        assert torch.equal(module(*found.args, **found.kwargs), plain(X))


class Two(torch.nn.Module):
    def forward(self, a, b=None, c=None):
        return a if c is None else a + c


def test_hooks_that_see_positions_only_see_the_inputs():
    module = Two()
    seen = []
    module.register_forward_pre_hook(lambda module, args: seen.append(len(args)))
    found = arguments_from_inputs(module, {"a": X, "c": Y})
    assert (len(found.args), list(found.kwargs)) == (1, ["c"])
    module(*found.args, **found.kwargs)
    assert seen == [1]


def test_hooks_that_see_keywords_leave_the_call_as_it_is():
    module = Two()
    module.register_forward_pre_hook(lambda m, args, kwargs: None, with_kwargs=True)
    assert arguments_from_inputs(module, {"a": X}) == Arguments((), {"a": X})


def test_copies_share_nothing_that_a_call_could_write_to():
    inside = torch.zeros(2)
    arguments = Arguments((inside,), {"cache": [inside, {"k": inside}]})
    copy = arguments.copied()
    copy.args[0].fill_(1)
    copy.kwargs["cache"].append(3)
    assert inside.tolist() == [0, 0]
    assert len(arguments.kwargs["cache"]) == 2


def test_tensors_are_mapped_inside_containers_and_stay_one_where_they_were_one():
    arguments = Arguments((Pair(X, [X, 3]),), {"more": {"k": Y, "none": None}})
    found = arguments.mapped(lambda tensor: tensor + 1)
    pair = found.args[0]
    assert isinstance(pair, Pair)
    assert pair.a is pair.b[0]
    assert pair.b[1] == 3
    assert found.kwargs["more"]["none"] is None
    assert torch.equal(found.kwargs["more"]["k"], Y + 1)
    assert [tensor.shape for tensor in found.tensors()] == [(3,), (3,), (3,)]


def test_mark_sees_values_that_were_written_to():
    arguments = Arguments((torch.zeros(2),), {})
    mark = Mark(arguments)
    assert not mark.is_written()
    arguments.args[0].add_(1)
    assert mark.is_written()
    assert not mark.is_rebuilt()


@pytest.mark.parametrize(
    "change",
    [
        lambda cache: cache.append(torch.zeros(1)),
        lambda cache: cache.clear(),
        lambda cache: cache.__setitem__(0, torch.cat([cache[0], cache[0]])),
        lambda cache: cache[0].resize_(5),
    ],
)
def test_mark_sees_containers_that_hold_something_else(change):
    cache = [torch.zeros(2)]
    mark = Mark(Arguments((cache,), {}))
    change(cache)
    assert mark.is_rebuilt()
    assert mark.is_written()
