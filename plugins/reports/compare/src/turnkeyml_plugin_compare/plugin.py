"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "tools": [
        {
            "class": "turnkeyml_plugin_compare.command:Compare",
            "name": "compare",
            "summary": "Say of two runs which models became faster, slower, or fail now.",
            "role": "management",
        }
    ],
}
