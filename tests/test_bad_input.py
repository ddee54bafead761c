"""Users' mistakes: one clear sentence, what to do, the right exit code, no traceback of ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

LINEAR = Path(__file__).resolve().parent.parent / "models/selftest/linear.py"

BEFORE_RUNNING = {
    "no file": (
        ["-i", "nowhere.py", "discover"],
        "There is no file 'nowhere.py'.",
    ),
    "a file that is nearly there": (
        ["-i", "goood.py", "discover"],
        "Did you mean 'good.py'?",
    ),
    "a directory": (
        ["-i", "folder", "discover"],
        "folder is a directory.\n  Give the files in it, for example folder/*.py",
    ),
    "a wrong suffix": (
        ["-i", "notes.md", "discover"],
        "Files with the suffix '.md' are taken by no installed tool.\n"
        "  Give files with one of: .yaml, .py, .onnx",
    ),
    "a wrong suffix in one word": (
        ["notes.md"],
        "Files with the suffix '.md' are taken by no installed tool.",
    ),
    "an unknown tool": (
        ["-i", "good.py", "discover", "export"],
        "There is no tool 'export'.",
    ),
    "a mistyped tool": (
        ["-i", "good.py", "discover", "export-pytroch"],
        "There is no tool 'export-pytroch'.\n  Did you mean 'export-pytorch'?",
    ),
    "a mistyped first tool": (
        ["-i", "good.py", "dicsover", "export-pytorch"],
        "There is no file 'dicsover'.\n  Did you mean the tool 'discover'?",
    ),
    "no tool": (
        ["-i", "good.py"],
        "No tool is given.",
    ),
    "no input": (
        ["discover", "export-pytorch"],
        "No input is given.\n  Name files with -i FILE...",
    ),
    "tools in the wrong order": (
        ["-i", "good.py", "discover", "benchmark", "export-pytorch"],
        "Step 2, benchmark, takes onnx-model, but the steps before it give pytorch-model.\n"
        "  Put export-pytorch before benchmark.",
    ),
    "a chain that does not start": (
        ["-i", "good.py", "export-pytorch"],
        "Step 1, export-pytorch, takes pytorch-model and cannot start from a .py file.\n"
        "  Put discover before it.",
    ),
    "an export of what is exported": (
        ["linear.onnx", "--sequence", "onnx-fp32"],
        "Step 2, export-pytorch, takes pytorch-model, but the steps before it give onnx-model.\n"
        "  It makes onnx-model, which is there: leave it out, or start with discover, "
        "from .py files, to make it anew.",
    ),
    "a file for what runs modules": (
        ["linear.onnx", "--runtime", "torch-eager"],
        "Step 2, benchmark, takes pytorch-model, but the steps before it give onnx-model.\n"
        "  It is not kept in files: start with discover, from .py files.",
    ),
    "an unknown runtime": (
        ["-i", "good.py", "discover", "benchmark", "--runtime", "ortt"],
        "There is no runtime 'ortt'.\n  Did you mean 'ort'?",
    ),
    "an unknown device": (
        ["-i", "good.py", "discover", "benchmark", "--device", "x68"],
        "There is no device 'x68'.\n  Did you mean 'x86'?",
    ),
    "a runtime argument that nobody takes": (
        ["-i", "good.py", "discover", "benchmark", "--rt-args", "speed::9"],
        "The runtime 'ort' has no argument 'speed'.",
    ),
    "no iterations": (
        ["-i", "good.py", "discover", "benchmark", "--iterations", "0"],
        "Invalid value for '--iterations'",
    ),
    "an option of turnkey behind a tool": (
        ["-i", "good.py", "discover", "--dry-run"],
        "--dry-run stands before the first tool.",
    ),
    "an unknown option": (
        ["-i", "good.py", "discover", "--max-dept", "1"],
        "No such option '--max-dept'",
    ),
    "labels that match nothing": (
        ["-i", "good.py", "--labels", "name::nothing", "discover"],
        "None of the 1 inputs has the labels name::nothing.",
    ),
    "an opset that does not exist": (
        ["-i", "good.py", "discover", "export-pytorch", "--opset", "99"],
        "The opset is 99; ONNX opsets from 7 to 26 work.",
    ),
    "a command that stands alone in a chain": (
        ["-i", "good.py", "discover", "plugins"],
        "'plugins' stands alone and cannot be part of a chain.",
    ),
}


@pytest.fixture
def place(turnkey):
    turnkey.script("good.py", LINEAR.read_text())
    turnkey.script("notes.md", "# notes")
    turnkey.script("linear.onnx", "")
    (turnkey.folder / "folder").mkdir()
    return turnkey


@pytest.mark.parametrize("case", BEFORE_RUNNING)
def test_mistake_that_shows_before_running_exits_with_2(place, case):
    words, message = BEFORE_RUNNING[case]
    found = place(*words)
    assert found.returncode == 2, found.stdout + found.stderr
    assert message in found.stderr
    assert "Traceback" not in found.stderr
    assert not place.cache.exists()


@pytest.mark.parametrize("variable", ["18 or so", "3"])
def test_variable_that_is_no_opset_exits_with_2(place, variable):
    found = place("good.py", env={"TURNKEY_ONNX_OPSET": variable})
    assert found.returncode == 2
    assert "TURNKEY_ONNX_OPSET is" in found.stderr


def test_cache_that_cannot_be_written_exits_with_2(place):
    blocked = place.folder / "blocked"
    blocked.write_text("a file where the cache should be")
    found = place("-i", "good.py", "-d", blocked, "discover")
    assert found.returncode == 2
    assert f"The cache directory {blocked} cannot be written" in found.stderr
    assert "TURNKEY_CACHE_DIR" in found.stderr


FAILS_IN_RUNNING = {
    "an empty script": ("", "calls no PyTorch model. It does not import torch."),
    "a script without models": (
        "import torch\nprint('hello')\n",
        "calls no PyTorch model. It calls no torch.nn.Module; one that is made but never called",
    ),
    "a script that raises": (
        "def broken():\n    raise ValueError('out of cheese')\nbroken()\n",
        "The script raised ValueError: out of cheese.",
    ),
    "a script that is no Python": ("def :\n", "The script raised SyntaxError"),
    "a script that imports what is not there": (
        "import no_such_package\n",
        "ModuleNotFoundError: No module named 'no_such_package'",
    ),
    "a script that exits": ("import sys\nsys.exit(7)\n", "ended itself with exit code 7"),
}


@pytest.mark.parametrize("case", FAILS_IN_RUNNING)
def test_script_that_fails_exits_with_1_and_its_log_tells_why(place, case):
    text, message = FAILS_IN_RUNNING[case]
    place.script("bad.py", text)
    found = place("-i", "bad.py", "discover", "export-pytorch")
    assert found.returncode == 1, found.stdout + found.stderr
    assert message in found.stderr
    assert "turnkeyml" not in found.stdout.replace(str(place.cache), "")
    if "raises" in case:
        log = next((place.cache / ".logs").iterdir()).read_text()
        assert "line 2, in broken\n    raise ValueError('out of cheese')" in log


def test_name_with_a_space_and_a_quote_works(place):
    path = place.script("it's a model.py", LINEAR.read_text())
    found = place("-i", path, "discover")
    assert found.returncode == 0, found.stderr
    assert "it's a model.py:" in found.stdout
    names = [p.name for p in place.cache.iterdir() if not p.name.startswith(".")]
    assert len(names) == 1
    assert names[0].startswith("it-s-a-model_")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_cache_without_permission_exits_with_2(place):
    locked = place.folder / "locked"
    locked.mkdir(mode=0o500)
    assert place("-i", "good.py", "-d", locked, "discover").returncode == 2
