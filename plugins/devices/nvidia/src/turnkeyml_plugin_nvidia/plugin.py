"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "devices": {
        "nvidia": {
            "class": "turnkeyml_plugin_nvidia.device:NvidiaGpu",
            "default_runtimes": ["trt", "torch-eager", "torch-compiled"],
        }
    },
}
