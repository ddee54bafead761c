"""Builds for tests of reports, written as turnkey writes them and without running anything."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from turnkeyml.cache.documents import write_document
from turnkeyml.cache.layout import BuildDirectory, Cache
from turnkeyml.plugins.registry import Registry
from turnkeyml.report import Row, gather

RESULT = {
    "artifact": "0" * 64,
    "artifact_kind": "onnx-model",
    "artifact_step": "export-pytorch-0000000b",
    "device": "x86",
    "runtime": "ort",
    "rt_args": [],
    "iterations": 100,
    "device_name": "A processor",
    "runtime_version": "1.2",
    "mean_latency_ms": 2.5,
    "throughput_ips": 400.0,
    "verdict": "noisy",
    "verdict_reasons": ["it was hot", "it was late"],
    "median_latency_ms": 2.25,
    "facts": {"threads": 2, "providers": ["CPU"]},
    "samples_file": "benchmark/samples-1.json",
    "measured_at": "2026-11-21T10:03:10+00:00",
}


def step(tool: str, number: int, **more: Any) -> dict[str, Any]:
    """Make the entry of a step."""
    return {
        "tool": tool,
        "number": number,
        "occurrence": 1,
        "options": {},
        "libraries": {},
        "started_at": f"2026-11-21T10:03:{number:02}.000+00:00",
        "status": "successful",
        "duration_s": number / 2,
        **more,
    }


def stats_of(**more: Any) -> dict[str, Any]:
    """Make the statistics of a build that went well."""
    benchmark = {"device": "x86", "runtime": "ort", "rt_args": [], "iterations": 100}
    return {
        "model": {"name": "model", "hash": "ab" * 32, "parameters": 110},
        "steps": {
            "0000000a": step("discover", 1),
            "0000000b": step("export-pytorch", 2, libraries={"torch": "2.13"}, opset=20),
            "0000000c": step("benchmark", 3, options=benchmark),
        },
        "results": {"6fbe4f15": dict(RESULT)},
        **more,
    }


def state_of(name: str, **more: Any) -> dict[str, Any]:
    """Make the state of a build that went well."""
    return {
        "name": name,
        "status": "successful",
        "failed_step": None,
        "error": None,
        "turnkey_version": "0.1.0",
        "input": f"/home/me/{name}.py",
        "labels": {"author": ["google"], "task": ["a", "b"]},
        "model": {
            "name": "model",
            "hash": "ab" * 32,
            "class": "Bert (<class 'x.Bert'>)",
            "input_shapes": {"x": [1, 2]},
        },
        "steps": ["discover-0000000a", "export-pytorch-0000000b", "benchmark-0000000c"],
        "artifacts": [],
        **more,
    }


def write_build(
    cache: Path,
    name: str,
    state: Mapping[str, Any] | None = None,
    stats: Mapping[str, Any] | None = None,
) -> BuildDirectory:
    """Write a build whose files have been as they are for a while."""
    build = BuildDirectory(cache, name)
    build.path.mkdir(parents=True, exist_ok=True)
    write_document(build.state_file, 1, {**state_of(name), **(state or {})})
    write_document(build.stats_file, 1, dict(stats_of() if stats is None else stats))
    settle(build)
    return build


def settle(build: BuildDirectory, seconds: float = 60) -> None:
    """Let a build's files seem to have been written a while ago."""
    then = time.time() - seconds
    for path in (build.state_file, build.stats_file):
        if path.exists():
            os.utime(path, (then, then))


def rows_of(registry: Registry, *caches: Path) -> list[Row]:
    """Read caches."""
    return list(gather([Cache(cache) for cache in caches], registry).rows())


def values_of(registry: Registry, *caches: Path) -> list[dict[str, Any]]:
    """Read caches, and give the values of their rows."""
    return [dict(row.values) for row in rows_of(registry, *caches)]
