"""Reported latencies against a raw loop over the same request, interleaved in one process.

The process is a worker as turnkey starts it: OpenVINO is loaded into it and PyTorch is not. Of each
way the first quartile of its rounds counts, because other programs only ever add time. There is no
answer where the machine was too busy: the raw loop differs from itself by more than the limits are,
or the threads waited for a core.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from turnkeyml import conditions, measure
from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.cache import Cache
from turnkeyml.saved_state import load_state
from turnkeyml.worker.main import Request, load_module
from turnkeyml.worker.tensors import read_tensors
from turnkeyml_plugin_openvino import runtime

MAX_MEAN, MAX_MEDIAN = 1.02, 1.01
WORKER = Path(runtime.__file__).with_name("worker.py")
ONE_LAYER = """
import torch
torch.nn.Sequential(torch.nn.Linear(11, 5))(torch.rand(1, 11))
"""
CNN = """
import torch
layers = []
for inside, outside in ((3, 16), (16, 32), (32, 32)):
    layers += [torch.nn.Conv2d(inside, outside, 3, 2, 1), torch.nn.BatchNorm2d(outside)]
    layers.append(torch.nn.ReLU())
layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(32, 10)]
torch.nn.Sequential(*layers).eval()(torch.rand(1, 3, 96, 96))
"""
BERT = """
import torch, transformers
config = transformers.BertConfig()
transformers.BertModel(config).eval()(
    input_ids=torch.randint(0, config.vocab_size, (1, 128)),
    attention_mask=torch.ones(1, 128, dtype=torch.long),
)
"""
MODELS = {"one layer": (ONE_LAYER, 500, 200), "CNN": (CNN, 100, 100), "BERT base": (BERT, 5, 16)}
"""Each with its calls a round, and its rounds."""


def open_session(script, folder, properties):
    """Export a script's model in another process, and load it as a worker does."""
    path = folder / "script.py"
    path.write_text(script)
    turnkey = str(Path(sys.executable).with_name("turnkey"))
    words = ["-i", str(path), "-d", str(folder / "cache"), "discover", "export-pytorch"]
    subprocess.run([turnkey, *words], check=True, capture_output=True)
    (build,) = Cache(folder / "cache").builds()
    (model,) = [a for a in load_state(build).artifacts if a.kind == ONNX_MODEL]
    raw = read_tensors(build.path / model.info["inputs_folder"])
    inputs = {name: raw[leaf] for name, leaf in model.info["inputs"].items()}
    worker = load_module("openvino_worker", WORKER)
    arguments = {"properties": properties}
    return worker.open_session(Request(build.path / model.files[0].path, inputs, arguments))


def raw_loop(session, count):
    """Give mean and median in ms, as somebody would measure by hand."""
    request = session.request
    times = []
    for _ in range(count):
        start = time.perf_counter_ns()
        request.infer(share_outputs=True)
        times.append(time.perf_counter_ns() - start)
    return statistics.fmean(times) / 1e6, statistics.median(times) / 1e6


def reported(session, count):
    """Give mean and median in ms, as turnkey measures in its worker."""
    schedule = measure.Schedule(count, warm_up=3)
    samples = measure.measure(session.infer, schedule, watch=conditions.watch)
    found = measure.summarize(samples, clock_step_ns=1)
    return found["mean_latency_ms"], found["median_latency_ms"]


def compare(session, count, rounds):
    """Give mean and median in ms of each way, of its better rounds."""
    ways = [raw_loop, reported, raw_loop]
    found = [[], [], []]
    for way in ways:
        way(session, count)
    for _ in range(rounds):
        # In another order each time: what one leaves in caches would always help the next.
        for place in random.sample(range(len(ways)), len(ways)):
            found[place].append(ways[place](session, count))
    return [[statistics.quantiles(s, n=4)[0] for s in zip(*f, strict=True)] for f in found]


def judge(ratios, control, waited):
    limits = (MAX_MEAN, MAX_MEDIAN)
    if all(abs(ratio - 1) <= limit - 1 for ratio, limit in zip(ratios, limits, strict=True)):
        return "same"
    busy = any(abs(c - 1) > limit - 1 for c, limit in zip(control, limits, strict=True))
    return "cannot tell" if busy or waited > measure.MAX_WAITED_SHARE else "different"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--threads", type=int, help="by default OpenVINO decides")
    options = parser.parse_args()
    properties = {"PERFORMANCE_HINT": "LATENCY", "EXECUTION_MODE_HINT": "ACCURACY"}
    if options.threads:
        properties["INFERENCE_NUM_THREADS"] = str(options.threads)
    head = f"{'model':10} {'raw ms':>10} {'reported':>10} {'mean':>7} {'median':>7}"
    print(f"{head}  raw against raw  waited")
    verdicts = set()
    for name in options.models:
        script, count, rounds = MODELS[name]
        with tempfile.TemporaryDirectory() as folder:
            session = open_session(script, Path(folder), properties)
            watched = conditions.watch()
            raw, ours, again = compare(session, count, rounds)
            waited = watched()["waited_share"] or 0
            session.close()
        ratios = [b / a for a, b in zip(raw, ours, strict=True)]
        control = [b / a for a, b in zip(raw, again, strict=True)]
        verdicts.add(verdict := judge(ratios, control, waited))
        print(
            f"{name:10} {raw[0]:10.5f} {ours[0]:10.5f} {ratios[0]:7.3f} {ratios[1]:7.3f}  "
            f"{control[0]:6.3f} {control[1]:6.3f}     {waited:6.1%}  {verdict}",
            flush=True,
        )
    return 1 if "different" in verdicts else 2 if "cannot tell" in verdicts else 0


if __name__ == "__main__":
    raise SystemExit(main())
