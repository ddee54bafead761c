"""What this package registers."""

from __future__ import annotations

from typing import Any

_COMMON: dict[str, Any] = {
    "supported_devices": ["x86", "arm", "nvidia"],
    "build_required": False,
    "requirement_check": "turnkeyml_plugin_torchrt.requirements:check_torch",
    # PyTorch's OpenMP threads spin while they wait; any other busy process then stalls each call.
    "environment": {"OMP_WAIT_POLICY": "passive"},
}

implements = {
    "api_version": 1,
    "runtimes": {
        "torch-eager": {**_COMMON, "RuntimeClass": "turnkeyml_plugin_torchrt.runtime:TorchEager"},
        "torch-compiled": {
            **_COMMON,
            "RuntimeClass": "turnkeyml_plugin_torchrt.compiled:TorchCompiled",
            "status_stats": ["compile_ms"],
        },
    },
}
