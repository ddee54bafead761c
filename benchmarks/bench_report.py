"""How long a report takes over many builds: the first time, and when they were read before.

python benchmarks/bench_report.py [BUILDS]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from timing import at_least_one

from turnkeyml.cache.documents import write_document
from turnkeyml.cache.layout import Cache
from turnkeyml.plugins.registry import load_registry
from turnkeyml.report.csv_format import CsvFormat
from turnkeyml.report.gathering import gather

BUILDS = 10_000
ROUNDS = 3
TOOLS = ("discover", "export-pytorch", "optimize-onnx", "benchmark")
LIBRARIES = {"torch": "2.13.0", "onnxscript": "0.7.2", "onnx": "1.23.2", "onnx-ir": "1.1.0"}
NUMBER = 1234.5678901234567
"""Stands for a number that is another one in each build."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("builds", nargs="?", type=at_least_one, default=BUILDS, metavar="BUILDS")
    count = parser.parse_args().builds
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        lines = make_builds(cache, count)
        time.sleep(2.1)
        registry = load_registry()
        print(
            f"{count} builds, a result each, {lines} lines of YAML a build, {os.cpu_count()} cores"
        )
        for _ in range(ROUNDS):
            shutil.rmtree(cache / ".report", ignore_errors=True)
            print_time("reading, the first time", lambda: read(cache, registry))
        for _ in range(ROUNDS):
            print_time("reading, after that", lambda: read(cache, registry))
        report = gather([Cache(cache)], registry)
        target = Path(folder) / "report.csv"
        print_time("writing the CSV file", lambda: CsvFormat().write(report, target))
        print(f"the CSV file has {target.stat().st_size / 1e6:.1f} MB")
        print(f"the index has {(cache / '.report/index.sqlite3').stat().st_size / 1e6:.1f} MB")


def read(cache: Path, registry: Any) -> None:
    """Read all rows."""
    for _ in gather([Cache(cache)], registry).rows():
        pass


def print_time(what: str, action: Callable[[], Any]) -> None:
    """Print what an action takes: wall time, and what all processes together computed."""
    start, before = time.perf_counter(), cpu_seconds()
    action()
    took, computed = time.perf_counter() - start, cpu_seconds() - before
    print(f"{what:28} {took:7.2f} s, {computed:7.2f} s of processor time", flush=True)


def cpu_seconds() -> float:
    """Give what this process and its helpers have computed so far."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def make_builds(cache: Path, count: int) -> int:
    """Make builds whose files are as long as real ones, and give how many lines each has."""
    cache.mkdir()
    write_document(cache / "state", 1, state_of_a_build())
    write_document(cache / "stats", 1, stats_of_a_build())
    texts = {
        "state": (cache / "state").read_text().partition("\n")[2],
        "stats": (cache / "stats").read_text().partition("\n")[2],
    }
    for name in texts:
        (cache / name).unlink()
    rng = random.Random(0)
    for number in range(count):
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        name = f"model{number}_{digest[:8]}"
        (cache / name).mkdir()
        for kind, file in (("state", f"{name}_state.yaml"), ("stats", "turnkey_stats.yaml")):
            parts = texts[kind].replace("DIGEST", digest).replace("MODEL", f"model{number}")
            pieces = parts.split(str(NUMBER))
            filled = [piece + repr(rng.random() * 100) for piece in pieces[:-1]]
            body = ("".join(filled) + pieces[-1]).encode()
            head = f"# sha256 {hashlib.sha256(body).hexdigest()}\n".encode()
            (cache / name / file).write_bytes(head + body)
    return sum(text.count("\n") for text in texts.values())


def model_facts() -> dict[str, Any]:
    return {
        "name": "model",
        "hash": "DIGEST",
        "type": "Pytorch (torch.nn.Module)",
        "class": "BertModel (<class 'transformers.models.bert.modeling_bert.BertModel'>)",
        "location": "/home/me/models/transformers/MODEL.py",
        "line": 24,
        "parameters": 109482240,
        "parameter_bytes": 437928960,
        "input_shapes": {"input_ids": [1, 128], "attention_mask": [1, 128]},
        "executions": 1,
        "depth": 0,
    }


def state_of_a_build() -> dict[str, Any]:
    artifact = {
        "kind": "onnx-model",
        "step": "export-pytorch-f62b21f3",
        "files": [{"path": f"onnx/{n}.onnx", "size": 789, "sha256": "DIGEST"} for n in range(2)],
        "info": {"opset": 20, "ir_version": 10, "inputs": {"x": "x"}, "outputs": ["output"]},
    }
    parts = {"tool": "export-pytorch", "library": LIBRARIES, "input": {"code": "DIGEST"}}
    record = {"step": "export-pytorch-f62b21f3", "parts": parts, "artifacts": [artifact] * 1}
    return {
        "name": "MODEL",
        "status": "successful",
        "failed_step": None,
        "error": None,
        "turnkey_version": "0.1.0",
        "saved_at": "2026-11-21T10:03:10+00:00",
        "process": 32125,
        "input": "/home/me/models/transformers/MODEL.py",
        "labels": {"test_group": ["transformers"], "name": ["MODEL"], "author": ["google"]},
        "model": model_facts(),
        "steps": [f"{tool}-{number}000000a" for number, tool in enumerate(TOOLS, 1)],
        "artifacts": [{**artifact, "info": dict(artifact["info"])} for _ in range(3)],
        "records": [{**record, "parts": dict(parts)}],
        "seals": {
            f"onnx/{n}.onnx": [789, 17952553890012910, 17952553890012910, 2] for n in range(2)
        },
    }


def parity_entry() -> dict[str, Any]:
    numbers = ("max_abs", "max_rel", "tolerance", "cosine")
    detail = {
        "output": "out",
        "dtype": "float32",
        "shape": [1, 128],
        **dict.fromkeys(numbers, NUMBER),
    }
    return {
        "status": "ok",
        "reason": "",
        "outputs": 1,
        **dict.fromkeys(numbers, NUMBER),
        "details": [detail],
        "reference": "eager (torch 2.13.0)",
        "runtime_version": "1.31.1",
        "runtime": "ort",
        "key": "DIGEST",
        "artifact_key": "DIGEST",
    }


def step_entry(number: int, tool: str) -> dict[str, Any]:
    entry = {
        "tool": tool,
        "number": number,
        "occurrence": 1,
        "package": f"turnkeyml-plugin-{tool} 0.1.0",
        "options": {"opset": 20, "exporter": "auto", "dynamic_axes": []},
        "libraries": dict(LIBRARIES),
        "started_at": "2026-11-21T10:03:02.797+00:00",
        "status": "successful",
        "duration_s": NUMBER,
        "peak_process_bytes": 404893696,
    }
    if tool == "benchmark":
        entry["options"] = {"device": "x86", "runtime": "ort", "iterations": 100, "rt_args": []}
    elif tool != "discover":
        entry |= {
            "size_bytes": 438000000,
            "operators": {f"Operator{n}": n for n in range(25)},
            "inputs": {n: {"dtype": "int64", "shape": [1, 128]} for n in ("ids", "mask")},
            "outputs": ["last_hidden_state", "pooler_output"],
            "export_s": NUMBER,
            "parity": parity_entry(),
        }
    return entry


def stats_of_a_build() -> dict[str, Any]:
    steps = {f"{n}000000a": step_entry(n, tool) for n, tool in enumerate(TOOLS, 1)}
    latencies = ("median", "min", "max", "std", "p50", "p90", "p95")
    state = {
        **dict.fromkeys(("frequency_mhz", "load_average", "cpu_pressure_percent"), NUMBER),
        **{f"fact_{n}": n for n in range(12)},
        "instructions": ["fma", "avx", "avx2", "avx512f", "avx512_vnni"],
    }
    result = {
        "artifact": "DIGEST",
        "artifact_kind": "onnx-model",
        "artifact_step": "optimize-onnx-3000000a",
        "device": "x86",
        "runtime": "ort",
        "rt_args": [],
        "iterations": 100,
        "device_name": "Intel(R) Xeon(R) Processor @ 2.50GHz",
        "runtime_version": "1.31.1",
        "mean_latency_ms": NUMBER,
        "throughput_ips": NUMBER,
        "verdict": "noisy",
        "verdict_reasons": [
            "its threads waited for a core for 27% of their time, because other programs, or more "
            "threads of its own than cores, ran there"
        ],
        **{f"{name}_latency_ms": NUMBER for name in latencies},
        "median_ci95_ms": [NUMBER, NUMBER],
        "outliers": dict.fromkeys(("low_severe", "low_mild", "high_mild", "high_severe"), 4),
        "disturbance": dict.fromkeys(("waited_share", "stolen_share"), NUMBER),
        "facts": {"version": "1.31.1", "providers": ["CPUExecutionProvider"], "threads": 2},
        "device_state_before": dict(state),
        "device_state_after": {**state, "instructions": list(state["instructions"])},
        "status_stats": {},
        "measured_at": "2026-11-21T10:03:10+00:00",
        "samples_file": "benchmark/samples-6fbe4f15.json",
    }
    return {
        "model": {**model_facts(), "parity": {"status": "ok", "checked": list(TOOLS[1:3])}},
        "chains": {"4000000a": {"tools": list(TOOLS[1:]), "status": "successful"}},
        "steps": steps,
        "results": {"6fbe4f15": result},
    }


if __name__ == "__main__":
    main()
