"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "tools": [
        {
            "class": "turnkeyml_plugin_build_trt_engine.tool:BuildTrtEngine",
            "name": "build-trt-engine",
            "aliases": ["trt-engine"],
            "summary": "Build a TensorRT engine from an ONNX file.",
        }
    ],
}
