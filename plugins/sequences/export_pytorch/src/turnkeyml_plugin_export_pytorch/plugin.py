"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "tools": [
        {
            "class": "turnkeyml_plugin_export_pytorch.tool:ExportPytorch",
            "name": "export-pytorch",
            "summary": "Export a PyTorch model to an ONNX file.",
            "preload": ["torch", "onnxscript", "onnx_ir", "turnkeyml_onnx"],
            "warm_up": "turnkeyml_plugin_export_pytorch.warm:warm_up",
        },
        {
            "class": "turnkeyml_plugin_export_pytorch.verify:VerifyExporter",
            "name": "verify-exporter",
            "summary": "Check that an exported file computes what the PyTorch model computes.",
        },
    ],
}
