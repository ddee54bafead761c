"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "tools": [
        {
            "class": "turnkeyml_plugin_discover.tool:Discover",
            "name": "discover",
            "summary": "Find the PyTorch models that a Python script calls, with their inputs.",
            "role": "first",
            "preload": ["torch", "turnkeyml_torch"],
            "warm_up": "turnkeyml_plugin_discover.warm:warm_up",
        }
    ],
}
