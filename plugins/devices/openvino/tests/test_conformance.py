"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

from turnkeyml.testing import PluginConformance, RuntimeConformance


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-openvino"


class TestOpenVINO(RuntimeConformance):
    runtime = "openvino"
    rt_args_to_try = (
        (),
        ("performance_hint::THROUGHPUT", "num_streams::2", "model_cache"),
        ("inference_precision_hint::f32", "threads::1", "enable_cpu_pinning::false"),
        ("properties::[CPU_DENORMALS_OPTIMIZATION=YES]", "reshape::false"),
    )
