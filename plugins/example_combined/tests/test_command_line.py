"""The plugin in a chain, through the command line; skipped where the other plugins are missing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
import yaml

for _module in ("discover", "export_pytorch", "benchmark"):
    pytest.importorskip(f"turnkeyml_plugin_{_module}")

SCRIPT = """
import torch
torch.manual_seed(0)
torch.nn.Linear(4, 3)(torch.ones(4))
"""


@pytest.fixture(scope="module")
def turnkey(tmp_path_factory):
    """Runs the command in a folder and with a cache that the tests of this module share."""
    folder = tmp_path_factory.mktemp("chain")
    (folder / "script.py").write_text(SCRIPT)

    def run(*words):
        return subprocess.run(
            [sys.executable, "-c", "from turnkeyml.cli.main import main; main()", *words],
            cwd=folder,
            env={**os.environ, "TURNKEY_CACHE_DIR": str(folder / "cache")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )

    run.folder = folder
    return run


DEVICE = ("--runtime", "example-rt", "--device", "example_family::part1::config2")
ARGS = ("--rt-args", "delay_before_benchmarking::0.1", "tags::[a,b]", "verbose")


def test_whole_chain_shows_device_and_stats_and_keeps_them(turnkey):
    tools = ["discover", "export-pytorch", "example-tool", "--top", "2", "benchmark"]
    done = turnkey("-i", "script.py", *tools, *DEVICE, *ARGS, "--iterations", "7")
    assert done.returncode == 0, done.stderr
    assert "Successfully benchmarked on Example Device (example-rt v1.0)" in done.stdout
    assert re.search(r"custom_stat_1: +\d+ bytes\n", done.stdout)
    assert re.search(r"custom_stat_2: +a b\n", done.stdout)
    assert "unverified" in done.stdout
    (build,) = [p for p in (turnkey.folder / "cache").glob("script_*") if p.is_dir()]
    (result,) = yaml.safe_load((build / "turnkey_stats.yaml").read_text())["results"].values()
    assert result["device"] == "example_family::part1::config2"
    assert result["rt_args"] == list(ARGS[1:])
    assert result["throughput_ips"] == pytest.approx(1000 / result["mean_latency_ms"])
    assert "Waiting for 0.1 s" in (build / "log_benchmark.txt").read_text()
    (summary,) = (build / "example").glob("*.json")
    assert len(json.loads(summary.read_text())["most_common"]) == 2


def test_default_of_the_device_is_its_first_part_and_configuration(turnkey):
    done = turnkey(
        "-i", "script.py", "--dry-run", "discover", "benchmark", *DEVICE[:3], "example_family"
    )
    assert done.returncode == 0, done.stderr
    assert "--device example_family::part1::config1" in done.stdout
    assert "default of benchmark:" in done.stdout


def test_device_alone_takes_the_runtime_that_it_names(turnkey):
    done = turnkey("-i", "script.py", "--dry-run", "discover", "benchmark", *DEVICE[2:])
    assert "--runtime example-rt" in done.stdout


def test_sequence_is_a_command(turnkey):
    done = turnkey("-i", "script.py", "--dry-run", "discover", "example-seq")
    assert done.returncode == 0, done.stderr
    assert re.search(r"example-tool .*--top 3", done.stdout)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--device", "example_family::part1::config3"),
            "has no configuration 'config3'. It has: config1, config2.",
        ),
        (("--device", "example_family::part3"), "has no part 'part3'"),
        (("--rt-args", "delay_before_benchmarking::soon"), "as float, not 'soon'"),
        (("--rt-args", "delay::1"), "has no argument 'delay'"),
    ],
)
def test_wrong_command_is_refused_before_anything_runs(turnkey, words, said):
    done = turnkey("-i", "script.py", "discover", "benchmark", "--runtime", "example-rt", *words)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def test_names_are_in_the_help(turnkey):
    shown = turnkey("-h").stdout
    assert "example-tool  " in shown
    assert "Summarize the bytes of an ONNX file." in shown
    assert "example-seq" in shown
    assert "--top" in turnkey("example-tool", "-h").stdout
