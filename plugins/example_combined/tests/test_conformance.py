"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

from turnkeyml.testing import PluginConformance, RuntimeConformance, ToolConformance


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-example-combined"


class TestTool(ToolConformance):
    tool = "example-tool"
    options_to_try = ({}, {"top": 256, "title": "two words"})


class TestRuntimeOnItsDevice(RuntimeConformance):
    runtime = "example-rt"
    device = "example_family::part1::config2"
    rt_args_to_try = ((), ("delay_before_benchmarking::0.05", "tags::[a, b]", "verbose"))


class TestRuntimeOnTheProcessor(RuntimeConformance):
    runtime = "example-rt"
    device = "x86"
