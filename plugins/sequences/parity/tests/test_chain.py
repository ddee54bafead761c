"""The check in real chains, through the installed command line."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

needed = ("turnkeyml_plugin_discover", "turnkeyml_plugin_export_pytorch", "turnkeyml_plugin_onnxrt")
pytestmark = pytest.mark.skipif(
    not all(find_spec(name) for name in needed), reason=f"needs {', '.join(needed)}"
)

LINEAR = """
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
net.eval()
net(torch.rand(2, 8))
"""

TRICKY = """
import torch
torch.manual_seed(0)
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 3)
    def forward(self, x):
        y = self.fc(x)
        pair = (y.sum(), y.argmax(-1))
        return {"y": y, "again": y, "none": None, "number": 3, "x": x, "pair": pair}
net = Net()
net(torch.rand(2, 4))
"""

RANDOM = """
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 3)
    def forward(self, x):
        return self.fc(x) + torch.rand(3)
net = Net()
net(torch.rand(2, 4))
"""

SPOIL = '''
from dataclasses import dataclass

from turnkeyml.options import option
from turnkeyml.tool import Tool


@dataclass(frozen=True)
class Options:
    factor: float = option(1.0, help="What a weight is multiplied by.")


class Spoil(Tool):
    """Multiply a weight of an ONNX file by a factor."""

    name = "spoil"
    Options = Options
    consumes = ("onnx-model",)
    produces = "onnx-model"

    def run(self, state, options):
        import onnx
        from onnx import numpy_helper

        model = onnx.load(state.input_file())
        for weight in model.graph.initializer:
            if len(weight.dims) == 2:
                values = numpy_helper.to_array(weight) * options.factor
                weight.CopyFrom(numpy_helper.from_array(values.astype("float32"), weight.name))
                break
        path = state.folder("onnx") / state.file_name(".onnx")
        onnx.save(model, path)
        state.add("onnx-model", [path], info=state.input.info)
        return state
'''


class Turnkey:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        site = folder / "site"
        info = site / "spoil-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "spoil_plugin.py").write_text(
            "implements = {'tools': [{'class': 'spoil_tool:Spoil', 'name': 'spoil'}]}"
        )
        (site / "spoil_tool.py").write_text(SPOIL)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spoil\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[turnkeyml.plugins]\nspoil = spoil_plugin\n")

    def __call__(self, text: str, *words: str, before: tuple[str, ...] = ()):
        script = self.folder / "net.py"
        script.write_text(text)
        return subprocess.run(
            [sys.executable, "-c", "from turnkeyml.cli.main import main; main()"]
            + ["-i", str(script), *before, *words],
            env={
                **os.environ,
                "TURNKEY_CACHE_DIR": str(self.folder / "cache"),
                "PYTHONPATH": str(self.folder / "site"),
            },
            capture_output=True,
            text=True,
            timeout=120,
        )

    @property
    def build(self) -> Path:
        (file,) = (self.folder / "cache").glob("*/turnkey_stats.yaml")
        return file.parent

    @property
    def stats(self):
        return yaml.safe_load((self.build / "turnkey_stats.yaml").read_text())

    def checks(self):
        return {s["tool"]: s["parity"] for s in self.stats["steps"].values() if "parity" in s}


@pytest.fixture(scope="module")
def turnkey(tmp_path_factory):
    return Turnkey(tmp_path_factory.mktemp("chain"))


@pytest.fixture
def fresh(tmp_path):
    return Turnkey(tmp_path)


CHAIN = ("discover", "export-pytorch", "spoil", "--factor", "1", "spoil", "--factor", "0", "spoil")


@pytest.fixture(scope="module")
def spoiled(turnkey):
    return turnkey(LINEAR, *CHAIN)


def test_the_first_stage_that_departs_is_named(spoiled, turnkey):
    assert spoiled.returncode == 0, spoiled.stderr
    status, note = [line for line in spoiled.stdout.splitlines() if "departs" in line]
    assert status.split() == "Parity: departs from the model at spoil (2)".split()
    assert note.startswith("Note: net.py net: spoil departs from eager: output 'out' differs by")
    found = [s["parity"]["status"] for s in turnkey.stats["steps"].values() if "parity" in s]
    assert found == ["ok", "ok", "mismatch", "mismatch"]
    summary = turnkey.stats["model"]["parity"]
    assert (summary["status"], summary["departs_at"]) == ("mismatch", "spoil (2)")
    assert summary["checked"] == ["export-pytorch", "spoil", "spoil (2)", "spoil (3)"]


def test_what_was_computed_is_kept_beside_the_inputs(spoiled, turnkey):
    kept = sorted(path.name for path in (turnkey.build / "reference").iterdir())
    assert kept == ["inputs.bin", "inputs.json", "reference.json"]


def test_the_same_command_again_says_the_same_and_computes_nothing(spoiled, turnkey):
    files = {path: path.stat().st_mtime_ns for path in (turnkey.build / "reference").iterdir()}
    before = turnkey.stats["steps"]
    again = turnkey(LINEAR, *CHAIN)
    assert [line for line in again.stdout.splitlines() if "departs" in line]
    for identity, entry in turnkey.stats["steps"].items():
        assert entry.get("parity") == before[identity].get("parity")
    assert files == {path: path.stat().st_mtime_ns for path in files}


def test_a_mismatch_fails_the_step_on_demand(spoiled, turnkey):
    failed = turnkey(LINEAR, *CHAIN, before=("--on-mismatch", "fail"))
    assert failed.returncode == 1
    assert "Status:         Failed in spoil: net.py net: spoil departs from eager" in failed.stdout
    assert "Traceback" not in failed.stdout + failed.stderr


def test_without_the_check_nothing_is_computed(fresh):
    done = fresh(LINEAR, "discover", "export-pytorch", before=("--no-parity",))
    assert done.returncode == 0, done.stderr
    assert fresh.checks() == {}
    assert fresh.stats["model"]["parity"]["status"] == "not checked"
    assert not (fresh.build / "reference").exists()
    later = fresh(LINEAR, "discover", "export-pytorch")
    assert later.returncode == 0
    assert "export-pytorch (as before)" in later.stderr
    assert fresh.checks()["export-pytorch"]["status"] == "ok"


def test_outputs_of_all_sorts_are_put_together(fresh):
    assert fresh(TRICKY, "discover", "export-pytorch").returncode == 0
    found = fresh.checks()["export-pytorch"]
    assert (found["status"], found["outputs"]) == ("ok", 5)
    assert found["runtime"] == "ort"
    assert found["runtime_version"].count(".") == 2
    assert found["reference"].startswith("eager (torch ")


def test_a_model_that_draws_random_numbers_is_no_mismatch(fresh):
    done = fresh(RANDOM, "discover", "export-pytorch", before=("--on-mismatch", "fail"))
    assert done.returncode == 0, done.stderr
    found = fresh.checks()["export-pytorch"]
    assert found["status"] == "not checked"
    assert "gives other outputs each time" in found["reason"]


def test_the_reference_in_float64_is_computed_beside_the_model(spoiled, turnkey):
    words = ("--parity-reference", "fp64")
    done = turnkey(LINEAR, "discover", "export-pytorch", before=words)
    assert done.returncode == 0, done.stderr
    found = turnkey.checks()["export-pytorch"]
    assert found["status"] == "ok"
    assert found["reference"].endswith(", float64)")
    assert 0 < found["max_rel"] < 1e-5


def test_a_file_that_the_runtime_refuses_is_a_note(fresh):
    text = LINEAR.replace("net.eval()", "net.bfloat16()").replace("(2, 8)", "(2, 8).bfloat16()")
    done = fresh(text, "discover", "export-pytorch")
    assert done.returncode == 0, done.stderr
    assert "ort cannot run what export-pytorch made: ValueError: CPU" in done.stdout
    assert fresh.stats["model"]["parity"]["status"] == "refused"
    assert "departs" not in done.stdout


def test_a_wrong_argument_of_the_runtime_is_the_benchmarks_error_alone(fresh):
    words = ("discover", "export-pytorch", "benchmark", "--rt-args", "provider::Foo")
    done = fresh(LINEAR, *words, before=("--on-mismatch", "fail"))
    assert done.returncode == 1
    assert "Failed in benchmark: " in done.stdout
    assert "export-pytorch made" not in done.stdout
    assert "departs" not in done.stdout
    found = fresh.checks()["export-pytorch"]
    assert found["status"] == "not checked"
    assert "ort can run it, but not with --rt-args provider::Foo: " in found["reason"]
