"""The named sequences, with fakes of the tools that they name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from types import ModuleType

import pytest

from turnkeyml.errors import PlanError
from turnkeyml.plan import make_plan
from turnkeyml.plugins.registry import load_registry
from turnkeyml.sequence import flatten, is_installed
from turnkeyml.tool import FirstTool, Tool
from turnkeyml_plugin_sequences import plugin

KINDS = {
    "export-pytorch": ("pytorch-model", "onnx-model"),
    "optimize-onnx": ("onnx-model", "onnx-model"),
    "convert-fp16": ("onnx-model", "onnx-model"),
    "build-trt-engine": ("onnx-model", "trt-engine"),
}
CHAINS = {
    "onnx-fp32": ["export-pytorch"],
    "optimize-fp32": ["export-pytorch", "optimize-onnx"],
    "optimize-fp16": ["export-pytorch", "optimize-onnx", "convert-fp16"],
    "trt-fp16": ["export-pytorch", "optimize-onnx", "convert-fp16", "build-trt-engine"],
}


class Discover(FirstTool):
    """Find models."""

    name = "discover"
    suffixes = (".py",)
    produces = "pytorch-model"

    def start(self, source, options, context):
        yield from ()


def fake_tool(tool_name):
    class Fake(Tool):
        """Takes and makes what the tool of this name does."""

        name = tool_name
        consumes = (KINDS[tool_name][0],)
        produces = KINDS[tool_name][1]

        def run(self, state, options):
            return state

    return Fake


@pytest.fixture
def registry_with(monkeypatch):
    """Make a registry of this package and fakes of some tools, through entry points as pip's."""

    def make(*tools):
        module = ModuleType("faketools")
        module.implements = {"tools": [Discover, *(fake_tool(name) for name in tools)]}
        monkeypatch.setitem(sys.modules, "faketools", module)
        group = "turnkeyml.plugins"
        entries = [
            metadata.EntryPoint("sequences", plugin.__name__, group),
            metadata.EntryPoint("faketools", "faketools", group),
        ]
        registry = load_registry(entries)
        assert registry.broken == ()
        return registry

    return make


@pytest.mark.parametrize("name", CHAINS)
def test_sequence_is_these_tools_in_this_order(registry_with, name):
    registry = registry_with(*KINDS)
    assert [step.tool for step in flatten([name], registry)] == CHAINS[name]


@pytest.mark.parametrize("name", CHAINS)
def test_kinds_meet_in_a_chain_after_discovery(registry_with, name):
    plan = make_plan(["discover", name], ".py", registry_with(*KINDS))
    assert [step.name for step in plan.steps] == ["discover", *CHAINS[name]]


def test_each_is_registered_under_its_own_name_with_a_summary(registry_with):
    registry = registry_with()
    assert set(registry.sequences) == set(CHAINS)
    for name, record in registry.sequences.items():
        assert record.ref.load().name == name
        assert record.summary.endswith(".")


def test_sequences_are_listed_without_their_tools_and_counted_as_not_installed(registry_with):
    registry = registry_with("export-pytorch", "optimize-onnx")
    assert [name for name in CHAINS if is_installed(name, registry)] == [
        "onnx-fp32",
        "optimize-fp32",
    ]


def test_missing_tool_is_named_when_the_chain_is_planned(registry_with):
    registry = registry_with("export-pytorch", "optimize-onnx")
    with pytest.raises(PlanError, match="There is no tool 'convert-fp16'"):
        make_plan(["discover", "optimize-fp16"], ".py", registry)


def test_replacing_an_inner_sequence_changes_those_that_name_it(registry_with, monkeypatch):
    shorter = {**plugin.implements["sequences"]}
    shorter["optimize-fp32"] = plugin.implements["sequences"]["onnx-fp32"]
    monkeypatch.setitem(plugin.implements, "sequences", shorter)
    registry = registry_with(*KINDS)
    steps = [step.tool for step in flatten(["optimize-fp16"], registry)]
    assert steps == ["export-pytorch", "convert-fp16"]


REPORT = """
import json, sys
sys.argv = ["turnkey", *sys.argv[1:]]
from turnkeyml.cli.main import main
try:
    main()
except SystemExit as ending:
    code = ending.code
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""


@pytest.mark.parametrize("name", CHAINS)
def test_help_of_a_sequence_is_its_summary_and_imports_nothing_heavy(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", REPORT, name, "-h"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TURNKEY_CACHE_DIR": str(tmp_path)},
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    assert plugin.implements["sequences"][name].summary in " ".join(done.stdout.split())
    assert not {"torch", "onnx", "onnxruntime", "numpy"} & set(modules)
