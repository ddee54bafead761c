"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "tools": [
        {
            "class": "turnkeyml_plugin_optimize_onnx.tool:OptimizeOnnx",
            "name": "optimize-onnx",
            "summary": "Optimize an ONNX file with ONNX Runtime's graph optimizer.",
            "aliases": ["optimize-ort"],
        }
    ],
}
