"""Samples as machines give them, and caches as turnkey writes them."""

from __future__ import annotations

import io
import json
import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.cache.documents import write_document
from turnkeyml.cache.layout import BuildDirectory
from turnkeyml.cli.main import run_command
from turnkeyml.console import Console


def noisy_run(
    rng: random.Random, latency_ns: float = 1e6, count: int = 100, *, noise: float = 1.0
) -> list[int]:
    """Draw a run: each sample like the one before, drifting, heavy-tailed, and as a whole off.

    Args:
        rng: The source of chance.
        latency_ns: In the middle.
        count: How many samples.
        noise: 1 is what a result that is still valid may have; less is a calmer machine.
    """
    spread, near = noise * rng.uniform(0.005, 0.04), rng.uniform(0, 0.7)
    drift, tail = noise * rng.uniform(-0.04, 0.04), rng.uniform(0, 0.06)
    middle = math.log(latency_ns) + noise * rng.gauss(0, 0.01)
    away, samples = rng.gauss(0, spread), []
    for n in range(count):
        away = near * away + rng.gauss(0, spread * math.sqrt(1 - near * near))
        rare = 0.2 * rng.paretovariate(1.5) if rng.random() < tail else 0.0
        samples.append(round(math.exp(middle + away + drift * n / count) * (1 + rare)))
    return samples


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def turnkey(capsys: Any, *words: object) -> Ended:
    """Run a command line in this process."""
    capsys.readouterr()
    errors = io.StringIO()
    with Console(out=io.StringIO(), err=errors) as console:
        code = run_command([str(word) for word in words], console)
    said = capsys.readouterr()
    return Ended(code, said.out, said.err + errors.getvalue())


def write_result(
    cache: Path, name: str, runs: Sequence[Sequence[int]], **more: Any
) -> BuildDirectory:
    """Write a build that was measured.

    Args:
        cache: The directory.
        name: The model's.
        runs: Samples in ns.
        more: What the result has besides or instead.
    """
    build = BuildDirectory(cache, f"{name}_abababab")
    mean = statistics.fmean(map(statistics.fmean, runs)) / 1e6
    identity = {"device": "x86", "runtime": "ort", "rt_args": [], "iterations": 100}
    result = {
        "artifact_step": "export-pytorch-0000000b",
        **identity,
        "device_name": "A processor",
        "runtime_version": "1.2",
        "mean_latency_ms": mean,
        "throughput_ips": 1000 / mean,
        "verdict": "valid",
        "verdict_reasons": [],
        "samples_file": "benchmark/samples-1.json",
        "measured_at": "2026-11-21T10:03:10+00:00",
        **more,
    }
    options = {key: result[key] for key in identity}
    _write(build, name, {"status": "successful"}, {"1": result}, options)
    timed = [{"first_ns": 1, "warm_up_ns": [], "timed_ns": list(run)} for run in runs]
    (build.path / "benchmark").mkdir(exist_ok=True)
    (build.path / "benchmark/samples-1.json").write_text(
        json.dumps({"schema": 2, "unit": "ns", "runs": timed})
    )
    return build


def write_failure(cache: Path, name: str, error: str = "No operator.") -> BuildDirectory:
    """Write a build whose export failed."""
    build = BuildDirectory(cache, f"{name}_abababab")
    state = {"status": "failed", "failed_step": "export-pytorch", "error": error}
    _write(build, name, state, {}, None)
    return build


def _write(
    build: BuildDirectory,
    name: str,
    state: dict[str, Any],
    results: dict[str, Any],
    options: dict[str, Any] | None,
) -> None:
    build.path.mkdir(parents=True, exist_ok=True)
    steps = {"0000000a": ("discover", {}), "0000000b": ("export-pytorch", {})}
    if options is not None:
        steps["0000000c"] = ("benchmark", options)
    entries = {
        key: {
            "tool": tool,
            "number": number,
            "occurrence": 1,
            "options": given,
            "started_at": f"2026-11-21T10:03:{number:02}.000+00:00",
            "status": "successful",
        }
        for number, (key, (tool, given)) in enumerate(steps.items(), 1)
    }
    common = {
        "name": build.name,
        "status": None,
        "failed_step": None,
        "error": None,
        "turnkey_version": "0.1.0",
        "input": f"/home/me/{name}.py",
        "labels": {},
        "model": {"name": "model", "hash": "ab" * 32},
        "steps": [f"{entry['tool']}-{key}" for key, entry in entries.items()],
        "artifacts": [],
    }
    write_document(build.state_file, 1, {**common, **state})
    stats = {"model": {"hash": "ab" * 32}, "steps": entries, "results": results}
    write_document(build.stats_file, 1, stats)
