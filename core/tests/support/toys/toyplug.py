"""The toy plugin: a whole tool chain in pure Python, for tests of the core."""

from __future__ import annotations

from turnkeyml.sequence import Sequence

implements = {
    "api_version": 1,
    "tools": [
        {
            "class": "toyplug_tools:Find",
            "name": "find",
            "summary": "Find the models of a toy file.",
            "role": "first",
            "aliases": ["seek"],
        },
        {
            "class": "toyplug_tools:LoadToy",
            "name": "load-toy",
            "summary": "Start from a compiled toy.",
            "role": "first",
        },
        {"class": "toyplug_tools:Compile", "name": "compile", "summary": "Compile a toy."},
        {"class": "toyplug_tools:Shrink", "name": "shrink", "summary": "Shrink a compiled toy."},
        {"class": "toyplug_tools:Act", "name": "act", "summary": "Do what it is told."},
        {"class": "toyplug_tools:Benchmark", "name": "benchmark", "summary": "Measure a toy."},
    ],
    "sequences": {
        "toy-small": {
            "sequence": Sequence("compile", "shrink", name="toy-small"),
            "summary": "Compile and shrink.",
        },
    },
    "runtimes": {
        "toyrt": {
            "RuntimeClass": "toyplug_runtimes:ToyRT",
            "supported_devices": {"toydev": {"part1": ["c1", "c2"], "part2": []}},
            "consumes": "toy-file",
            "default_sequence": ["not-installed-anywhere", "toy-small", "compile"],
            "status_stats": ["mood"],
            "environment": {"TOY_THREADS": "3"},
        },
        "toy-live": {
            "RuntimeClass": "toyplug_runtimes:LiveRT",
            "supported_devices": {"toydev"},
            "consumes": "toy-model",
        },
    },
    "devices": {
        "toydev": {"class": "toyplug_runtimes:ToyDevice", "default_runtimes": ["toyrt"]},
    },
}
