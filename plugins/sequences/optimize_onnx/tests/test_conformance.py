"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

from turnkeyml.testing import PluginConformance, ToolConformance


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-optimize-onnx"


class TestOptimizeOnnx(ToolConformance):
    tool = "optimize-onnx"
    options_to_try = ({}, {"level": "extended"}, {"level": "all"})
