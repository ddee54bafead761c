"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

import torch

from turnkeyml.artifacts import PYTORCH_MODEL
from turnkeyml.plugins.registry import Registry
from turnkeyml.testing import PluginConformance, ToolConformance
from turnkeyml_plugin_export_pytorch.tool import ExportPytorch, ExportPytorchOptions
from turnkeyml_torch import LiveModel
from turnkeyml_torch.given import hand_over
from turnkeyml_torch.signature import make_signature


class Unusual(torch.nn.Module):
    def forward(self, x):
        return torch.ones(int(x.sum().item())) if x.sum() > 0 else x


def give(state, module):
    x = torch.ones(1, 2)
    signature = make_signature(module, (x,), {})
    hand_over(state, LiveModel(module, (x,), {}, signature), training=False)


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-export-pytorch"


class TestExportPytorch(ToolConformance):
    tool = "export-pytorch"
    options_to_try = (
        {},
        {"exporter": "torchscript", "opset": 17},
        {"dynamic_axes": ["batch"]},
    )

    def make_input(self, state):
        torch.manual_seed(0)
        give(state, torch.nn.Linear(2, 2))

    def make_broken_input(self, state):
        give(state, Unusual())


class TestVerifyExporter(ToolConformance):
    tool = "verify-exporter"
    options_to_try = ({"evaluator": "reference"}, {"tolerance": 0.5, "on_mismatch": "warn"})

    def make_input(self, state):
        torch.manual_seed(0)
        give(state, torch.nn.Linear(2, 2))
        state.begin_step("export-pytorch", "1" * 8, (PYTORCH_MODEL,))
        ExportPytorch().run(state, ExportPytorch.resolve(ExportPytorchOptions(), Registry()))
