"""Whether this package keeps turnkey's contracts: each rule is a test.

The runtime is run on the stand-ins for CUDA, TensorRT-RTX and NVML, through the real worker.
"""

from __future__ import annotations

import pytest

from turnkeyml.testing import PluginConformance, RuntimeConformance
from turnkeyml_plugin_tensorrt import runtime

from .conftest import add_engine


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-tensorrt"


@pytest.mark.usefixtures("fakes")
class TestTrt(RuntimeConformance):
    runtime = "trt"
    rt_args_to_try = ((), ("cuda_graph", "profile::0"))

    @pytest.fixture(autouse=True)
    def run_on_shortly(self, monkeypatch):
        monkeypatch.setattr(runtime, "RUN_ON_S", 0.05)

    def make_input(self, state):
        add_engine(state)

    def make_broken_input(self, state):
        add_engine(state, b"This is no engine.")
