"""One script with each value of its parameters."""

from __future__ import annotations

from turnkeyml.cache import Cache
from turnkeyml.cache.stats import Stats

SCRIPT = """\
import torch
from turnkeyml.parser import parse
batch = parse(["batch_size"])
torch.manual_seed(0)
net = torch.nn.Linear(3, 2)
net(torch.ones(batch, 3))
"""


def test_each_combination_has_a_build_and_a_label(turnkey):
    script = turnkey.script("one.py", SCRIPT)
    words = ["--sweep", "batch_size=1,4", "out_channels=8", "discover"]
    done = turnkey("-i", script, *words)
    assert done.returncode == 0, done.stderr
    assert "one.py batch_size=1 out_channels=8:" in done.stdout
    assert "'input': (4, 3)" in done.stdout
    found = [Stats.load(build).model for build in Cache(turnkey.cache).builds()]
    given = sorted(model["script_parameters"]["batch_size"] for model in found)
    assert given == ["1", "4"]


def test_a_parameter_that_changes_nothing_still_has_builds_of_its_own(turnkey):
    script = turnkey.script("one.py", SCRIPT)
    done = turnkey("-i", script, "--sweep", "width=1,2", "discover")
    assert done.returncode == 0, done.stderr
    assert len(Cache(turnkey.cache).builds()) == 2


def test_the_sweep_stands_after_the_scripts_own_arguments(turnkey):
    script = turnkey.script("one.py", SCRIPT)
    words = ["--sweep", "batch_size=2", "discover", "--script-args=--batch_size 7"]
    done = turnkey("-i", script, *words)
    assert "'input': (2, 3)" in done.stdout


def test_the_throughput_is_told_per_item(turnkey):
    script = turnkey.script("one.py", SCRIPT)
    words = ["--sweep", "batch_size=5", "discover", "export-pytorch", "benchmark"]
    done = turnkey("-i", script, *words, "--runtime", "ort", "--iterations", "20")
    assert done.returncode == 0, done.stderr
    assert "items per second (batch of 5)" in done.stdout
    (build,) = Cache(turnkey.cache).builds()
    (result,) = Stats.load(build).results.values()
    assert result["throughput_items_per_s"] == 5 * result["throughput_ips"]


def test_a_model_file_has_no_parameters(turnkey):
    (turnkey.folder / "m.onnx").write_bytes(b"")
    done = turnkey("-i", "m.onnx", "--sweep", "batch_size=1,2", "load-onnx")
    assert done.returncode == 2
    assert "m.onnx has no parameters that --sweep could set." in done.stderr
