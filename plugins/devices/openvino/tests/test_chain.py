"""Chains through the installed command line that end in this runtime."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata

import pytest
import yaml

NEEDED = ("discover", "export-pytorch", "optimize-onnx", "convert-fp16", "sequences", "benchmark",
          "parity", "onnxrt", "x86")  # fmt: skip
CHAIN = ("discover", "export-pytorch", "optimize-onnx", "benchmark", "--iterations", "20")
CNN = """
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 8, 3, 2, 1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
    torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 4),
).eval()
net(torch.rand(1, 3, 32, 32))
"""
BERT = """
import torch, transformers
torch.manual_seed(0)
config = transformers.BertConfig(
    hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128
)
model = transformers.BertModel(config).eval()
model(
    input_ids=torch.randint(0, config.vocab_size, (1, 24)),
    attention_mask=torch.ones(1, 24, dtype=torch.long),
)
"""


@pytest.fixture(scope="module", autouse=True)
def everything_is_installed():
    for name in NEEDED:
        try:
            metadata.version(f"turnkeyml-plugin-{name}")
        except metadata.PackageNotFoundError:
            pytest.skip(f"turnkeyml-plugin-{name} is not installed.")


def turnkey(folder, *words):
    command = [sys.executable, "-c", "from turnkeyml.cli.main import main; main()", *words]
    environment = {**os.environ, "TURNKEY_CACHE_DIR": str(folder / "cache")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def stats_of(folder):
    (path,) = folder.glob("cache/*/turnkey_stats.yaml")
    return yaml.safe_load(path.read_text())


def parity_of(stats):
    return {s["tool"]: s["parity"] for s in stats["steps"].values() if "parity" in s}


@pytest.fixture(scope="module")
def cnn(tmp_path_factory):
    """A folder with the script, and the cache of a chain that was run on it."""
    folder = tmp_path_factory.mktemp("cnn")
    (folder / "cnn.py").write_text(CNN)
    done = turnkey(folder, "-i", "cnn.py", *CHAIN, "--runtime", "openvino")
    assert done.returncode == 0, done.stderr
    assert "(openvino v20" in done.stdout
    return folder


def test_cnn_is_measured_and_agrees_with_eager(cnn):
    stats = stats_of(cnn)
    (result, *_) = stats["results"].values()
    assert (result["runtime"], result["iterations"]) == ("openvino", 20)
    assert result["load_ms"] > result["facts"]["compile_ms"] > 0
    parities = parity_of(stats)
    for tool in ("export-pytorch", "optimize-onnx"):
        assert (parities[tool]["runtime"], parities[tool]["status"]) == ("openvino", "ok")
        assert parities[tool]["max_abs"] < 1e-5


def test_several_runtimes_of_one_command_take_the_arguments_that_are_theirs(cnn):
    words = ("--rt-args", "threads::1", "openvino.num_streams::1", "ort.io_binding")
    done = turnkey(cnn, "-i", "cnn.py", *CHAIN, "--runtime", "ort,openvino", *words)
    assert done.returncode == 0, done.stderr
    results = list(stats_of(cnn)["results"].values())[-2:]
    assert [result["runtime"] for result in results] == ["ort", "openvino"]
    assert results[-1]["facts"]["inference_num_threads"] == 1
    assert results[-1]["facts"]["num_streams"] == 1


def test_model_in_float16_agrees_with_eager_also_where_it_is_kept_compiled(cnn):
    words = ("discover", "export-pytorch", "convert-fp16", "benchmark", "--runtime", "openvino")
    done = turnkey(cnn, "-i", "cnn.py", *words, "--iterations", "20", "--rt-args", "model_cache")
    assert done.returncode == 0, done.stderr
    parity = parity_of(stats_of(cnn))["convert-fp16"]
    assert (parity["runtime"], parity["status"]) == ("openvino", "ok")
    (kept,) = cnn.glob("cache/*/benchmark/openvino/cache/*")
    assert kept.suffix == ".blob"


@pytest.mark.slow
def test_default_sequence_is_put_in_and_bert_agrees_with_eager(tmp_path):
    pytest.importorskip("transformers")
    (tmp_path / "bert.py").write_text(BERT)
    done = turnkey(tmp_path, "bert.py", "--runtime", "openvino", "--iterations", "20")
    assert done.returncode == 0, done.stderr
    stats = stats_of(tmp_path)
    tools = [step["tool"] for step in stats["steps"].values()]
    assert tools == ["discover", "export-pytorch", "optimize-onnx", "benchmark"]
    parity = parity_of(stats)["optimize-onnx"]
    assert (parity["runtime"], parity["status"], parity["outputs"]) == ("openvino", "ok", 2)
    assert parity["max_abs"] < 2e-5


def test_model_that_openvino_cannot_take_fails_with_a_sentence(tmp_path):
    from onnx import TensorProto, helper, save

    node = helper.make_node("Nonsense", ["x"], ["y"], domain="com.example")
    tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in ("x", "y")]
    graph = helper.make_graph([node], "g", tensors[:1], tensors[1:])
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.example", 1)]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=10), tmp_path / "model.onnx")
    done = turnkey(tmp_path, "-i", "model.onnx", "load-onnx", "benchmark", "--runtime", "openvino")
    assert done.returncode == 1
    shown = " ".join((done.stdout + done.stderr).split())
    assert "it does not know the operators com.example.Nonsense." in shown
    assert "Traceback" not in shown
