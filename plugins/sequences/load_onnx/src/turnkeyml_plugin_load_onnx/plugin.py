"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "tools": [
        {
            "class": "turnkeyml_plugin_load_onnx.tool:LoadOnnx",
            "name": "load-onnx",
            "summary": "Start from an ONNX file; fix its dynamic dimensions, make inputs.",
            "role": "first",
        }
    ],
}
