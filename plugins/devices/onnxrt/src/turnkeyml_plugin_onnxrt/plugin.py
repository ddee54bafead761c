"""What this package registers."""

from __future__ import annotations

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.plugins import hookimpl

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


@hookimpl
def turnkey_loading_script(kind: str, model: str, inputs: str, outputs: str) -> str | None:
    """Give a script that runs an ONNX file with ONNX Runtime."""
    if kind != ONNX_MODEL:
        return None
    from turnkeyml_plugin_onnxrt.loading import loading_script

    return loading_script(model, inputs, outputs)
