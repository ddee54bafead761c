"""How often the verdict says what it should: valid alone, noisy while others take the cores.

Each run is a fresh process. What other programs took of the processor meanwhile is measured beside
it, from the system's own counters: runs in which they took more than `QUIET` of one core were not
alone, and are counted by themselves. For the other half as many busy processes as there are cores
are started here.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import at_least_one

QUIET = 0.03
"""Of one core."""
BUSY = "while True: pass"
RUNTIMES = ("ort", "torch-eager")
MODELS = ("one node", "CNN")


def one_run(runtime, name, folder):
    """Measure once, in this process or a worker; give the result's numbers."""
    sys.path.insert(0, str(Path(__file__).parent))
    if runtime == "ort":
        import numpy as np

        import turnkeyml_plugin_onnxrt
        from turnkeyml.worker.process import WorkerOrder, run_worker

        names = list(np.load(folder / "inputs.npz"))
        worker = Path(turnkeyml_plugin_onnxrt.__file__).with_name("worker.py")
        order = WorkerOrder(worker, folder / "m.onnx", folder, {n: n for n in names}, 100)
        return dict(run_worker(order, environment={}).summary)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from bench_latency import torch_model

    from turnkeyml.device import Device
    from turnkeyml.runtime import RuntimeContext, RuntimeStats, opened
    from turnkeyml_plugin_torchrt.runtime import TorchEager

    module, inputs = torch_model(name)
    context = RuntimeContext(
        folder, "b", RuntimeStats(), 100, module, inputs, Device("x86"), None, runtime, folder
    )
    with opened(TorchEager, context, {}) as opened_runtime:
        found = opened_runtime.benchmark()
    numbers = dict(found.statistics)
    return {
        **numbers,
        "mean_latency_ms": found.mean_latency,
        "verdict": found.verdict,
        "verdict_reasons": list(found.verdict_reasons),
    }


def export(name, folder):
    """Write an ONNX file and its inputs in both forms that are needed."""
    sys.path.insert(0, str(Path(__file__).parent))
    import numpy as np
    from bench_latency import export as export_onnx

    from turnkeyml.worker.tensors import RawTensor, write_tensors

    export_onnx(name, folder)
    arrays = dict(np.load(folder / "inputs.npz"))
    raw = {n: RawTensor(str(a.dtype), a.shape, memoryview(a.tobytes())) for n, a in arrays.items()}
    write_tensors(folder, raw)


def busy_s():
    """Give the seconds that all cores have worked so far, for anybody."""
    words = Path("/proc/stat").read_text("ascii").partition("\n")[0].split()
    user, nice, system, _, _, irq, softirq, steal = (int(word) for word in words[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_s():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def measured(runtime, name, folder):
    """Give a run's numbers, and what others took of a core during it."""
    before = (time.monotonic(), busy_s(), own_s())
    command = [sys.executable, __file__, "--one", runtime, name, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    took, busy, own = (
        b - a for a, b in zip(before, (time.monotonic(), busy_s(), own_s()), strict=True)
    )
    return json.loads(done.stdout.splitlines()[-1]), max(0.0, busy - own) / took


def loaded(count):
    return [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]


def count_runs(runtime, name, folder, options):
    """Print how often each verdict came alone, with unasked company, and under load."""
    alone, company = collections.Counter(), collections.Counter()
    reasons = collections.Counter()
    means = []
    for _ in range(options.most):
        found, others = measured(runtime, name, folder)
        (alone if others <= QUIET else company)[found["verdict"]] += 1
        if others <= QUIET:
            means.append(found["mean_latency_ms"])
        where = "alone" if others <= QUIET else "beside others"
        reasons.update(f"{where}: {reason}" for reason in found["verdict_reasons"])
        if alone.total() >= options.runs:
            break
    under = collections.Counter()
    rivals = loaded(options.busy)
    try:
        for _ in range(options.runs if options.busy else 0):
            under[measured(runtime, name, folder)[0]["verdict"]] += 1
    finally:
        for rival in rivals:
            rival.kill()
            rival.wait()
    spread = f", means {min(means):.5f} to {max(means):.5f} ms" if means else ""
    print(f"{name} on {runtime}: alone {dict(alone)}{spread}")
    print(f"    others ran too {dict(company)}; under load {dict(under)}", flush=True)
    for reason, times in reasons.most_common():
        print(f"    {times} {reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=at_least_one, default=20)
    parser.add_argument(
        "--most", type=at_least_one, default=60, help="runs until enough were alone"
    )
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--busy", type=int, default=cores, help="processes of the second half")
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--runtimes", nargs="*", default=list(RUNTIMES), choices=list(RUNTIMES))
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--export", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        runtime, name, folder = options.one
        print(json.dumps(one_run(runtime, name, Path(folder))))
        return
    if options.export:
        export(options.export[0], Path(options.export[1]))
        return
    for name in options.models:
        with tempfile.TemporaryDirectory() as text:
            command = [sys.executable, __file__, "--export", name, text]
            subprocess.run(command, check=True, capture_output=True)
            for runtime in options.runtimes:
                count_runs(runtime, name, Path(text), options)


if __name__ == "__main__":
    main()
