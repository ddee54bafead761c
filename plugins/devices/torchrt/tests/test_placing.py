"""Modules on a device for a while, and as they were afterwards."""

from __future__ import annotations

import pytest
import torch

from turnkeyml_plugin_torchrt.placing import placed
from turnkeyml_torch.reference import buffers_kept

ELSEWHERE = torch.device("cuda:0")


class Counting(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(2, 2)
        self.register_buffer("calls", torch.zeros(1))
        self.register_buffer("last", torch.zeros(2))
        self.register_buffer("big", torch.zeros(1 << 15))

    def forward(self, x):
        self.calls += 1
        self.last = x.clone()
        self.big[0] = 5
        return self.fc(x)


def state_of(module):
    return {name: (id(t), t.data_ptr(), t.tolist()) for name, t in module.state_dict().items()}


def memory_of(module):
    return {
        n: (id(t), t.data_ptr()) for n, t in [*module.named_parameters(), *module.named_buffers()]
    }


def test_parameters_and_buffers_have_their_own_memory_back():
    module = Counting()
    module.fc.weight.requires_grad_(requires_grad=False)
    before = memory_of(module)
    with placed(module, ELSEWHERE, move=torch.clone):
        now = memory_of(module)
        assert all(now[name][1] != before[name][1] for name in before)
        assert {name: value[0] for name, value in now.items()} == {
            name: value[0] for name, value in before.items()
        }
        module.fc.weight.fill_(9)
    assert memory_of(module) == before
    assert not torch.equal(module.fc.weight, torch.full((2, 2), 9.0))


def test_module_is_put_back_after_a_failure_to_place_it():
    module = Counting()
    before = memory_of(module)
    moved = []

    def move(tensor):
        if len(moved) == 2:
            raise RuntimeError("out of memory")
        moved.append(tensor)
        return tensor.clone()

    with pytest.raises(RuntimeError, match="out of memory"):
        with placed(module, ELSEWHERE, move=move):
            raise AssertionError("it was not placed")
    assert memory_of(module) == before


def test_module_that_is_there_already_is_not_touched():
    module = Counting()

    def refuse(tensor):
        raise AssertionError("nothing is to be moved")

    with placed(module, torch.device("cpu"), move=refuse):
        module(torch.ones(2))


def test_tied_parameters_stay_tied():
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    module[1].weight = module[0].weight
    with placed(module, ELSEWHERE, move=torch.clone):
        assert module[1].weight is module[0].weight
    assert module[1].weight is module[0].weight


def test_buffers_that_the_module_writes_to_or_replaces_are_as_they_were():
    module = Counting()
    last = module.last
    with buffers_kept(module), torch.no_grad():
        module(torch.ones(2))
        assert (module.calls.item(), module.big[0].item()) == (1, 5)
        assert module.last is not last
    assert module.calls.item() == 0
    assert module.big[0].item() == 0
    assert module.last is last
    assert module.last.tolist() == [0, 0]


def test_buffers_of_scripted_modules_are_as_they_were():
    class Counts(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(1))

        def forward(self, x):
            self.calls.add_(1)
            return x

    with pytest.warns((DeprecationWarning, FutureWarning), match="torch.jit"):
        module = torch.jit.script(Counts())
    with buffers_kept(module), torch.no_grad():
        module(torch.ones(2))
        assert module.calls.item() == 1
    assert module.calls.item() == 0
