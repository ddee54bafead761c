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
            "class": "turnkeyml.cli.report_command:ReportTool",
            "name": "report",
            "summary": "Write all results of one or several caches into one file.",
            "role": "management",
        },
        {
            "class": "turnkeyml.cli.models_command:ModelsTool",
            "name": "models",
            "summary": "Find the models that turnkey comes with.",
            "role": "management",
        },
        {
            "class": "turnkeyml.cli.system_info_command:SystemInfo",
            "name": "system-info",
            "summary": "Say what turnkey runs on: machine, Python, plugins, versions of libraries.",
            "role": "management",
        },
        {
            "class": "turnkeyml.cli.completion_command:Completion",
            "name": "completion",
            "summary": "Print the script with which a shell completes turnkey's commands.",
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
    "executors": {
        "in-process": {
            "class": "turnkeyml.execution.in_process:InProcessExecutor",
            "summary": "One input after the other, in the process of turnkey itself.",
        },
        "isolated": {
            "class": "turnkeyml.execution.isolated.executor:IsolatedExecutor",
            "summary": "Each input in a process of its own, several side by side with --jobs.",
        },
    },
}
