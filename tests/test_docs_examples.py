"""Every example runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
SCRIPTS = EXAMPLES / "cli/scripts"
WORKFLOW = EXAMPLES / "ci/benchmark.yml"
NOTEBOOKS = sorted(EXAMPLES.glob("notebooks/*.ipynb"))
MODEL = "import torch\ntorch.manual_seed(0)\ntorch.nn.Linear(8, 8).eval()(torch.rand(1, 8))\n"


def run(folder: Path, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program with a cache and a home of its own."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": programs, "HOME": str(folder), "TURNKEY_CACHE_DIR": str(folder / "cache")}
    return subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env={**os.environ, **own, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )


def lines_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_every_example_is_listed():
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    examples = [
        path.relative_to(EXAMPLES).as_posix()
        for path in EXAMPLES.rglob("*")
        if path.suffix in (".sh", ".py", ".ipynb", ".yml") and path.parent != SCRIPTS
    ]
    assert [name for name in examples if f"({name})" not in listed] == []


def test_model_made_by_a_script_is_measured_with_two_runtimes(tmp_path):
    lines = lines_of(run(tmp_path, sys.executable, EXAMPLES / "api/benchmark_a_model.py"))
    assert [line.split()[0] for line in lines] == ["ort", "torch-eager"]
    assert all(float(line.split()[1]) > 0 for line in lines)


@pytest.mark.slow
def test_own_sequence_makes_three_files(tmp_path):
    lines = lines_of(run(tmp_path, sys.executable, EXAMPLES / "api/own_sequence.py"))
    made = [line.split()[1].rpartition("-")[0] for line in lines if line.startswith("onnx-model")]
    assert made == ["export-pytorch", "optimize-onnx", "convert-fp16"]
    assert Path(lines[-1]).is_file()


@pytest.mark.slow
def test_results_are_data_and_failures_are_told(tmp_path):
    script = tmp_path / "no_model.py"
    script.write_text("print('nothing')\n")
    files = [SCRIPTS / "hello_world.py", script]
    done = run(tmp_path, sys.executable, EXAMPLES / "api/results_as_data.py", *files)
    assert done.returncode == 1, done.stderr
    assert "hello_world_" in done.stdout
    assert "calls no PyTorch model" in done.stdout


@pytest.mark.slow
def test_folder_is_benchmarked_and_reported(tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "one.py").write_text(MODEL)
    done = run(tmp_path, "bash", EXAMPLES / "cli/benchmark_folder.sh", scripts, "reports")
    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = (tmp_path / "reports").glob("*.csv")
    assert ",one," in report.read_text() or "one," in report.read_text()
    (scripts / "two.py").write_text("1 / 0\n")
    done = run(tmp_path, "bash", EXAMPLES / "cli/benchmark_folder.sh", scripts, "reports")
    assert done.returncode == 1
    assert "ZeroDivisionError" in report.read_text()


@pytest.mark.slow
def test_two_versions_of_a_model_are_compared(tmp_path):
    (tmp_path / "before.py").write_text(MODEL)
    (tmp_path / "after.py").write_text(MODEL.replace("8, 8", "8, 16"))
    script = EXAMPLES / "cli/compare_versions.sh"
    done = run(tmp_path, "bash", script, "before.py", "after.py")
    last = lines_of(done)[-1]
    assert "threshold 5%" in last, done.stdout
    assert "missing" not in done.stdout


def test_notebooks_hold_no_outputs():
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert code
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_runs(path, tmp_path):
    pytest.importorskip("nbclient", reason="pip install nbclient ipykernel")
    pytest.importorskip("ipykernel", reason="pip install nbclient ipykernel")
    code = (
        "import sys, nbformat, nbclient\n"
        "book = nbformat.read(sys.argv[1], as_version=4)\n"
        "nbclient.NotebookClient(book, timeout=300, kernel_name='python3').execute()\n"
        "for cell in book.cells:\n"
        "    for output in cell.get('outputs', ()):\n"
        "        print(output.get('text') or output.get('data', {}).get('text/plain'))\n"
    )
    done = run(tmp_path, sys.executable, "-c", code, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "median between" in done.stdout


def test_workflow_is_one_and_uses_commands_and_options_that_exist():
    content = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    # YAML reads the key `on` as a truth value.
    assert True in content
    (job,) = content["jobs"].values()
    assert all("uses" in step or "run" in step for step in job["steps"])
    commands = "\n".join(step["run"] for step in job["steps"] if "run" in step)
    assert "${{" not in commands, "what others write must not become a part of a shell command"


@pytest.mark.slow
def test_steps_of_the_workflow_run(tmp_path):
    for side in ("main", "branch"):
        (tmp_path / side / "models").mkdir(parents=True)
        (tmp_path / side / "models/net.py").write_text(MODEL)
    (job,) = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"].values()
    summary = tmp_path / "summary.md"
    for step in job["steps"]:
        if "run" in step:
            words = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
            done = run(tmp_path, *words, GITHUB_STEP_SUMMARY=str(summary))
            # Two equal sides: slower would be a false alarm.
            assert done.returncode == 0, done.stdout + done.stderr
    assert "net" in summary.read_text()
