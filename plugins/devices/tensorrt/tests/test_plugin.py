"""What the package registers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import Provider
from turnkeyml.plugins.registry import load_registry
from turnkeyml.runtime import BaseRT, returns_outputs
from turnkeyml.sequence import flatten, is_installed
from turnkeyml_plugin_tensorrt.plugin import implements


@pytest.fixture
def record():
    provider = Provider("turnkeyml-plugin-tensorrt", "0", "tensorrt", "plugin")
    (found,) = read_mapping(provider, implements).runtimes
    return found


def test_mapping_is_accepted_and_its_class_is_a_runtime_that_returns_outputs(record):
    assert (record.name, record.consumes, list(record.devices)) == (
        "trt",
        "trt-engine",
        ["nvidia"],
    )
    assert returns_outputs(record.ref.load_class(BaseRT))


def test_nothing_becomes_float16_that_nobody_asked_for(record):
    registry = load_registry()
    installed = [each for each in record.default_sequence if is_installed(each, registry)]
    assert installed, "build-trt-engine is needed by these tests"
    for alternative in installed:
        tools = [step.tool for step in flatten([alternative], registry)]
        assert tools[-1] == "build-trt-engine"
        assert "convert-fp16" not in tools


def test_planning_imports_nothing_heavy():
    code = (
        "import sys, turnkeyml_plugin_tensorrt.runtime, turnkeyml_plugin_tensorrt.plugin,"
        "turnkeyml_plugin_tensorrt.requirements as r; r.check_packages;"
        "print([m for m in ('numpy', 'cuda', 'tensorrt', 'tensorrt_rtx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
