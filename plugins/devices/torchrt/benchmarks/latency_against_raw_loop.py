"""Reported latencies against a raw loop over the same module, interleaved in one process.

Of each way the first quartile of its rounds counts, because other programs only ever add time. The
last column is the raw loop against itself: if that is further from 1 than the limits are, the
machine was too busy for an answer.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import random
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from turnkeyml.device import Device
from turnkeyml.runtime import RuntimeContext, RuntimeStats, opened
from turnkeyml_plugin_torchrt.compiled import TorchCompiled
from turnkeyml_plugin_torchrt.runtime import TorchEager

MAX_MEAN, MAX_MEDIAN = 1.02, 1.01


class OneLayer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(11, 5)

    def forward(self, x):
        return self.fc(x)


def one_layer():
    return OneLayer(), {"x": torch.rand(11)}


def cnn():
    layers = []
    for inside, outside in ((3, 16), (16, 32), (32, 32)):
        layers += [torch.nn.Conv2d(inside, outside, 3, 2, 1), torch.nn.BatchNorm2d(outside)]
        layers.append(torch.nn.ReLU())
    layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(32, 10)]
    return torch.nn.Sequential(*layers), {"input": torch.rand(1, 3, 96, 96)}


def bert():
    import transformers

    config = transformers.BertConfig()
    inputs = {
        "input_ids": torch.randint(0, config.vocab_size, (1, 128)),
        "attention_mask": torch.ones(1, 128, dtype=torch.long),
    }
    return transformers.BertModel(config), inputs


MODELS = {"one layer": (one_layer, 100, 400), "CNN": (cnn, 100, 30), "BERT base": (bert, 5, 16)}
"""Each with its calls a round, and its rounds."""
RUNTIMES = {"torch-eager": TorchEager, "torch-compiled": TorchCompiled}


def raw_loop(call, inputs, count):
    """Give mean and median in ms, as somebody would measure by hand."""
    times = []
    for _ in range(count):
        start = time.perf_counter_ns()
        call(**inputs)
        times.append(time.perf_counter_ns() - start)
    return statistics.fmean(times) / 1e6, statistics.median(times) / 1e6


def reported(runtime):
    found = runtime.benchmark()
    return found.mean_latency, found.statistics["median_latency_ms"]


def compare(runtime, inputs, count, rounds):
    """Give mean and median in ms for each of `ways`, of its better rounds."""
    call = runtime._inference._call
    ways = [
        lambda: raw_loop(call, inputs, count),
        lambda: reported(runtime),
        lambda: raw_loop(call, inputs, count),
    ]
    found = [[], [], []]
    for way in ways:
        way()
    for _ in range(rounds):
        # In another order each time: what one leaves in caches would always help the next.
        for place in random.sample(range(len(ways)), len(ways)):
            found[place].append(ways[place]())
    return [[statistics.quantiles(s, n=4)[0] for s in zip(*f, strict=True)] for f in found]


def context_for(module, inputs, count, folder):
    context = RuntimeContext(
        folder, "build", RuntimeStats(), count, module, inputs, Device("x86"), None, "torch", folder
    )
    return replace(context, schedule={"warm_up": 2})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--runtimes", nargs="*", default=list(RUNTIMES), choices=list(RUNTIMES))
    options = parser.parse_args()
    head = f"{'model':10} {'runtime':15} {'raw ms':>10} {'reported':>10} {'mean':>7} {'median':>7}"
    print(f"{head}   raw against raw")
    verdicts = set()
    for name in options.models:
        make, count, rounds = MODELS[name]
        torch.manual_seed(0)
        module, inputs = make()
        for runtime_name in options.runtimes:
            with tempfile.TemporaryDirectory() as folder:
                context = context_for(module, inputs, count, Path(folder))
                with opened(RUNTIMES[runtime_name], context, {}) as runtime:
                    raw, ours, again = compare(runtime, inputs, count, rounds)
            ratios = [b / a for a, b in zip(raw, ours, strict=True)]
            control = [b / a for a, b in zip(raw, again, strict=True)]
            verdicts.add(verdict := judge(ratios, control))
            print(
                f"{name:10} {runtime_name:15} {raw[0]:10.5f} {ours[0]:10.5f} {ratios[0]:7.3f} "
                f"{ratios[1]:7.3f}   {control[0]:.3f} {control[1]:.3f}   {verdict}",
                flush=True,
            )
    return 1 if "slower" in verdicts else 2 if "cannot tell" in verdicts else 0


def judge(ratios, control):
    limits = (MAX_MEAN, MAX_MEDIAN)
    if all(ratio <= limit for ratio, limit in zip(ratios, limits, strict=True)):
        return "same"
    busy = any(abs(c - 1) > limit - 1 for c, limit in zip(control, limits, strict=True))
    return "cannot tell" if busy else "slower"


if __name__ == "__main__":
    raise SystemExit(main())
