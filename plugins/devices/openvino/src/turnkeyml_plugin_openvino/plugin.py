"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "runtimes": {
        "openvino": {
            "RuntimeClass": "turnkeyml_plugin_openvino.runtime:OpenVINO",
            "supported_devices": ["x86", "arm"],
            "build_required": True,
            "default_sequence": ["optimize-fp32", "onnx-fp32", "export-pytorch"],
            "requirement_check": "turnkeyml_plugin_openvino.requirements:check_openvino",
        }
    },
}
