"""An export in a fork of a process that is kept warm is that of a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import hashlib, json, os, sys, threading, warnings
from pathlib import Path

folder, is_warm = Path(sys.argv[1]), sys.argv[2] == "warm"
facts = {}
if is_warm:
    import torch
    from turnkeyml_plugin_export_pytorch.warm import warm_up

    random, environment = torch.get_rng_state(), dict(os.environ)
    tasks = len(os.listdir("/proc/self/task"))
    after_fork = warm_up()
    facts = {
        "random is untouched": bool((torch.get_rng_state() == random).all()),
        "environment is untouched": dict(os.environ) == environment,
        "one thread": torch.get_num_threads() == 1 and threading.active_count() == 1,
        "no thread was started": len(os.listdir("/proc/self/task")) <= tasks,
    }
    pid = os.fork()
    if pid:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    after_fork()

import torch
from turnkeyml.artifacts import PYTORCH_MODEL
from turnkeyml.cache import Cache
from turnkeyml.context import RunContext
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import ModelInfo
from turnkeyml_plugin_export_pytorch.tool import ExportPytorch, ExportPytorchOptions
from turnkeyml_torch import LiveModel, make_signature
from turnkeyml_torch.given import hand_over

torch.manual_seed(3)
module = torch.nn.Sequential(
    torch.nn.Linear(300, 300), torch.nn.LayerNorm(300), torch.nn.GELU(), torch.nn.Linear(300, 4)
)
x = torch.ones(300, 300)
context = RunContext(Registry(), Cache(folder), first_step=("discover", "00000000"))
state = context.new_state(Source(folder / "s.py"), ModelInfo("m", "cd" * 32, "Pytorch"))
hand_over(state, LiveModel(module, (x,), {}, make_signature(module, (x,), {})), training=False)
state.begin_step("export-pytorch", "12345678", (PYTORCH_MODEL,))
ExportPytorch().run(state, ExportPytorchOptions(opset=20, exporter=sys.argv[3]))
files = sorted((state.build.path / "onnx").iterdir())
found = {
    "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    "threads": torch.get_num_threads(),
    "product": float(module(x).sum()),
    "many threads": len(os.listdir("/proc/self/task")) > 1,
}
(folder / "found.json").write_text(json.dumps([facts, found]))
"""


def export(folder: Path, how: str, exporter: str) -> tuple[dict, dict]:
    """Export a model in a process of its own, or in a fork of a warm one."""
    folder.mkdir()
    words = [sys.executable, "-c", PROGRAM, str(folder), how, exporter]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    facts, found = json.loads((folder / "found.json").read_text())
    return facts, found


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
@pytest.mark.parametrize(
    "exporter", ["dynamo", pytest.param("torchscript", marks=pytest.mark.slow)]
)
def test_a_fork_exports_what_a_fresh_process_exports(tmp_path: Path, exporter: str) -> None:
    _, fresh = export(tmp_path / "fresh", "fresh", exporter)
    facts, warm = export(tmp_path / "warm", "warm", exporter)
    assert all(facts.values()), facts
    assert warm == fresh
    assert len(fresh["files"]) == 2
    assert fresh["many threads"] or os.cpu_count() == 1
