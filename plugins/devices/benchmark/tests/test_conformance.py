"""Whether this package keeps turnkey's contracts: each rule is a test.

The runtime that is measured with is one of the test's own, so that no other package is needed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from turnkeyml.device import DeviceInfo
from turnkeyml.errors import BuildError
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import Provider
from turnkeyml.runtime import BaseRT
from turnkeyml.testing import PluginConformance, ToolConformance


class Chip(DeviceInfo):
    @classmethod
    def is_present(cls):
        return True

    @classmethod
    def full_name(cls):
        return "Chip"


class Sums(BaseRT):
    def __init__(self, effort: int = 1):
        self.effort = effort

    def _setup(self):
        if not self.model.read_bytes().startswith(b"\x08"):
            raise BuildError("That is no ONNX file.")

    def infer(self):
        sum(range(2_000 * self.effort))

    def device_name(self):
        return "Chip"


IMPLEMENTS = {
    "devices": {"kit-chip": {"class": Chip}},
    "runtimes": {"kit-sums": {"RuntimeClass": Sums, "supported_devices": ["kit-chip"]}},
}


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-benchmark"


class TestBenchmark(ToolConformance):
    tool = "benchmark"
    options_to_try = (
        {"device": "kit-chip", "runtime": "kit-sums", "iterations": 12},
        {"device": "kit-chip", "iterations": 12, "rt_args": ["effort::2"]},
    )
    not_applicable: ClassVar = {
        "planning_with_it_loads_no_heavy_package": "A fresh Python does not have the runtime of "
        "this test; tests/test_light_imports.py plans with installed ones.",
    }

    def registry(self):
        found = read_mapping(Provider("conformance", "0", "test", __name__), IMPLEMENTS)
        own = super().registry()
        return replace(
            own,
            runtimes={**own.runtimes, **{r.name: r for r in found.runtimes}},
            devices={**own.devices, **{d.family: d for d in found.devices}},
        )
