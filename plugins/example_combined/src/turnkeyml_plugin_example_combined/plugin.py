"""What this package registers: imported by every turnkey command, so it only names things."""

from __future__ import annotations

from turnkeyml.sequence import Sequence, Step

_PARTS = {"part1": ["config1", "config2"], "part2": []}

implements = {
    "api_version": 1,
    "runtimes": {
        "example-rt": {
            "RuntimeClass": "turnkeyml_plugin_example_combined.runtime:ExampleRT",
            "supported_devices": {"x86": {}, "arm": {}, "example_family": _PARTS},
            "build_required": True,
            "docker_required": False,
            "default_sequence": ["onnx-fp32", "export-pytorch"],
            "status_stats": ["custom_stat_1", "custom_stat_2"],
            "requirement_check": "turnkeyml_plugin_example_combined.runtime:check_program",
        }
    },
    "tools": [
        {
            "class": "turnkeyml_plugin_example_combined.tool:ExampleTool",
            "name": "example-tool",
            "summary": "Summarize the bytes of an ONNX file.",
        }
    ],
    "sequences": {
        "example-seq": {
            "sequence": Sequence(
                "export-pytorch", Step("example-tool", {"top": 3}), name="example-seq"
            ),
            "summary": "Export a PyTorch model, and summarize the file.",
        }
    },
    "devices": {
        "example_family": {
            "class": "turnkeyml_plugin_example_combined.device:ExampleFamily",
            "parts": _PARTS,
            "default_runtimes": ["example-rt"],
        }
    },
}
