"""Start-up imports nothing heavy, so that asking for help is quick."""

from __future__ import annotations

import pytest
from core_env import Environment

HEAVY = {
    "torch",
    "torchvision",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "openvino",
    "tensorrt",
    "numpy",
    "pandas",
    "transformers",
}
ONLY_FOR_RUNNING = {"rich", "filelock", "yaml", "psutil", "importlib_metadata"}
TELL = (
    "import atexit, sys\n"
    "def tell():\n"
    "    print('MODULES', *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    "atexit.register(tell)\n"
    "from turnkeyml.cli.main import main\n"
    "main()\n"
)


@pytest.fixture
def toy(environment: Environment) -> Environment:
    """An environment in which every heavy package is there, and says so when it is imported."""
    environment.install_toys()
    (environment.home / "a.toy").write_text("one 1\n")
    for name in HEAVY:
        (environment.own / f"{name}.py").write_text("")
    return environment


def imported(environment: Environment, *words: str) -> set[str]:
    done = environment.turnkey(*words, code=TELL)
    assert done.code == 0, done
    (line,) = [text for text in done.err.splitlines() if text.startswith("MODULES ")]
    return set(line.split()[1:])


ASKING = [
    ["version"],
    ["--version"],
    ["-h"],
    ["plugins"],
    ["version", "-h"],
    ["toy-small", "-h"],
    ["find", "-h"],
    ["compile", "-h"],
    ["benchmark", "-h"],
    ["-i", "a.toy", "find", "compile", "-h"],
    ["a.toy", "-h"],
]
ASK = f"""
import sys
from turnkeyml.cli.main import run_command
from turnkeyml.console import Console
console = Console()
for words in {ASKING!r}:
    assert run_command(words, console) == 0, words
    found = {HEAVY | ONLY_FOR_RUNNING!r} & set(sys.modules)
    assert not found, (words, found)
    tools = {{"toyplug_tools", "toyplug_runtimes"}} & set(sys.modules)
    assert words[0] in {["find", "compile", "benchmark", "-i", "a.toy"]!r} or not tools, words
print("asked", len({ASKING!r}))
"""


def test_asking_imports_nothing_that_only_running_needs(toy: Environment) -> None:
    done = toy.turnkey(code=ASK)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(f"asked {len(ASKING)}\n")


@pytest.mark.parametrize("words", [("-h",), ("version",), ("benchmark", "-h")])
def test_the_installed_command_imports_nothing_more(
    words: tuple[str, ...], toy: Environment
) -> None:
    assert not imported(toy, *words) & (HEAVY | ONLY_FOR_RUNNING)


@pytest.mark.parametrize("words", [("a.toy", "--dry-run"), ("a.toy",)])
def test_planning_and_running_import_nothing_heavy_of_their_own(
    words: tuple[str, ...], toy: Environment
) -> None:
    found = imported(toy, *words)
    assert "toyplug_tools" in found
    assert not found & HEAVY


def test_importing_the_package_does_nothing(toy: Environment) -> None:
    code = (
        "import os, pkgutil, importlib, sys, turnkeyml\n"
        "before = dict(os.environ)\n"
        "for module in pkgutil.walk_packages(turnkeyml.__path__, 'turnkeyml.'):\n"
        "    importlib.import_module(module.name)\n"
        "assert os.environ == before\n"
        f"found = set(sys.modules) & {HEAVY!r}\n"
        "assert not found, found\n"
    )
    before = sorted(toy.home.rglob("*"))
    done = toy.turnkey(code=code)
    assert (done.code, done.text) == (0, "")
    assert sorted(toy.home.rglob("*")) == before
