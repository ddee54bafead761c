"""What this package registers."""

from __future__ import annotations

_RUNTIMES = ["ort", "torch-eager", "torch-compiled"]

implements = {
    "api_version": 1,
    "devices": {
        "x86": {"class": "turnkeyml_plugin_x86.device:X86", "default_runtimes": _RUNTIMES},
        "arm": {"class": "turnkeyml_plugin_x86.device:Arm", "default_runtimes": _RUNTIMES},
    },
}
