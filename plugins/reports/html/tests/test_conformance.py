"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

from turnkeyml.testing import PluginConformance


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-report-html"
