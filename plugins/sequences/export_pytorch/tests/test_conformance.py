"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

import torch

from turnkeyml.testing import PluginConformance, ToolConformance
from turnkeyml_torch import LiveModel, make_signature
from turnkeyml_torch.given import hand_over


def add_model(state, module, *args):
    live = LiveModel(module, args, {}, make_signature(module, args, {}))
    hand_over(state, live, training=False)


class ReturnsText(torch.nn.Module):
    """Cannot be exported: it returns no tensor."""

    def forward(self, x):
        return "text"


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-export-pytorch"


class TestExportPytorch(ToolConformance):
    tool = "export-pytorch"
    options_to_try = (
        {"exporter": "torchscript", "opset": 17},
        {"dynamic_axes": ["batch"]},
    )

    def make_input(self, state):
        torch.manual_seed(0)
        add_model(state, torch.nn.Sequential(torch.nn.Linear(4, 300)), torch.ones(2, 4))

    def make_broken_input(self, state):
        add_model(state, ReturnsText(), torch.ones(2))
