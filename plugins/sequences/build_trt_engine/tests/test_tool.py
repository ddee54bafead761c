"""What is settled and refused before anything is built, and what a user sees."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from turnkeyml.errors import BuildError, PlanError
from turnkeyml.options import argv_from_options, json_from_options, options_from_json
from turnkeyml_plugin_build_trt_engine.captured import captured_inputs
from turnkeyml_plugin_build_trt_engine.libraries import TENSORRT, TENSORRT_RTX
from turnkeyml_plugin_build_trt_engine.tool import BuildTrtEngine, BuildTrtEngineOptions

needs_rtx = pytest.mark.skipif(
    TENSORRT_RTX.version() is None, reason="tensorrt-rtx is not installed"
)
needs_chain = pytest.mark.skipif(
    not all(find_spec(f"turnkeyml_plugin_{name}") for name in ("discover", "export_pytorch")),
    reason="the packages that make an ONNX file of a script are not installed",
)


def turnkey(folder, *words):
    return subprocess.run(
        [sys.executable, "-c", "from turnkeyml.cli.main import main; main()", *words],
        cwd=folder,
        env={**os.environ, "TURNKEY_CACHE_DIR": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=200,
    )


@needs_rtx
def test_library_is_settled_and_spellings_become_one(linear):
    build = linear()
    one = build.resolved(
        library="tensorrt-rtx", profile=("x=4",), compute_capability=("12.0", "8.6", "8.6")
    )
    assert one.library == "tensorrt-rtx"
    assert one.profile == ("x=4,4,4",)
    assert one.compute_capability == ("8.6", "12.0")
    assert one.gpu is None


@needs_rtx
def test_resolved_options_survive_json_and_resolving_again(linear):
    build = linear()
    one = build.resolved(library="tensorrt-rtx", profile=("x=1,2,3", "x=4"), tf32=False)
    again = options_from_json(BuildTrtEngineOptions, json_from_options(one))
    assert again == one
    assert build.resolved(**json_from_options(one)) == one
    assert "--no-tf32" in argv_from_options(one)


@needs_rtx
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gpu": "NVIDIA H200"}, "--gpu is for tensorrt; tensorrt-rtx builds for kinds of GPUs"),
        ({"optimization_level": 3}, "--optimization-level is for tensorrt; tensorrt-rtx builds"),
        ({"compute_capability": ("86",)}, "takes numbers such as 8.6, not '86'"),
        ({"compute_capability": ("8.x",)}, "takes numbers such as 8.6, not '8.x'"),
        ({"profile": ("x",)}, "--profile takes NAME=MIN,OPT,MAX"),
    ],
)
def test_options_that_cannot_work_are_refused_in_the_plan(linear, options, message):
    with pytest.raises(PlanError, match=re.escape(message)):
        linear().resolved(library="tensorrt-rtx", **options)


def test_key_has_every_distribution_that_a_library_may_come_from():
    assert set(BuildTrtEngine.libraries) == {*TENSORRT.distributions, *TENSORRT_RTX.distributions}
    assert BuildTrtEngine.reads == ("inputs",)


def test_small_integer_inputs_are_described_with_their_values(linear):
    build = linear(
        captured={
            "x": np.ones((4, 10), np.float32),
            "n": np.array(7),
            "s": np.array([3, -1], np.int32),
            "ids": np.zeros((1, 8), np.int64),
            "long": np.zeros(65, np.int64),
        }
    )
    found = captured_inputs(build.state, build.state.artifacts[-1])
    assert found["x"] == {"shape": [4, 10], "dtype": "float32"}
    assert found["n"] == {"shape": [], "dtype": "int64", "values": [7]}
    assert found["s"] == {"shape": [2], "dtype": "int32", "values": [3, -1]}
    assert "values" not in found["ids"]
    assert "values" not in found["long"]


def test_captured_inputs_that_are_damaged_are_one_sentence(linear):
    build = linear()
    (build.state.build.path / "inputs/inputs.json").write_text("{}")
    with pytest.raises(BuildError, match="The captured inputs of .* cannot be read"):
        captured_inputs(build.state, build.state.artifacts[-1])


def test_inputs_outside_the_build_directory_are_not_read(build):
    path = build.folder / "m.onnx"
    path.touch()
    build.give(path, {}, inputs_folder="../elsewhere", inputs={"x": "x"})
    with pytest.raises(BuildError, match="does not stay inside the build directory"):
        captured_inputs(build.state, build.state.artifacts[-1])


def test_model_that_comes_without_inputs_has_none(build):
    path = build.folder / "m.onnx"
    path.touch()
    build.give(path, {}, inputs_folder=None)
    assert captured_inputs(build.state, build.state.artifacts[-1]) == {}


def test_help_names_every_option_and_both_libraries(tmp_path):
    done = turnkey(tmp_path, "trt-engine", "-h")
    assert done.returncode == 0, done.stderr
    for word in ("--profile NAME=MIN,OPT,MAX", "--compute-capability", "--no-tf32", "tensorrt-rtx"):
        assert word in done.stdout


SCRIPT = """
import torch

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.layer(x)

torch.manual_seed(0)
Model().eval()(torch.ones(3, 4))
"""


@needs_rtx
@needs_chain
def test_whole_chain_leaves_an_engine_and_the_same_chain_uses_it_again(tmp_path):
    (tmp_path / "model.py").write_text(SCRIPT)
    chain = [
        "-i",
        "model.py",
        "discover",
        "export-pytorch",
        "trt-engine",
        "--library",
        "tensorrt-rtx",
    ]
    done = turnkey(tmp_path, *chain)
    assert done.returncode == 0, done.stdout + done.stderr
    (engine,) = (tmp_path / "cache").glob("model_*/engines/*.engine")
    made = engine.stat().st_mtime_ns
    again = turnkey(tmp_path, *chain)
    assert again.returncode == 0, again.stdout + again.stderr
    assert engine.stat().st_mtime_ns == made
    other = turnkey(tmp_path, *chain, "--no-tf32")
    assert other.returncode == 0, other.stdout + other.stderr
    assert len(list((tmp_path / "cache").glob("model_*/engines/*.engine"))) == 2


@needs_rtx
@needs_chain
def test_wrong_profile_ends_before_the_script_is_run(tmp_path):
    (tmp_path / "model.py").write_text("open('was_run', 'w')")
    chain = ["-i", "model.py", "discover", "export-pytorch", "trt-engine", "--profile", "x"]
    done = turnkey(tmp_path, *chain)
    assert done.returncode == 2
    assert "--profile takes NAME=MIN,OPT,MAX" in done.stdout + done.stderr
    assert not (tmp_path / "was_run").exists()
