"""Modules are called with captured inputs, in evaluation, and change nothing."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from turnkeyml_torch import Recorder, call, eval_mode, flatten_outputs

Pair = namedtuple("Pair", "a b")


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = torch.nn.Dropout(0.9)
        self.norm = torch.nn.BatchNorm1d(2)
        self.fc = torch.nn.Linear(2, 2)

    def forward(self, x, add=None):
        x += 1
        return self.fc(self.norm(self.drop(x)))


def test_call_repeats_itself_and_restores_every_mode() -> None:
    net = Net()
    net.norm.eval()
    x = torch.ones(3, 2)
    with Recorder(seed=None) as recorder:
        net(x)
    (model,) = recorder.models
    (invocation,) = model.invocations
    buffers = [buffer.clone() for buffer in net.buffers()]
    first, second = call(net, invocation), call(net, invocation)
    assert torch.equal(first, second)
    assert not first.requires_grad
    assert torch.equal(invocation.args[0], torch.ones(3, 2))
    assert [part.training for part in net.modules()] == [True, True, False, True]
    assert all(torch.equal(a, b) for a, b in zip(buffers, net.buffers(), strict=True))


def test_modes_come_back_after_an_exception() -> None:
    net = Net()
    with pytest.raises(KeyError), eval_mode(net):
        assert not net.drop.training
        raise KeyError
    assert all(part.training for part in net.modules())


@dataclass
class Output:
    logits: Any
    hidden: Any = None


X = torch.ones(1)


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        (X, ["out"]),
        ((X, [X, None]), ["out_0", "out_1.0"]),
        ([X], ["out_0"]),
        ({"a": X, "b": (X, {"c": X})}, ["a", "b.0", "b.1.c"]),
        (Pair(X, 3), ["a"]),
        (Output(X, (X,)), ["logits", "hidden.0"]),
        ({1: X, "1": X}, ["1", "1_"]),
        (None, []),
        (3, []),
    ],
)
def test_outputs_have_stable_names(outputs: Any, names: list[str]) -> None:
    assert list(flatten_outputs(outputs)) == names


def test_transformers_outputs_and_caches_have_names() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=32)
    gpt = transformers.GPT2LMHeadModel(config)
    ids = torch.ones(1, 3, dtype=torch.long)
    with Recorder(seed=None) as recorder:
        outputs = gpt(ids)
        grown = gpt(ids[:, :1], past_key_values=outputs.past_key_values)
    names = list(flatten_outputs(grown))
    assert names[0] == "logits"
    assert any(name.startswith("past_key_values.layers.0.keys") for name in names)
    (model,) = recorder.models
    replayed = call(gpt, model.invocations[1])
    again = call(gpt, model.invocations[1])
    assert torch.equal(replayed.logits, again.logits)
    assert torch.allclose(replayed.logits[:, -1], call(gpt, model.invocations[1]).logits[:, -1])
