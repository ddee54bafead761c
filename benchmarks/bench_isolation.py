"""What the executor `isolated` costs a job, and what its warm processes save against fresh ones."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPTS = 20
TRIVIAL_JOBS = 1000
HELLO = """
import torch
torch.manual_seed({number})
model = torch.nn.Linear(10, {outputs})
model(torch.rand(10))
"""
CHAINS = {"discover": ["discover"], "discover export-pytorch": ["discover", "export-pytorch"]}

# What a command does with an executor, and nothing else: started with a file of JSON.
DRIVER = """
import json, sys, time
from pathlib import Path
from threading import Event
from turnkeyml.execution.isolated.executor import IsolatedExecutor
from turnkeyml.execution.job_folder import read_report, write_job
from turnkeyml.execution.job_process import plan_for, run_folder
from turnkeyml.executor import Ended, ExecutorSetup, JobSpec
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import load_registry
from turnkeyml.request import GlobalOptions, RunRequest

folder, steps, executor, scripts = json.loads(Path(sys.argv[1]).read_text("utf-8"))
cache = Path(folder, "cache")
registry = load_registry()
request = RunRequest(GlobalOptions(cache_dir=cache), steps)
jobs = [JobSpec(p, cache / "jobs" / str(n), Source(Path(p)), request)
        for n, p in enumerate(scripts)]
for job in jobs:
    write_job(job)
setup = ExecutorSetup(
    registry, {".py": plan_for(request, ".py", registry)}, cache, cache / "run"
)
waiting = list(jobs)

class Queue:
    def take(self):
        return waiting.pop(0) if waiting else None
    def __len__(self):
        return len(waiting)

start = time.perf_counter()
if executor is None:
    for job in jobs:
        run_folder(job.folder, registry)
else:
    for event in IsolatedExecutor(**executor).run(Queue(), setup, Event()):
        if isinstance(event, Ended):
            assert event.end.message == "", event.end
print(time.perf_counter() - start)
for job in jobs:
    report = read_report(job.folder)
    assert report is not None and not report.failed, report
"""
# A tool that does next to nothing, so that what remains is the executor.
TRIVIAL = """
import hashlib
from turnkeyml.state import ModelInfo
from turnkeyml.tool import FirstTool

class Trivial(FirstTool):
    '''Find one model that is nothing.'''

    name = "trivial"
    suffixes = (".py",)
    produces = "nothing"

    def start(self, source, options, context):
        digest = hashlib.sha256(source.path.name.encode()).hexdigest()
        state = context.new_state(source, ModelInfo(source.path.stem, digest, "Nothing"))
        state.add("nothing", live=0, live_key={})
        yield state

implements = {"tools": [Trivial]}
"""


def run(folder: Path, steps: list[str], executor: dict[str, bool] | None, texts: list[str]):
    """Run scripts, in this order; gives wall seconds from the first job to the last."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        scripts = [Path(place, f"script{number}.py") for number in range(len(texts))]
        for script, text in zip(scripts, texts, strict=True):
            script.write_text(text)
        order = Path(place, "order.json")
        order.write_text(json.dumps([place, steps, executor, [str(path) for path in scripts]]))
        command = [sys.executable, "-c", DRIVER, str(order)]
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return float(done.stdout)


def install_trivial(folder: Path) -> None:
    """Install a plugin for the processes of this benchmark."""
    (folder / "trivial_plugin.py").write_text(TRIVIAL)
    info = folder / "trivial_plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: trivial-plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[turnkeyml.plugins]\nmain = trivial_plugin\n")


def bench_hello_world(folder: Path) -> None:
    texts = [HELLO.format(number=number, outputs=number + 1) for number in range(SCRIPTS)]
    print(f"{SCRIPTS} hello-world scripts, each in a process of its own")
    print(f"{'chain':26} {'fresh s':>8} {'warm s':>8} {'ratio':>6}   (limit 0.3)")
    for name, steps in CHAINS.items():
        warm = run(folder, steps, {}, texts)
        fresh = run(folder, steps, {"fresh": True}, texts)
        print(f"{name:26} {fresh:8.2f} {warm:8.2f} {warm / fresh:6.3f}", flush=True)


def bench_trivial(folder: Path) -> None:
    texts = [""] * TRIVIAL_JOBS
    isolated = run(folder, ["trivial"], {}, texts)
    alone = run(folder, ["trivial"], None, texts)
    more = (isolated - alone) / TRIVIAL_JOBS * 1e3
    print(
        f"{TRIVIAL_JOBS} trivial jobs: isolated {isolated:.2f} s, in one process {alone:.2f} s: "
        f"{more:.1f} ms a job more   (limit 20)"
    )


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench_hello_world(folder)
        install_trivial(folder)
        bench_trivial(folder)
    print(f"({time.perf_counter() - start:.0f} s)")


if __name__ == "__main__":
    main()
