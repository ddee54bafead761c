"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

import torch

from turnkeyml.testing import PluginConformance, RuntimeConformance
from turnkeyml_torch import LiveModel
from turnkeyml_torch.given import hand_over
from turnkeyml_torch.signature import make_signature

NOT_APPLICABLE = {
    "it_is_torn_down_once_also_after_a_failure": "The kit makes infer() fail, and what these "
    "runtimes time is the bare call; test_runtime.py looks at what is left after a failure."
}


class Refusing(torch.nn.Module):
    def forward(self, x):
        raise ValueError("not with me")


def give(state, module):
    x = torch.ones(1, 2)
    signature = make_signature(module, (x,), {})
    hand_over(state, LiveModel(module, (x,), {}, signature), training=False)


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-torchrt"


class TestTorchEager(RuntimeConformance):
    runtime = "torch-eager"
    rt_args_to_try = ((), ("threads::1", "dtype::bfloat16"))
    not_applicable = NOT_APPLICABLE

    def make_input(self, state):
        give(state, torch.nn.Linear(2, 2))

    def make_broken_input(self, state):
        give(state, Refusing())


class TestTorchCompiled(RuntimeConformance):
    runtime = "torch-compiled"
    rt_args_to_try = (("backend::aot_eager",), ("backend::eager", "dynamic", "fullgraph"))
    not_applicable = NOT_APPLICABLE

    def make_input(self, state):
        give(state, torch.nn.Linear(2, 2))

    def make_broken_input(self, state):
        give(state, Refusing())
