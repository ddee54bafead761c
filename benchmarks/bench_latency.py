"""Reported mean latencies against a raw loop over the same session, interleaved in one process."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from turnkeyml import measure
from turnkeyml.cache import Cache
from turnkeyml.state import load_state
from turnkeyml.worker.main import Request, load_module
from turnkeyml.worker.tensors import read_tensors

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = {
    "one layer": ("models/selftest/linear.py", 2000, 15),
    "BERT base": ("models/transformers/bert.py", 20, 5),
}


def open_session(script: str, cache: Path):
    turnkey = str(Path(sys.executable).with_name("turnkey"))
    command = [turnkey, "-i", str(ROOT / script), "-d", str(cache), "discover", "export-pytorch"]
    subprocess.run(command, check=True, capture_output=True)
    (build,) = Cache(cache).builds()
    saved = load_state(build)
    model = next(a for a in saved.artifacts if a.kind == "onnx-model")
    raw = read_tensors(build.path / model.info["inputs_folder"])
    inputs = {name: raw[leaf] for name, leaf in model.info["inputs"].items()}
    import turnkeyml_plugin_onnxrt

    path = Path(turnkeyml_plugin_onnxrt.__file__).with_name("worker.py")
    worker = load_module("ort_worker", path)
    return worker.open_session(Request(build.path / model.files[0].path, inputs, {}))


def raw_loop(session, count: int) -> float:
    """Mean ms of a call, timed from outside the loop."""
    run, outputs, feeds = session.session.run, session.outputs, session.feeds
    start = time.perf_counter_ns()
    for _ in range(count):
        run(outputs, feeds)
    return (time.perf_counter_ns() - start) / count / 1e6


def reported(session, count: int) -> float:
    samples = measure.measure(session.infer, measure.Schedule(count))
    return measure.summarize(samples, clock_step_ns=1)["mean_latency_ms"]


def main() -> None:
    print(f"{'model':12} {'raw ms':>10} {'reported ms':>12} {'ratio':>7}  (medians of the rounds)")
    for name, (script, count, rounds) in SCRIPTS.items():
        with tempfile.TemporaryDirectory() as folder:
            session = open_session(script, Path(folder))
            raw_loop(session, count)
            pairs = [(raw_loop(session, count), reported(session, count)) for _ in range(rounds)]
            raw, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
            ratio = statistics.median(b / a for a, b in pairs)
            print(f"{name:12} {raw:10.5f} {ours:12.5f} {ratio:7.3f}")


if __name__ == "__main__":
    main()
