"""Make caches with as many results as one likes, without running anything."""

from __future__ import annotations

import hashlib
import json
import math
import random
import statistics
from pathlib import Path
from typing import Any

from turnkeyml.cache.documents import write_document

FAMILIES = ("bert", "gpt2", "resnet", "vit", "swin", "mobilenet", "llama", "unet", "gcn", "t5")
CORPORA = ("transformers", "torchvision", "timm", "torch_hub", "graph_convolutions")
RUNTIMES = (("ort", 1.0), ("torch-eager", 1.45), ("torch-compiled", 1.1), ("openvino", 0.85))
TOOLS = ("discover", "export-pytorch", "optimize-onnx", "convert-fp16")
LIBRARIES = {"torch": "2.13.0", "onnxscript": "0.7.2", "onnx": "1.23.2", "onnx-ir": "1.1.0"}
FAILURES = (
    ("export-pytorch", "PyTorch's ONNX exporter cannot export this model: what it does depends on "
     "the values in a tensor at /home/me/models/{model}.py:{n} (`if x.sum() > {n}:`)."),
    ("export-pytorch", "There is no ONNX operator for 'aten::{model}_{n}' in opset 20."),
    ("optimize-onnx", "The optimizer ended with signal 11 at 0x7f{n:010x} in node '{model}/{n}'."),
    ("convert-fp16", "Weight 'layers.{n}.weight' of {model} has values beyond float16: {n}e6."),
    ("benchmark", "The runtime refused the model: no kernel for Resize({n}) in session 4a{n:08x}."),
    ("benchmark", "It took longer than {n} s."),
)  # fmt: skip
SAMPLES = 100
FAILURE = "FAILURE: "


def make_results(cache: Path, count: int, seed: int = 0) -> None:
    """Write builds until there are so many rows: results of up to four runtimes, and failures.

    Args:
        cache: The directory; it is made.
        count: How many rows.
        seed: The same gives the same rows.
    """
    cache.mkdir(parents=True)
    rng = random.Random(seed)
    texts = _Texts()
    made = number = 0
    while made < count:
        made += _make_build(cache, number, rng, texts, count - made)
        number += 1


class _Texts:
    """Writes files of the same form quickly: YAML is made once for each form."""

    def __init__(self) -> None:
        self._templates: dict[str, str] = {}

    def write(self, path: Path, form: str, content: Any, values: dict[str, str]) -> None:
        if form not in self._templates:
            write_document(path, 1, content)
            self._templates[form] = path.read_text().partition("\n")[2]
        text = self._templates[form]
        for name, value in values.items():
            text = text.replace(name, value)
        body = text.encode()
        head = f"# sha256 {hashlib.sha256(body).hexdigest()}\n".encode()
        path.write_bytes(head + body)


def _make_build(cache: Path, number: int, rng: random.Random, texts: _Texts, most: int) -> int:
    family, corpus = rng.choice(FAMILIES), rng.choice(CORPORA)
    model = f"{family}_{rng.choice(('tiny', 'small', 'base', 'large'))}_{number}"
    digest = hashlib.sha256(model.encode()).hexdigest()
    build = f"{model}_{digest[:8]}"
    folder = cache / build
    (folder / "benchmark").mkdir(parents=True)
    failure = rng.choices(range(-1, len(FAILURES)), (82, 6, 4, 2, 2, 2, 2))[0]
    runtimes = rng.sample(RUNTIMES, min(rng.choice((1, 2, 4)), most))
    if failure >= 0:
        runtimes = []
    parameters = int(10 ** rng.uniform(3, 9.3))
    base = 0.02 + parameters**0.85 / 10**6.2 * math.exp(rng.gauss(0, 0.5))
    values = {
        "MODEL": model,
        "CORPUS": corpus,
        "FAMILY": family.capitalize(),
        "DIGEST": digest,
        "7777777": str(parameters),
        "PERROR": repr(10 ** rng.gauss(-6, 0.5)),
        "HERROR": repr(10 ** rng.gauss(-2.3, 0.4)),
        "STATUS16": "mismatch" if rng.random() < 0.03 else "ok",
    }
    for n in range(24):
        values[f"NUMBER{n:02}"] = repr(rng.uniform(1, 100))
    results = {}
    for name, factor in runtimes:
        latency = base * factor * math.exp(rng.gauss(0, 0.25))
        results[name] = _make_result(folder, name, latency, rng, values)
    step, error = FAILURES[failure] if failure >= 0 else ("", "")
    # YAML puts quotes around what ends like this, so that any text may take its place.
    said = error.format(model=model, n=rng.randrange(100, 9999))
    values[FAILURE] = said.replace("'", "''")
    form = f"{failure} {' '.join(results)} {[r['verdict'] for r in results.values()]}"
    chain = _chain_until(step)
    texts.write(folder / f"{build}_state.yaml", f"state {form}", _state(chain, step), values)
    content = _stats(chain, step, results)
    texts.write(folder / "turnkey_stats.yaml", f"stats {form}", content, values)
    (folder / "log_export-pytorch.txt").write_text(_log(model, rng, 12))
    if step:
        (folder / f"log_{step}.txt").write_text(_log(model, rng, 60) + f"{said}\n")
    return max(len(results), 1)


def _make_result(
    folder: Path, name: str, latency: float, rng: random.Random, values: dict[str, str]
) -> dict[str, Any]:
    samples = []
    for _ in range(SAMPLES):
        slow = 0.3 * rng.paretovariate(2) if rng.random() < 0.04 else 0
        samples.append(max(round(latency * 1e6 * math.exp(rng.gauss(0, 0.02)) * (1 + slow)), 1))
    runs = [{"first_ns": 9 * samples[0], "warm_up_ns": samples[:15], "timed_ns": samples}]
    file = f"benchmark/samples-{name}.json"
    (folder / file).write_text(json.dumps({"schema": 2, "unit": "ns", "runs": runs}))
    mark = name.replace("-", "").upper()
    mean = statistics.fmean(samples) / 1e6
    values[f"MEAN{mark}"] = repr(mean)
    values[f"IPS{mark}"] = repr(1000 / mean)
    values[f"MEDIAN{mark}"] = repr(statistics.median(samples) / 1e6)
    values[f"WAITED{mark}"] = str(rng.randrange(11, 60))
    verdict = rng.choices(("valid", "noisy", "invalid"), (70, 25, 5))[0]
    reason = f"its threads waited for a core for WAITED{mark}% of their time"
    return {
        "artifact": "DIGEST",
        "artifact_kind": "pytorch-model" if name.startswith("torch") else "onnx-model",
        "artifact_step": "discover-1000000a"
        if name.startswith("torch")
        else "convert-fp16-4000000a",
        "device": "x86",
        "runtime": name,
        "rt_args": [],
        "iterations": SAMPLES,
        "device_name": "Intel(R) Xeon(R) Processor @ 2.50GHz",
        "runtime_version": "1.31.1",
        "mean_latency_ms": f"MEAN{mark}",
        "throughput_ips": f"IPS{mark}",
        "median_latency_ms": f"MEDIAN{mark}",
        "verdict": verdict,
        "verdict_reasons": [] if verdict == "valid" else [reason],
        **{f"p{n}_latency_ms": f"NUMBER{n % 24:02}" for n in (50, 90, 95)},
        "median_ci95_ms": ["NUMBER01", "NUMBER02"],
        "facts": {"version": "1.31.1", "providers": ["CPUExecutionProvider"], "threads": 2},
        "device_state_before": {f"fact_{n}": f"NUMBER{n:02}" for n in range(12)},
        "device_state_after": {f"fact_{n}": f"NUMBER{n + 8:02}" for n in range(12)},
        "measured_at": "2026-11-21T10:03:10+00:00",
        "samples_file": file,
    }


def _chain_until(step: str) -> tuple[str, ...]:
    tools = (*TOOLS, "benchmark")
    return tools[: tools.index(step) + 1] if step else tools


def _state(chain: tuple[str, ...], step: str) -> dict[str, Any]:
    return {
        "name": "MODEL",
        "status": "failed" if step else "successful",
        "failed_step": step or None,
        "error": FAILURE if step else None,
        "turnkey_version": "0.1.0",
        "input": "/home/me/models/CORPUS/MODEL.py",
        "labels": {"test_group": ["CORPUS"], "author": ["google"]},
        "model": _model(),
        "steps": [f"{tool}-{number}000000a" for number, tool in enumerate(chain, 1)],
        "artifacts": [],
    }


def _model() -> dict[str, Any]:
    return {
        "name": "model",
        "hash": "DIGEST",
        "type": "Pytorch (torch.nn.Module)",
        "class": "FAMILYModel (<class 'transformers.models.FAMILYModel'>)",
        "parameters": 7777777,
        "parameter_bytes": 31111108,
        "input_shapes": {"input_ids": [1, 128], "attention_mask": [1, 128]},
    }


def _stats(chain: tuple[str, ...], step: str, results: dict[str, Any]) -> dict[str, Any]:
    steps = {}
    for number, tool in enumerate(chain, 1):
        entry: dict[str, Any] = {
            "tool": tool,
            "number": number,
            "occurrence": 1,
            "package": f"turnkeyml-plugin-{tool} 0.1.0",
            "options": {"opset": 20, "exporter": "auto"},
            "libraries": dict(LIBRARIES),
            "started_at": "2026-11-21T10:03:02.797+00:00",
            "status": "failed" if tool == step else "successful",
            "duration_s": f"NUMBER{number:02}",
            "peak_process_bytes": 404893696,
        }
        if tool == step:
            entry["error"] = FAILURE
        elif tool in TOOLS[1:]:
            half = tool == "convert-fp16"
            entry |= {
                "size_bytes": 438000000,
                "operators": {f"Operator{n}": n for n in range(25)},
                "parity": {
                    "status": "STATUS16" if half else "ok",
                    "max_rel": "HERROR" if half else "PERROR",
                    "max_abs": "NUMBER05",
                    "tolerance": 0.05 if half else 0.0001,
                    "key": "DIGEST",
                    "runtime": "ort",
                },
            }
        steps[f"{number}000000a"] = entry
    for number, result in enumerate(results.values()):
        options = {k: result[k] for k in ("device", "runtime", "rt_args", "iterations")}
        last = steps[f"{len(chain)}000000a"]
        steps[f"{len(chain)}00000{number}b"] = {**last, "options": options, "duration_s": 1.5}
    if results:
        del steps[f"{len(chain)}000000a"]
    return {
        "model": {**_model(), "parity": {"status": "STATUS16", "checked": list(TOOLS[1:])}},
        "steps": steps,
        "results": {f"0000000{n}": result for n, result in enumerate(results.values())},
    }


def _log(model: str, rng: random.Random, lines: int) -> str:
    return "".join(
        f"W1121 14:04:{n % 60:02}.{rng.randrange(1000000):06} {rng.randrange(9999)} torch/onnx: "
        f"{model}: node {rng.randrange(9999)} of {lines} was left as it is\n"
        for n in range(lines)
    )
