"""Help pages and commands that stand alone import nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from turnkeyml.plugins.records import ToolRole
from turnkeyml.plugins.registry import load_registry

HEAVY = {
    "torch", "onnx", "onnxruntime", "onnxscript", "onnx_ir", "numpy", "pandas", "transformers",
    "rich", "filelock",
}  # fmt: skip

REPORT = """
import json, sys
words = sys.argv[1:]
sys.argv = ["turnkey", *words]
from turnkeyml.cli.main import main
try:
    main()
except SystemExit as ending:
    code = ending.code
print("\\n" + json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def commands() -> list[list[str]]:
    tools = load_registry().tools
    helps = [[name, "-h"] for name in tools]
    alone = [[name] for name, tool in tools.items() if tool.role is ToolRole.MANAGEMENT]
    return [["-h"], ["model.py", "-h"], ["benchmark", "model.py", "-h"], *helps, *alone]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_command_imports_nothing_heavy(words):
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *words], capture_output=True, text=True, check=True
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    # Some need a word more, or a cache that is not empty, and say so.
    assert code == 0 or (code == 2 and "-h" not in words), done.stderr
    assert HEAVY & set(modules) == set()


def test_planning_a_whole_chain_imports_nothing_heavy(tmp_path):
    script = tmp_path / "s.py"
    script.touch()
    words = ["-i", str(script), "--dry-run", "discover", "benchmark"]
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *words], capture_output=True, text=True, check=True
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    assert HEAVY & set(modules) == set()
