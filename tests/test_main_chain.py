"""The main chain on the scripts of the tutorial and of the self-test."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from turnkeyml.cache import Cache
from turnkeyml.outcomes import Status
from turnkeyml.saved_state import load_state

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "examples/cli/scripts"
CHAIN = ("discover", "export-pytorch", "benchmark", "--iterations", "30")


@pytest.fixture(scope="module")
def tutorial(shared):
    names = ["hello_world.py", "max_depth.py", "multiple_invocations.py", "two_models.py"]
    return shared("-i", *(SCRIPTS / name for name in names), *CHAIN)


def normalised(text: str, cache: Path) -> str:
    """Replace what differs from run to run: paths, hashes, times, numbers, the device."""
    text = text.replace(str(cache), "CACHE").replace(str(SCRIPTS), "SCRIPTS")
    text = re.sub(r"(?<![0-9a-z])[0-9a-f]{8}(?![0-9a-z])", "HASH", text)
    text = re.sub(r" - \d+\.\d\ds\)", " - TIME)", text)
    text = re.sub(r"benchmarked on .* \(ort v[\d.]+\)", "benchmarked on DEVICE (ort VERSION)", text)
    text = re.sub(r"(Mean Latency:|Throughput:)( +)[\d.]+ +", r"\1\2NUMBER ", text)
    # The unit is the one that fits what was measured.
    text = re.sub(r"(Mean Latency: +NUMBER )\w+ \([mu]?s\)", r"\1milliseconds (ms)", text)
    text = re.sub(r"\n +Verdict: .*", "", text)
    return re.sub(r"tensor\([^)]*\)", "tensor(VALUES)", text)


def test_status_of_the_tutorial_scripts_has_the_form_of_the_tutorial(tutorial, shared, golden):
    assert tutorial.returncode == 0, tutorial.stderr
    golden("tutorial.txt", normalised(tutorial.stdout, shared.cache))


def test_output_elsewhere_than_on_a_terminal_has_no_control_codes(tutorial):
    assert "\x1b" not in tutorial.stdout + tutorial.stderr
    assert "\r" not in tutorial.stdout + tutorial.stderr


def test_each_model_and_each_input_shape_has_a_build_of_its_own(tutorial, shared):
    names = sorted(re.sub("_[0-9a-f]{8}$", "", b.name) for b in Cache(shared.cache).builds())
    assert names == [
        "hello_world",
        "max_depth",
        "multiple_invocations",
        "multiple_invocations",
        "two_models",
        "two_models",
    ]


def test_build_directory_has_state_stats_logs_inputs_model_and_samples(tutorial, shared):
    (build,) = [b for b in Cache(shared.cache).builds() if b.name.startswith("hello_world")]
    saved = load_state(build)
    assert saved.status is Status.SUCCESSFUL
    assert [artifact.kind for artifact in saved.artifacts] == ["inputs", "onnx-model"]
    for artifact in saved.artifacts:
        for record in artifact.files:
            assert (build.path / record.path).stat().st_size == record.size
    for tool in ("discover", "export-pytorch", "benchmark"):
        assert build.log_file(tool).exists()
    assert "pytorch_outputs" in build.log_file("discover").read_text()
    stats = yaml.safe_load(build.stats_file.read_text())
    assert [step["tool"] for step in stats["steps"].values()] == [
        "discover",
        "export-pytorch",
        "benchmark",
    ]
    (result,) = stats["results"].values()
    assert (result["runtime"], result["iterations"]) == ("ort", 30)
    samples = json.loads((build.path / result["samples_file"]).read_text())
    assert [len(run["timed_ns"]) for run in samples["runs"]] == [30]


def test_labels_of_the_script_are_kept_and_select(tutorial, shared):
    (build,) = [b for b in Cache(shared.cache).builds() if b.name.startswith("hello_world")]
    content = load_state(build).content
    assert content["labels"] == {"name": ["hello_world"], "test_group": ["a"]}
    chosen = shared(
        "-i", SCRIPTS / "*.py", "--labels", "test_group::b", "name::two_models", "--dry-run",
        "discover",
    )  # fmt: skip
    assert "Plan for 1 .py file:" in chosen.stdout


def test_another_chain_adds_its_results_and_overwrites_none(turnkey):
    script = SCRIPTS / "hello_world.py"
    assert turnkey("-i", script, *CHAIN).returncode == 0
    other = (
        "discover", "export-pytorch", "--opset", "18",
        "benchmark", "--iterations", "20", "benchmark", "--iterations", "10",
    )  # fmt: skip
    assert turnkey("-i", script, *other).returncode == 0
    (build,) = Cache(turnkey.cache).builds()
    stats = yaml.safe_load(build.stats_file.read_text())
    assert sorted(r["iterations"] for r in stats["results"].values()) == [10, 20, 30]
    opsets = {s["opset"] for s in stats["steps"].values() if s["tool"] == "export-pytorch"}
    assert opsets == {18, 20}
    assert build.log_file("benchmark", 2).exists()


def test_one_word_runs_the_default_chain_and_a_hash_selects(turnkey):
    script = SCRIPTS / "two_models.py"
    found = turnkey(script, "--iterations", "10")
    assert found.returncode == 0, found.stderr
    assert "Woohoo! The 'benchmark' command is complete." in found.stdout
    second = re.findall(r"Hash: +([0-9a-f]{8})", found.stdout)[1]
    chosen = turnkey("benchmark", f"{script}::{second}", "--iterations", "10")
    assert chosen.returncode == 0, chosen.stderr
    assert chosen.stdout.count("Hash:") == 2
    assert chosen.stdout.count("Successfully benchmarked") == 1
    wrong = turnkey("-i", f"{script}::0123abcd", "discover")
    assert wrong.returncode == 1
    assert "has no model with the hash 0123abcd.\n  It has: " in wrong.stderr
    assert second in wrong.stderr


@pytest.mark.parametrize("runtime", ["torch-eager", "torch-compiled,torch-eager"])
def test_what_is_only_built_is_built_whatever_is_to_run_it(turnkey, runtime):
    words = ("--build-only", "--dry-run", SCRIPTS / "hello_world.py")
    plain = turnkey(*words)
    assert "export-pytorch" in plain.stdout
    assert turnkey(*words, "--runtime", runtime).stdout == plain.stdout


def test_what_a_later_runtime_needs_is_built_without_the_earlier_benchmark(turnkey):
    words = ("--build-only", "--dry-run", SCRIPTS / "hello_world.py")
    # Whole lines: they say what put a step in.
    steps = [
        re.findall(r"^ +\d .*", turnkey(*words, "--runtime", runtimes).stdout, re.MULTILINE)
        for runtimes in ("ort", "torch-eager,ort")
    ]
    assert "export-pytorch" in str(steps[0])
    assert "put in" in str(steps[0])
    assert steps[0] == steps[1]


def test_models_that_fail_are_named_with_their_log_and_the_others_go_on(turnkey):
    selftest = ROOT / "models/selftest"
    names = ["linear.py", "no_model.py", "not_exportable.py", "twolayer.py"]
    found = turnkey("-i", *(selftest / name for name in names), *CHAIN)
    assert found.returncode == 1
    assert found.stdout.count("Successfully benchmarked") == 2
    assert "Failed in export-pytorch: PyTorch's ONNX exporter cannot export" in found.stdout
    assert "1 model failed, 2 went well, 1 input broke" in found.stderr
    assert "The script calls no PyTorch model" in found.stderr
    logs = re.findall(r"log: (\S+)", found.stderr)
    assert len(logs) == 2
    assert all(Path(log).exists() for log in logs)
    assert "Traceback" not in found.stdout + found.stderr


def test_two_scripts_of_one_name_keep_their_builds_apart(turnkey):
    text = (ROOT / "models/selftest/linear.py").read_text()
    for folder in ("a", "b"):
        (turnkey.folder / folder).mkdir()
        (turnkey.folder / folder / "same.py").write_text(text)
    assert turnkey("-i", "a/same.py", "b/same.py", "discover").returncode == 0
    states = [load_state(build) for build in Cache(turnkey.cache).builds()]
    assert {Path(state.content["input"]).parent.name for state in states} == {"a", "b"}


@pytest.mark.slow
def test_bert_goes_from_its_script_to_a_latency(turnkey):
    script = ROOT / "models/transformers/bert.py"
    found = turnkey(
        "-i", script, "discover", "--script-args", "--batch_size 2 --max_seq_length 32",
        "export-pytorch", "benchmark", "--runtime", "ort", "--iterations", "20",
        env={"HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert "'input_ids': (2, 32), 'attention_mask': (2, 32)" in found.stdout
    assert "Parameters:     109,482,240 (417.6 MB)" in found.stdout
    (build,) = Cache(turnkey.cache).builds()
    data = [r for a in load_state(build).artifacts for r in a.files if r.path.endswith(".data")]
    assert data[0].size > 400e6
