"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "runtimes": {
        "ort": {
            "RuntimeClass": "turnkeyml_plugin_onnxrt.runtime:OnnxRT",
            "supported_devices": ["x86", "arm"],
            "build_required": True,
            "default_sequence": ["optimize-fp32", "onnx-fp32", "export-pytorch"],
        }
    },
}
