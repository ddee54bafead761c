"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

from turnkeyml.testing import PluginConformance, ToolConformance


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-discover"


class TestDiscover(ToolConformance):
    tool = "discover"
    options_to_try = (
        {},
        {"max_depth": 1, "keep_inputs": False, "script_args": "--one 'two three'"},
    )

    def make_source(self, folder):
        path = folder / "script.py"
        path.write_text(
            "import torch\n"
            "net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())\n"
            "for batch in (1, 2):\n"
            "    net(torch.rand(batch, 2))\n"
        )
        return path

    def make_broken_source(self, folder):
        path = folder / "script.py"
        path.write_text("import torch\ntorch.nn.Linear(2, 2)(torch.ones(3))\n")
        return path
