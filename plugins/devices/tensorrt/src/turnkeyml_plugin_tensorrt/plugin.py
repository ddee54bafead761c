"""What this package registers."""

from __future__ import annotations

from turnkeyml.artifacts import TRT_ENGINE
from turnkeyml.sequence import Sequence

_BUILD = "build-trt-engine"


def _up_to_engine(first: str) -> Sequence:
    """Give a sequence that makes an ONNX file, and an engine of it; nothing becomes float16."""
    return Sequence(first, _BUILD, name=f"{first} {_BUILD}")


implements = {
    "api_version": 1,
    "runtimes": {
        "trt": {
            "RuntimeClass": "turnkeyml_plugin_tensorrt.runtime:TensorRt",
            "supported_devices": ["nvidia"],
            "build_required": True,
            "consumes": TRT_ENGINE,
            "default_sequence": [
                _up_to_engine("optimize-fp32"),
                _up_to_engine("onnx-fp32"),
                _up_to_engine("export-pytorch"),
                _BUILD,
            ],
            "status_stats": ["compute_ms"],
            "requirement_check": "turnkeyml_plugin_tensorrt.requirements:check_packages",
        }
    },
}
