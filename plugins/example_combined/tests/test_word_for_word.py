"""A package written as the guide for contributors says it, word for word, installed from a wheel.

Form 2 has `_execute` with `mean_latency` and `throughput`, form 3 its own `benchmark`. Both take
the guide's runtime arguments: ``--rt-args arg1::value1 arg2::[value2,value3] flag_arg``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import yaml

pytest.importorskip("hatchling")
for _module in ("discover", "export_pytorch", "benchmark"):
    pytest.importorskip(f"turnkeyml_plugin_{_module}")

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "turnkeyml-plugin-word-for-word"
version = "1.0"
dependencies = ["turnkeyml-core"]

[project.entry-points."turnkeyml.plugins"]
word_for_word = "turnkeyml_plugin_word_for_word"
"""

# "This dictionary has keys for each type of plugin that will be installed by this package."
INIT = """
from turnkeyml.sequence import Sequence

from .runtime import ExampleRT, OverloadedRT, check
from .tools import ToolClass1

implements = {
  "runtimes": {
    "runtime_1_name" : {
      "build_required": True,
      "docker_required": False,
      "RuntimeClass": ExampleRT,
      "devices": ["x86", "arm"],
      "default_sequence": Sequence("export-pytorch"),
      "status_stats": ["custom_stat_1", "custom_stat_2"],
      "requirement_check": check,
    },
    "runtime_2_name" : {
      "build_required": False,
      "RuntimeClass": OverloadedRT,
      "supported_devices": {"x86", "arm"},
    },
    "runtime_3_name" : {
      "build_required": True,
      "RuntimeClass": ExampleRT,
      "supported_devices": {"family1":{"part1":["config1","config2"]}},
    },
  },
  "tools": [ToolClass1]
}
"""

TOOLS = '''
from turnkeyml.errors import BuildError
from turnkeyml.tool import Tool


class ToolClass1(Tool):
    """Pass an ONNX file on."""

    name = "tool-class-1"
    consumes = ("onnx-model",)

    def run(self, state, options):
        if not state.input_file().read_bytes().startswith(b"\\x08"):
            raise BuildError("That is no ONNX file.")
        return state
'''

RUNTIME = """
import json
import os
import time

from turnkeyml.runtime import BaseRT, MeasuredPerformance


def check():
    with open(os.environ["WORD_FOR_WORD"], "a") as file:
        file.write("checked\\n")


class ExampleRT(BaseRT):
    def __init__(
        self,
        cache_dir,
        build_name,
        stats,
        iterations,
        device_type,
        runtime,
        model=None,
        inputs=None,
        arg1="default",
        arg2=None,
        flag_arg=False,
    ):
        self.arg1, self.arg2, self.flag_arg = arg1, arg2, flag_arg
        super().__init__(
            cache_dir=cache_dir,
            build_name=build_name,
            stats=stats,
            iterations=iterations,
            device_type=device_type,
            runtime=runtime,
            model=model,
            inputs=inputs,
        )

    def _setup(self):
        self.times = []

    def _execute(self, output_dir, onnx_file, outputs_file, iterations):
        assert os.path.isdir(output_dir)
        with open(onnx_file, "rb") as file:
            if file.read(1) != b"\\x08":
                raise ValueError("no ONNX file")
        for _ in range(iterations):
            start = time.perf_counter()
            time.sleep(0.002)
            self.times.append(time.perf_counter() - start)
        with open(outputs_file, "w") as file:
            json.dump(self.times, file)
        self.outputs_file = outputs_file
        self.stats.save_model_eval_stat("custom_stat_1", f"{self.arg1} {self.arg2}")
        self.stats.save_model_eval_stat("custom_stat_2", self.flag_arg)

    def _mean_seconds(self):
        with open(self.outputs_file) as file:
            times = json.load(file)
        return sum(times) / len(times)

    def mean_latency(self):
        return self._mean_seconds() * 1000

    def throughput(self):
        return 1 / self._mean_seconds()

    def device_name(self):
        return "AMD Ryzen 7 PRO 6850U with Radeon Graphics"


class OverloadedRT(BaseRT):
    def __init__(self, *args, arg1=None, arg2=None, flag_arg=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.arguments = [arg1, arg2, flag_arg]

    def _setup(self):
        self.stats.save_model_eval_stat("arguments", self.arguments)

    def benchmark(self):
        times = []
        for _ in range(self.iterations):
            start = time.perf_counter()
            self.model(**self.inputs)
            times.append(time.perf_counter() - start)
        mean = sum(times) / len(times)
        return MeasuredPerformance(
            mean_latency=1000 * mean,
            throughput=1 / mean,
            device=self.device_name(),
            device_type=self.device_type,
            runtime=self.runtime,
            runtime_version="0.0.0",
            build_name=self.build_name,
        )

    def device_name(self):
        return "Example Device"
"""

RT_ARGS = ["--rt-args", "arg1::value1", "arg2::[value2,value3]", "flag_arg"]
SCRIPT = "import torch\ntorch.nn.Linear(4, 3)(torch.ones(4))\n"


@pytest.fixture(scope="module")
def turnkey(tmp_path_factory):
    """Install the wheel into a folder of its own, and give the command that finds it there."""
    folder = tmp_path_factory.mktemp("word")
    source = folder / "package"
    package = source / "src/turnkeyml_plugin_word_for_word"
    package.mkdir(parents=True)
    (source / "pyproject.toml").write_text(PYPROJECT)
    for name, text in {"__init__": INIT, "runtime": RUNTIME, "tools": TOOLS}.items():
        (package / f"{name}.py").write_text(text)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist"]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"]
    (wheel,) = (folder / "dist").glob("*.whl")
    install = [*pip, "--no-index", "--target", folder / "site", wheel]
    subprocess.run(install, check=True, capture_output=True)
    (folder / "script.py").write_text(SCRIPT)

    def run(*words):
        return subprocess.run(
            [sys.executable, "-c", "from turnkeyml.cli.main import main; main()", *words],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(folder / "site"),
                "TURNKEY_CACHE_DIR": str(folder / "cache"),
                "WORD_FOR_WORD": str(folder / "checked.txt"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )

    run.folder = folder
    return run


def result_of(turnkey, runtime):
    (build,) = [p for p in (turnkey.folder / "cache").glob("script_*") if p.is_dir()]
    results = yaml.safe_load((build / "turnkey_stats.yaml").read_text())["results"].values()
    (found,) = [result for result in results if result["runtime"] == runtime]
    return found


def test_second_form_with_arguments_stats_and_check(turnkey):
    words = ["--runtime", "runtime_1_name", "--iterations", "5", *RT_ARGS]
    done = turnkey("-i", "script.py", "discover", "tool-class-1", "benchmark", *words)
    assert done.returncode == 2
    assert "Put export-pytorch before it" in " ".join(done.stderr.split())
    chain = ["discover", "export-pytorch", "tool-class-1", "benchmark"]
    done = turnkey("-i", "script.py", *chain, *words)
    assert done.returncode == 0, done.stderr
    assert "benchmarked on AMD Ryzen 7 PRO 6850U with Radeon Graphics" in done.stdout
    assert re.search(r"custom_stat_1: +value1 \['value2', 'value3'\]\n", done.stdout)
    assert re.search(r"custom_stat_2: +True\n", done.stdout)
    result = result_of(turnkey, "runtime_1_name")
    assert 2.0 <= result["mean_latency_ms"] < 100
    assert result["throughput_ips"] == pytest.approx(1000 / result["mean_latency_ms"])
    assert (turnkey.folder / "checked.txt").read_text() == "checked\n"


def test_third_form_measures_the_pytorch_model_itself(turnkey):
    words = ["--runtime", "runtime_2_name", "--iterations", "5", *RT_ARGS]
    done = turnkey("-i", "script.py", "discover", "benchmark", *words)
    assert done.returncode == 0, done.stderr
    assert "benchmarked on Example Device (runtime_2_name v0.0.0)" in done.stdout
    result = result_of(turnkey, "runtime_2_name")
    assert result["arguments"] == ["value1", ["value2", "value3"], True]
    assert result["mean_latency_ms"] > 0


def test_default_sequence_that_is_an_instance_is_put_in(turnkey):
    words = ["discover", "benchmark", "--runtime", "runtime_1_name"]
    done = turnkey("-i", "script.py", "--dry-run", *words)
    assert done.returncode == 0, done.stderr
    assert re.search(r"export-pytorch .*put in: default of benchmark", done.stdout)


def test_family_of_the_guides_example_is_a_device(turnkey):
    words = ["discover", "export-pytorch", "benchmark", "--runtime", "runtime_3_name", "--device"]
    done = turnkey("-i", "script.py", "--dry-run", *words, "family1")
    assert "--device family1::part1::config1" in done.stdout
    done = turnkey("-i", "script.py", "--dry-run", *words, "family2")
    assert done.returncode == 2


def test_argument_that_the_runtime_does_not_take_is_refused(turnkey):
    words = ["--runtime", "runtime_1_name", "--rt-args", "arg3::1"]
    done = turnkey("-i", "script.py", "discover", "benchmark", *words)
    assert done.returncode == 2
    assert "It takes: arg1, arg2, flag_arg." in " ".join(done.stderr.split())


def test_conformance_kit_finds_nothing_wrong_with_it(turnkey):
    done = turnkey("plugins", "check", "turnkeyml-plugin-word-for-word")
    wrong = [line for line in done.stdout.splitlines() if line.startswith("  FAILED")]
    assert wrong == [], done.stdout
    assert done.returncode == 0
