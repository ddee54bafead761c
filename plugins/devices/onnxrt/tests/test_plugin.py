"""What the package registers."""

from __future__ import annotations

import subprocess
import sys

from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import Provider
from turnkeyml.runtime import BaseRT
from turnkeyml_plugin_onnxrt.plugin import implements


def test_mapping_is_accepted_and_its_class_is_a_runtime():
    provider = Provider("turnkeyml-plugin-onnxrt", "0", "onnxrt", "plugin")
    (record,) = read_mapping(provider, implements).runtimes
    assert record.name == "ort"
    assert record.consumes == "onnx-model"
    assert issubclass(record.ref.load_class(BaseRT), BaseRT)


def test_runtime_class_imports_nothing_heavy():
    code = (
        "import sys, turnkeyml_plugin_onnxrt.runtime, turnkeyml_plugin_onnxrt.plugin;"
        "print([m for m in ('numpy', 'onnxruntime', 'onnx', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
