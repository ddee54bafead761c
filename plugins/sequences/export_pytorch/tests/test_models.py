"""Model scripts through the installed command: from script to file, verified."""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

MODELS = Path(__file__).resolve().parents[4] / "models"
COMMAND = (sys.executable, "-c", "from turnkeyml.cli.main import main; main()")
SMALL = (
    "--script-args=--num_hidden_layers 2 --hidden_size 48 --base_channels 32 --sample_size 16 "
    "--max_seq_length 16 --num_nodes 50 --num_edges 200 --in_channels 64",
)


def start(cache, *words, **environment):
    return subprocess.Popen(
        [*COMMAND, *map(str, words[:2]), "-d", str(cache), *map(str, words[2:])],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process):
    text, _ = process.communicate(timeout=280)
    assert process.returncode == 0, text
    return text


def steps_of(cache):
    (path,) = cache.glob("*/turnkey_stats.yaml")
    return list(yaml.safe_load(path.read_text("utf-8"))["steps"].values())


@pytest.mark.slow
def test_files_are_the_same_bytes_in_two_processes(tmp_path):
    script = MODELS / "selftest/cnn.py"
    running = []
    for name in ("one", "two"):
        # In other folders, with other seeds of Python's hashes.
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(script, folder)
        chain = ("discover", "export-pytorch", "export-pytorch", "--exporter", "torchscript")
        seed = str(len(running) + 1)
        running.append(
            start(folder / "cache", "-i", folder / script.name, *chain, PYTHONHASHSEED=seed)
        )
    for process in running:
        finish(process)
    (one,) = (tmp_path / "one/cache").glob("*/onnx")
    (two,) = (tmp_path / "two/cache").glob("*/onnx")
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in two.iterdir())
    assert len([name for name in names if name.endswith(".onnx")]) == 2
    assert filecmp.cmpfiles(one, two, names, shallow=False) == (names, [], [])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "selftest/linear",
        "selftest/twolayer",
        "selftest/cnn",
        "selftest/lstm",
        "transformers/gpt2",
        "transformers/vit",
        "diffusers/unet",
        "graph_convolutions/gcn",
    ],
)
@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
def test_model_scripts_are_exported_and_verified(tmp_path, name, exporter):
    if name.startswith(("transformers", "diffusers")):
        pytest.importorskip(name.partition("/")[0])
    if name.startswith("graph"):
        pytest.importorskip("torch_geometric")
    chain = ("discover", *SMALL, "export-pytorch", "--exporter", exporter, "verify-exporter")
    text = finish(start(tmp_path, "-i", MODELS / f"{name}.py", *chain))
    assert "the exported file computes what the model does" in text
    assert steps_of(tmp_path)[1]["exporter"] == exporter


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exporter", "most_gb"),
    # Measured: 2.7 GB, of which the script itself takes 2.6, and 7.3 GB.
    [("dynamo", 3.2), ("torchscript", 8.0)],
)
def test_more_than_two_gigabytes_are_exported_and_verified(tmp_path, exporter, most_gb):
    if shutil.disk_usage(tmp_path).free < 12e9:
        pytest.skip("there is not enough room")
    script = MODELS / "selftest/big_linear.py"
    chain = ("discover", "export-pytorch", "--exporter", exporter, "verify-exporter")
    try:
        text = finish(start(tmp_path, "-i", script, *chain))
        assert "the exported file computes what the model does" in text
        found = steps_of(tmp_path)[1]
        assert found["size_bytes"] > 2**31
        assert found["peak_process_bytes"] < most_gb * 1e9
    finally:
        shutil.rmtree(tmp_path, ignore_errors=True)
