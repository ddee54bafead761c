"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

from turnkeyml.testing import PluginConformance, ToolConformance


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-build-trt-engine"


class TestBuildTrtEngine(ToolConformance):
    tool = "build-trt-engine"
    options_to_try = (
        {"library": "tensorrt-rtx"},
        {"library": "tensorrt-rtx", "compute_capability": ["8.6"], "tf32": False},
    )
