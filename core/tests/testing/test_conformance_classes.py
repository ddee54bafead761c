"""The three classes, as an author's tests use them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TESTS = """
from turnkeyml.testing import PluginConformance, RuntimeConformance, ToolConformance

class TestPlugin(PluginConformance):
    distribution = "{name}"

class TestTool(ToolConformance):
    tool = "right-work"
    options_to_try = ({{}}, {{"level": 3}})

    def make_input(self, state):
        path = state.folder("words") / "word.txt"
        path.write_text("hello")
        state.add("word-file", [path])

class TestRuntime(RuntimeConformance):
    runtime = "right-rt"
    rt_args_to_try = ((), ("effort::2", "loud"))
"""


ALONE = {"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.fixture
def run(install: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Run an author's tests over the right plugin, with mistakes or without."""

    def start(
        tests: str, *edits: tuple[str, str], words: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        kit = install(*edits)
        file = tmp_path / "test_it.py"
        file.write_text(tests.format(name=kit.name))
        command = [sys.executable, "-W", "error", "-m", "pytest", "-c", os.devnull]
        options = ["-q", "-rsf", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
        return subprocess.run(
            [*command, *options, *words, str(file)],
            env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), **ALONE},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return start


def test_right_plugin_passes_and_what_is_skipped_gives_its_reason(run) -> None:
    done = run(TESTS)
    assert done.returncode == 0, done.stdout
    assert " failed" not in done.stdout
    reasons = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert {reason.rpartition(": ")[2] for reason in reasons} == {
        "It makes no ONNX file.",
        "It does not start a chain.",
        "It has no worker.",
        "It names no packages of a worker.",
        "It has no argument called threads.",
    }


def test_wrong_plugin_fails_and_says_what_the_contract_asks_and_where(run) -> None:
    mistake = ('save_model_eval_stat("model_bytes"', 'save_model_eval_stat("size"')
    done = run(TESTS, mistake, words=("-k", "TestRuntime"))
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "TestRuntime::test_its_status_stats_are_there" in done.stdout
    assert "It saves no model_bytes, which status_stats names." in done.stdout
    assert "See docs/writing_a_plugin.md, 'The mapping'" in done.stdout


def test_kit_prints_nothing(run) -> None:
    done = run(TESTS, words=("-s", "-rN", "-k", "TestTool or TestRuntime"))
    assert done.returncode == 0
    shown = [line for line in done.stdout.splitlines() if line.strip(".s ")]
    assert len(shown) == 1, done.stdout
    assert "passed" in shown[0]
    assert done.stderr == ""


EXCEPTION = """
from turnkeyml.testing import ToolConformance

class TestTool(ToolConformance):
    tool = "right-begin"
    not_applicable = {{"{rule}": "Its words are drawn by lot."}}

    def make_source(self, folder):
        path = folder / "some.words"
        path.write_text("hello\\n")
        return path
"""


def test_author_may_except_a_rule_with_a_reason(run) -> None:
    tests = EXCEPTION.replace("{rule}", "running_it_again_makes_the_same")
    mistake = ("sha256(word.encode())", "sha256(os.urandom(4))")
    done = run(tests, mistake, words=("-k", "again"))
    assert done.returncode == 0, done.stdout
    assert "Its words are drawn by lot." in done.stdout


def test_exception_from_no_rule_fails(run) -> None:
    tests = EXCEPTION.replace("{rule}", "running_it_again_makes_it_better")
    done = run(tests, words=("-k", "has_a_reason"))
    assert done.returncode == 1
    assert "there is no such rule" in done.stdout


def test_name_that_is_not_installed_fails_with_the_nearest(run) -> None:
    tests = (
        "from turnkeyml.testing import *\nclass TestTool(ToolConformance):\n    tool = '{name}x'\n"
    )
    done = run(tests.replace("{name}x", "right-wrok"), words=("-k", "its_class"))
    assert done.returncode == 1
    assert "Did you mean 'right-work'?" in done.stdout


def test_error_of_the_authors_own_function_is_shown_as_such(run) -> None:
    tests = TESTS.replace('path.write_text("hello")', "raise LookupError('no word here')")
    done = run(tests, words=("-k", "it_runs_on_its_input"))
    assert done.returncode == 1
    assert "LookupError: no word here" in done.stdout


def test_kit_can_be_imported_without_pytest() -> None:
    code = "import sys, turnkeyml.testing; sys.exit('pytest' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
