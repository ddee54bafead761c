"""The core's own plugin: what `turnkey` can do with nothing else installed."""

from __future__ import annotations

implements = {
    "tools": [
        {
            "class": "turnkeyml.cli.management:Version",
            "name": "version",
            "summary": "Print the version of turnkey.",
            "role": "management",
        },
        {
            "class": "turnkeyml.cli.management:Plugins",
            "name": "plugins",
            "summary": "List the installed plugins, what each gives, and those that are broken.",
            "role": "management",
        },
    ],
}
