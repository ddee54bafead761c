"""The core's own plugin: what `turnkey` can do with nothing else installed."""

from __future__ import annotations

implements = {
    "tools": [
        {
            "class": "turnkeyml.load_build:LoadBuild",
            "name": "load-build",
            "summary": "Go on from a build in a cache, given its state file.",
            "role": "first",
        },
        {
            "class": "turnkeyml.cli.cache_command:CacheTool",
            "name": "cache",
            "summary": "Look at the builds in a cache, and make room.",
            "role": "management",
        },
        {
            "class": "turnkeyml.cli.management:Version",
            "name": "version",
            "summary": "Print the version of turnkey.",
            "role": "management",
        },
        {
            "class": "turnkeyml.cli.plugins_command:Plugins",
            "name": "plugins",
            "summary": "List the installed plugins, what each gives, and those that are broken.",
            "role": "management",
        },
    ],
}
