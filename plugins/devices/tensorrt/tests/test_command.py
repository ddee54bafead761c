"""The runtime through the command line, with engines that tensorrt-rtx really builds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from turnkeyml.testing.tiny_model import tiny_onnx
from turnkeyml_plugin_tensorrt.requirements import TENSORRT, TENSORRT_RTX

from .conftest import SITE, engine_of
from .test_gpu import without_driver

pytestmark = [
    pytest.mark.skipif(TENSORRT_RTX.version() is None, reason="tensorrt-rtx is not installed"),
    pytest.mark.skipif(TENSORRT.version() is not None, reason="these tests are of tensorrt-rtx"),
]
CHAIN = ("load-onnx", "build-trt-engine", "benchmark", "--runtime", "trt", "--device", "nvidia")


@pytest.fixture
def turnkey(tmp_path):
    """Runs the command on a small ONNX file, in a cache of its own."""
    (tmp_path / "tiny.onnx").write_bytes(tiny_onnx())

    def run(*words, **environment):
        return subprocess.run(
            [sys.executable, "-c", "from turnkeyml.cli.main import main; main()",
             "-i", "tiny.onnx", *words],
            cwd=tmp_path,
            env={**os.environ, "TURNKEY_CACHE_DIR": str(tmp_path / "cache"), **environment},
            capture_output=True,
            text=True,
            timeout=200,
        )  # fmt: skip

    return run


@pytest.mark.skipif(not without_driver(), reason="this machine has NVIDIA's driver")
def test_machine_without_a_driver_builds_the_engine_and_says_that_it_has_no_gpu(turnkey, tmp_path):
    done = turnkey(*CHAIN)
    shown = done.stdout + done.stderr
    assert done.returncode == 1, shown
    assert "no nvidia device" in shown
    assert "Traceback" not in shown
    assert len(list((tmp_path / "cache").glob("*/engines/*.engine"))) == 1


def test_runtime_is_refused_on_another_device_before_anything_runs(turnkey, tmp_path):
    done = turnkey(*CHAIN[:-1], "x86")
    assert done.returncode == 2
    assert "The runtime 'trt' does not support the device 'x86'" in done.stdout + done.stderr
    assert not list((tmp_path / "cache").glob("*/engines"))


def test_engine_that_was_built_is_benchmarked_on_the_stand_ins(turnkey, tmp_path):
    described = tmp_path / "engine.json"
    described.write_bytes(engine_of()[4:])
    # Built for real; the engine is used again by the command that has the stand-ins.
    assert turnkey(*CHAIN[:2]).returncode == 0
    done = turnkey(
        *CHAIN,
        "--rt-args",
        "cuda_graph",
        "--iterations",
        "20",
        PYTHONPATH=str(SITE),
        FAKE_ENGINE=str(described),
    )
    shown = done.stdout + done.stderr
    assert done.returncode == 0, shown
    version = TENSORRT_RTX.version()
    assert f"Fake GPU 0 (trt v{version} of TensorRT-RTX)" in shown
    assert "compute_ms:" in shown
    (stats,) = (tmp_path / "cache").glob("*/turnkey_stats.yaml")
    (result,) = yaml.safe_load(stats.read_text("utf-8"))["results"].values()
    assert result["iterations"] == 20
    assert result["compute_ms"] == 1.0
    assert result["device_while_timed"]["mean_power_w"] == 300.0
    assert result["device_state_before"]["driver_version"] == "580.159.03"
    samples = json.loads((stats.parent / result["samples_file"]).read_text("utf-8"))
    assert len(samples["runs"][0]["timed_ns"]) == 20


def test_engine_of_another_version_is_one_sentence(turnkey, tmp_path):
    assert turnkey(*CHAIN[:2]).returncode == 0
    described = tmp_path / "engine.json"
    described.write_bytes(engine_of(version=TENSORRT_RTX.version())[4:])
    (state,) = (tmp_path / "cache").glob("*/*_state.yaml")
    done = subprocess.run(
        [sys.executable, "-c", "from turnkeyml.cli.main import main; main()",
         "-i", str(state), "load-build", *CHAIN[2:]],
        cwd=tmp_path,
        env={
            **os.environ,
            "TURNKEY_CACHE_DIR": str(tmp_path / "cache"),
            "PYTHONPATH": str(SITE),
            "FAKE_ENGINE": str(described),
            "FAKE_TRT_VERSION": "1.8.0.1",
        },
        capture_output=True,
        text=True,
        timeout=200,
    )  # fmt: skip
    shown = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1, shown
    built = f"was built with TensorRT-RTX {TENSORRT_RTX.version()}"
    assert built in shown
    assert "and TensorRT-RTX 1.8.0.1, which is installed, does not take it." in shown
    assert Path(state).exists()
