"""What the package registers."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

from turnkeyml.errors import BuildError
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import Provider
from turnkeyml.rt_args import convert_rt_args, parse_rt_args
from turnkeyml.runtime import BaseRT, returns_outputs
from turnkeyml_plugin_torchrt import requirements
from turnkeyml_plugin_torchrt.compiled import TorchCompiled
from turnkeyml_plugin_torchrt.plugin import implements

HEAVY = ("torch", "numpy", "onnxruntime", "onnx")


@pytest.fixture
def records():
    provider = Provider("turnkeyml-plugin-torchrt", "0", "torchrt", "plugin")
    return {record.name: record for record in read_mapping(provider, implements).runtimes}


def test_both_runtimes_take_the_live_model_on_processors_and_nvidia(records):
    assert list(records) == ["torch-eager", "torch-compiled"]
    for record in records.values():
        assert record.consumes == "pytorch-model"
        assert list(record.devices) == ["x86", "arm", "nvidia"]
        assert record.environment == {"OMP_WAIT_POLICY": "passive"}
        assert returns_outputs(record.ref.load_class(BaseRT))
    assert records["torch-compiled"].status_stats == ("compile_ms",)


def test_runtime_classes_import_nothing_heavy():
    code = (
        "import sys, turnkeyml_plugin_torchrt.runtime, turnkeyml_plugin_torchrt.compiled,"
        "turnkeyml_plugin_torchrt.requirements;"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_requirement_check_passes_here_and_imports_nothing_heavy():
    code = (
        "import sys; from turnkeyml_plugin_torchrt.requirements import check_torch; check_torch();"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_missing_pytorch_is_one_sentence_with_advice(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(BuildError, match="PyTorch is not installed") as caught:
        requirements.check_torch()
    assert "pytorch.org" in caught.value.hint


@pytest.mark.parametrize("version", ["2.4.1", "1.13.0+cu117", "0.4"])
def test_old_pytorch_is_refused(monkeypatch, version):
    monkeypatch.setattr(metadata, "version", lambda name: version)
    with pytest.raises(BuildError, match=r"these runtimes need 2\.5 or newer"):
        requirements.check_torch()


@pytest.mark.parametrize("version", ["2.5", "2.10.0a0+git1", "3.0"])
def test_new_pytorch_is_taken(monkeypatch, version):
    monkeypatch.setattr(metadata, "version", lambda name: version)
    requirements.check_torch()


def test_runtime_arguments_are_converted_by_their_annotations():
    words = ["dtype::bfloat16", "threads::2", "backend::eager", "dynamic::false", "fullgraph"]
    assert convert_rt_args("torch-compiled", TorchCompiled, parse_rt_args(words)) == {
        "dtype": "bfloat16",
        "threads": 2,
        "backend": "eager",
        "dynamic": False,
        "fullgraph": True,
    }
