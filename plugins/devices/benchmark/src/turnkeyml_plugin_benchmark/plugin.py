"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "tools": [
        {
            "class": "turnkeyml_plugin_benchmark.tool:Benchmark",
            "name": "benchmark",
            "summary": "Measure a model's latency and throughput on a device with a runtime.",
        }
    ],
}
