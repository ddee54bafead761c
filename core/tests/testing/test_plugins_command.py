"""`turnkey plugins check`: a line a rule, and an exit code."""

from __future__ import annotations

import re

from core_env import Environment, FakePlugins, run_here

from turnkeyml.errors import ExitCode

MAPPING = """
implements = {{
    "tools": [{{"class": "{name}:{cls}", "name": "shout", "summary": "Shout."}}],
    "runtimes": {{"echo-rt": {{"RuntimeClass": "{name}:Echo", "supported_devices": ["anything"]}}}},
}}

from turnkeyml.runtime import BaseRT
from turnkeyml.tool import Tool

class Shout(Tool):
    "Shout."
    name = "shout"
    consumes = ("onnx-model",)
    def run(self, state, options):
        return state

class Echo(BaseRT):
    def infer(self):
        {infer}
    def device_name(self):
        return "Anything"
"""


def test_every_rule_is_a_line_and_the_last_one_counts_them(environment: Environment) -> None:
    done = environment.turnkey("plugins", "check")
    assert done.code == ExitCode.OK, done
    lines = done.out.splitlines()
    assert re.fullmatch(r"turnkeyml-core \S+", lines[0])
    assert "  ok       importing its entry point loads no heavy package" in lines
    assert "  skipped  it depends on the core: It is the core." in lines
    assert "command version" in lines
    count = sum(line.startswith(("  ok", "  skipped", "  FAILED")) for line in lines)
    skipped = sum(line.startswith("  skipped") for line in lines)
    assert lines[-1] == f"{count} rules: {count - skipped} ok, 0 FAILED, {skipped} skipped"


def test_broken_rule_is_shown_with_what_it_asks_and_the_command_fails(
    environment: Environment,
) -> None:
    text = MAPPING.format(name="loud_plugin", cls="Shuot", infer="sum(range(3000))")
    environment.install("loud-plugin", text)
    done = environment.turnkey("plugins", "check", "Loud_Plugin")
    assert done.code == ExitCode.FAILED
    assert "turnkeyml-core" not in done.out.splitlines()[0]
    assert "  FAILED   everything that it names can be loaded\n" in done.out
    assert "loud-plugin 1.2 (loud_plugin): implements['tools'][0]['class']: expected" in done.out
    assert "  FAILED   it depends on the core\n           Its dependencies are none.\n" in done.out
    assert "           See docs/writing_a_plugin.md\n" in done.out
    assert done.err == ""


def test_tools_and_runtimes_that_take_onnx_files_are_run(environment: Environment) -> None:
    text = MAPPING.format(name="loud_plugin", cls="Shout", infer="return open('/nowhere')")
    environment.install("loud-plugin", text)
    done = environment.turnkey("plugins", "check", "loud-plugin")
    assert "  ok       it runs on its input\n" in done.out
    assert "  FAILED   it measures its model\n" in done.out
    assert "No such file or directory: '/nowhere'" in done.out
    looked = environment.turnkey("plugins", "check", "loud-plugin", "--look-only")
    assert "runtime echo-rt\n  ok       its class keeps the contract\n" in looked.out
    assert "it measures its model" not in looked.out
    assert "it runs on its input" not in looked.out


def test_plugin_that_cannot_be_imported_is_checked_as_far_as_it_goes(
    environment: Environment,
) -> None:
    environment.install("sad-plugin", "raise RuntimeError('no licence')")
    done = environment.turnkey("plugins", "check", "sad-plugin")
    assert done.code == ExitCode.FAILED
    assert "  FAILED   its mapping is accepted\n" in done.out
    assert "RuntimeError: no licence" in done.out
    skipped = [line for line in done.out.splitlines() if line.startswith("  skipped")]
    assert skipped[0].endswith("loads no heavy package: It could not be loaded.")
    assert skipped[-1].endswith("its devices can be watched: as above")
    assert len(skipped) == 14


def test_package_that_is_no_plugin_is_refused(toys: FakePlugins) -> None:
    done = run_here("plugins", "check", "numpy")
    assert done.code == ExitCode.USAGE
    assert "No plugin 'numpy' is installed." in done.err
    assert "There are: turnkeyml-core, toyplug." in done.err


def test_command_without_a_word_lists_and_an_unknown_word_is_refused(toys: FakePlugins) -> None:
    assert "toyplug 1.0\n  tools: find" in run_here("plugins").out
    done = run_here("plugins", "chekc")
    assert done.code == ExitCode.USAGE
    assert "No such command 'chekc'" in done.err
