"""Every build stage on models of all kinds: right, used again when nothing changed, handed out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from turnkeyml.cache import Cache
from turnkeyml.cache.stats import Stats
from turnkeyml.saved_state import load_state

ROOT = Path(__file__).resolve().parent.parent
BUILD = ("discover", "export-pytorch", "optimize-onnx", "convert-fp16")
STAGES = BUILD[1:]
MODELS = {
    "selftest/linear.py": "",
    "selftest/cnn.py": "",
    "selftest/lstm.py": "",
    "transformers/bert.py": "",
    "transformers/gpt2.py": "--num_hidden_layers 2 --hidden_size 128 --num_attention_heads 4",
    "transformers/vit.py": "--num_hidden_layers 2 --hidden_size 128 --num_attention_heads 4",
    "diffusers/unet.py": "--sample_size 32 --base_channels 32",
    "graph_convolutions/gcn.py": "--num_nodes 200 --num_edges 800",
}


def entries(cache: Path) -> dict[str, dict]:
    """Give the statistics of the only build's steps, by tool."""
    (build,) = Cache(cache).builds()
    return {entry["tool"]: entry for entry in Stats.load(build).steps.values()}


def artifacts(cache: Path) -> dict[str, str]:
    """Give the digest of each artifact's first file, by what made it."""
    (build,) = Cache(cache).builds()
    found = [a for a in load_state(build).artifacts if a.kind == "onnx-model"]
    return {a.step.rpartition("-")[0]: a.files[0].sha256 for a in found}


def stages_run(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Give the stages that the command ran, and did not take from the cache."""
    lines = [line for line in done.stderr.splitlines() if "(as before)" not in line]
    return [stage for stage in STAGES if any(f": {stage} (" in line for line in lines)]


@pytest.mark.parametrize("model", MODELS)
def test_model_comes_out_loadable_and_within_tolerance(turnkey, model):
    if model.startswith("graph"):
        pytest.importorskip("torch_geometric")
    if model.startswith("diffusers"):
        pytest.importorskip("diffusers")
    args = MODELS[model]
    words = ["--script-args", args] if args else []
    done = turnkey("-i", ROOT / "models" / model, "discover", *words, *STAGES, timeout=600)
    assert done.returncode == 0, done.stderr + done.stdout
    steps = entries(turnkey.cache)
    assert [steps[stage]["parity"]["status"] for stage in STAGES] == ["ok"] * 3
    assert steps["export-pytorch"]["opset"] == 20


LINEAR = """
import torch
torch.manual_seed(0)

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one = torch.nn.Linear(40, 40)
        self.two = torch.nn.Linear(40, 5)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))

net = Net().eval()
# changes here
net(torch.rand(3, 40))
"""


def test_same_command_again_runs_the_script_and_no_stage(turnkey):
    turnkey.script("net.py", LINEAR)
    first = turnkey("-i", "net.py", *BUILD)
    assert stages_run(first) == list(STAGES)
    before = artifacts(turnkey.cache)
    again = turnkey("-i", "net.py", *BUILD)
    assert again.returncode == 0, again.stderr
    assert stages_run(again) == []
    assert artifacts(turnkey.cache) == before


def test_same_command_again_imports_nothing_that_the_script_does_not(turnkey):
    turnkey.script("net.py", LINEAR)
    assert turnkey("-i", "net.py", *BUILD).returncode == 0
    probe = (
        "import sys\n"
        "from turnkeyml.cli.main import run_command\n"
        "from turnkeyml.console import Console\n"
        f"code = run_command(['-i', 'net.py', *{BUILD!r}], Console())\n"
        "heavy = {'onnx', 'onnx_ir', 'onnxscript', 'onnxruntime', 'torch._dynamo'}\n"
        "print('HEAVY', code, sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        cwd=turnkey.folder,
        env=turnkey.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "HEAVY 0 []" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "options", "expected", "why"),
    [
        ("# changes here", "net.two.bias.data[0] += 1e-7", (), STAGES, "pytorch-model weights"),
        ("torch.relu", "torch.nn.functional.gelu", (), STAGES, "code of pytorch-model"),
        ("", "", ("--opset", "18"), STAGES, "option opset (20 -> 18)"),
        ("", "", ("--", "extended"), ("optimize-onnx", "convert-fp16"), "option level"),
    ],
)
def test_change_runs_exactly_what_depends_on_it(turnkey, old, new, options, expected, why):
    turnkey.script("net.py", LINEAR)
    command = ["-i", "net.py", "--explain", *BUILD]
    assert turnkey(*command).returncode == 0
    if old:
        turnkey.script("net.py", LINEAR.replace(old, new))
    elif options[0] == "--":
        command[-1:] = ["--level", options[1], "convert-fp16"]
    else:
        command[-2:] = [*options, *command[-2:]]
    done = turnkey(*command)
    assert done.returncode == 0, done.stderr
    assert tuple(stages_run(done)) == tuple(expected)
    if "weights" not in why:
        assert why in done.stdout


def test_result_is_left_with_inputs_outputs_and_a_script_that_runs_it(turnkey):
    turnkey.script("net.py", LINEAR)
    done = turnkey("-i", "net.py", "--output", "my results", *BUILD)
    assert done.returncode == 0, done.stderr
    (folder,) = (turnkey.folder / "my results").iterdir()
    (data,) = folder.glob("*.data")
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "about.json", "inputs.npz", "model.onnx", "outputs.npz", "run.py", data.name
    }  # fmt: skip
    assert json.loads((folder / "about.json").read_text())["input_dtypes"] == {"x": "float16"}
    ran = subprocess.run(
        [sys.executable, "run.py"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert "largest difference" in ran.stdout
    assert len((folder / "run.py").read_text().splitlines()) <= 20


def test_weights_that_a_stage_does_not_change_are_stored_once(turnkey):
    turnkey.script("net.py", LINEAR)
    assert turnkey("-i", "net.py", *BUILD[:3]).returncode == 0
    (build,) = Cache(turnkey.cache).builds()
    assert len(list((build.path / "onnx").glob("*.data"))) == 1


@pytest.mark.slow
def test_linear_of_two_gigabytes_goes_through_all_stages(turnkey):
    done = turnkey("-i", ROOT / "models/selftest/big_linear.py", *BUILD, timeout=1200)
    assert done.returncode == 0, done.stderr + done.stdout
    steps = entries(turnkey.cache)
    assert [steps[stage]["parity"]["status"] for stage in STAGES] == ["ok"] * 3
