"""Reported latencies against a raw loop over the same session, interleaved in one process.

Of each way the first quartile of its rounds counts, because other programs only ever add time. The
last columns are the raw loop against itself: if that is further from 1 than the limits are, the
machine was too busy for an answer. The exit code is 1 if a number is outside its limit, 2 if that
cannot be told.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from timing import at_least_one

from turnkeyml import conditions, measure

MAX_MEAN, MAX_MEDIAN, MAX_COST_NS = 0.02, 0.01, 100
MODELS = {"one node": (200, 60), "CNN": (50, 40), "BERT base": (5, 16)}
"""Each with its calls a round, and its rounds."""
RUNTIMES = ("ort", "torch-eager")
SLOW_MS = 20


def torch_model(name):
    """Give a module, and its inputs by name."""
    import torch

    torch.manual_seed(0)
    if name == "one node":
        return torch.nn.ReLU(), {"input": torch.rand(2)}
    if name == "CNN":
        layers = []
        for inside, outside in ((3, 16), (16, 32), (32, 32)):
            layers += [torch.nn.Conv2d(inside, outside, 3, 2, 1), torch.nn.BatchNorm2d(outside)]
            layers.append(torch.nn.ReLU())
        layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(32, 10)]
        return torch.nn.Sequential(*layers).eval(), {"input": torch.rand(1, 3, 96, 96)}
    import transformers

    config = transformers.BertConfig()
    inputs = {
        "input_ids": torch.randint(0, config.vocab_size, (1, 128)),
        "attention_mask": torch.ones(1, 128, dtype=torch.long),
    }
    return transformers.BertModel(config).eval(), inputs


def export(name, folder):
    """Write an ONNX file and its inputs, for a process that does not load PyTorch."""
    import numpy as np
    import torch

    module, inputs = torch_model(name)
    torch.onnx.export(module, (), folder / "m.onnx", kwargs=inputs, verbose=False)
    np.savez(folder / "inputs.npz", **{key: value.numpy() for key, value in inputs.items()})


def ort_session(name, folder):
    """Give what turnkey times, and what somebody would write by hand."""
    import numpy as np

    import turnkeyml_plugin_onnxrt
    from turnkeyml.worker.main import Request, load_module
    from turnkeyml.worker.placing import place_caller
    from turnkeyml.worker.tensors import RawTensor

    command = [sys.executable, __file__, "--export", name, str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    arrays = dict(np.load(folder / "inputs.npz"))
    inputs = {
        key: RawTensor(str(array.dtype), array.shape, memoryview(array.tobytes()))
        for key, array in arrays.items()
    }
    worker = load_module(
        "ort_worker", Path(turnkeyml_plugin_onnxrt.__file__).with_name("worker.py")
    )
    session = worker.open_session(Request(folder / "m.onnx", inputs, {}))
    run, outputs, feeds = session.session.run, session.outputs, session.feeds
    place_caller()

    def by_hand(count):
        times = []
        for _ in range(count):
            start = time.perf_counter_ns()
            run(outputs, feeds)
            times.append(time.perf_counter_ns() - start)
        return times

    return session.infer, by_hand


def torch_session(name, folder):
    """Give what turnkey times, and what somebody would write by hand."""
    import torch

    from turnkeyml_plugin_torchrt.arguments import arguments_from_inputs
    from turnkeyml_plugin_torchrt.inference import HostInference

    module, inputs = torch_model(name)
    torch.set_grad_enabled(False)

    def by_hand(count):
        times = []
        for _ in range(count):
            start = time.perf_counter_ns()
            module(**inputs)
            times.append(time.perf_counter_ns() - start)
        return times

    return HostInference(module, arguments_from_inputs(module, inputs)).run, by_hand


def reported(call, count, warm_up):
    schedule = measure.Schedule(count, warm_up=warm_up)
    found = measure.summarize(
        measure.measure(call, schedule, watch=conditions.watch), clock_step_ns=1
    )
    return found["mean_latency_ms"], found["median_latency_ms"]


def raw(by_hand, count, warm_up):
    # As long as turnkey does: calls get faster for as long as that.
    end = time.perf_counter_ns() + (measure.WATCH_NS if warm_up is None else 0)
    by_hand(2 if warm_up is None else warm_up)
    while time.perf_counter_ns() < end:
        by_hand(count)
    times = by_hand(count)
    return statistics.fmean(times) / 1e6, statistics.median(times) / 1e6


def compare(name, runtime, most):
    """Print a row, and tell whether the numbers agree."""
    count, rounds = MODELS[name]
    rounds = min(rounds, most)
    with tempfile.TemporaryDirectory() as folder:
        make = ort_session if runtime == "ort" else torch_session
        call, by_hand = make(name, Path(folder))
        # A long warm-up before each round would only make the slow ones slower.
        warm_up = 2 if raw(by_hand, 3, None)[0] > SLOW_MS else None
        hand = partial(raw, by_hand, count, warm_up)
        ways = [hand, partial(reported, call, count, warm_up), hand]
        found = [[], [], []]
        for _ in range(rounds):
            # In another order each time: what one leaves in caches would always help the next.
            for place in random.sample(range(len(ways)), len(ways)):
                found[place].append(ways[place]())
    first, ours, again = (
        [statistics.quantiles(side, n=4)[0] for side in zip(*way, strict=True)] for way in found
    )
    ratios = [b / a for a, b in zip(first, ours, strict=True)]
    control = [b / a for a, b in zip(first, again, strict=True)]
    verdict = judge(ratios, control)
    print(
        f"{name:10} {runtime:12} {first[0]:10.5f} {ours[0]:10.5f} {ratios[0]:7.3f} {ratios[1]:7.3f}"
        f"   {control[0]:.3f} {control[1]:.3f}   {verdict}",
        flush=True,
    )
    return verdict


def judge(ratios, control):
    limits = (MAX_MEAN, MAX_MEDIAN)

    def within(values):
        return all(abs(v - 1) <= limit for v, limit in zip(values, limits, strict=True))

    return "agrees" if within(ratios) else "differs" if within(control) else "cannot tell"


def cost_ns():
    """Give what a sample has beside the call: what a call that does nothing seems to take."""

    def nothing():
        pass

    count = 10_000
    samples, bare, empty = [], [], []
    for _ in range(50):
        samples.append(statistics.median(measure.time_calls(nothing, count, time.perf_counter_ns)))
        for found, call in ((bare, nothing), (empty, None)):
            start = time.perf_counter_ns()
            if call is None:
                for _ in range(count):
                    pass
            else:
                for _ in range(count):
                    call()
            found.append((time.perf_counter_ns() - start) / count)
    return min(samples) - (min(bare) - min(empty))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--runtimes", nargs="*", default=list(RUNTIMES), choices=list(RUNTIMES))
    parser.add_argument("--rounds", type=at_least_one, default=1000, help="at most so many of each")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--export", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.export:
        export(options.export[0], Path(options.export[1]))
        return 0
    codes = {"agrees": 0, "differs": 1, "cannot tell": 2}
    if options.one:
        return codes[compare(*options.one, options.rounds)]
    cost = cost_ns()
    print(f"harness in each sample: {cost:.0f} ns (at most {MAX_COST_NS})")
    head = f"{'model':10} {'runtime':12} {'raw ms':>10} {'reported':>10} {'mean':>7} {'median':>7}"
    print(f"{head}   raw against raw", flush=True)
    found = set()
    for name in options.models:
        for runtime in options.runtimes:
            # Each in a process of its own: two runtimes in one disturb each other.
            command = [sys.executable, __file__, "--rounds", str(options.rounds)]
            done = subprocess.run([*command, "--one", name, runtime], check=False)
            found.add(done.returncode)
    if cost > MAX_COST_NS or found - {0, 2}:
        return 1
    return 2 if 2 in found else 0


if __name__ == "__main__":
    raise SystemExit(main())
