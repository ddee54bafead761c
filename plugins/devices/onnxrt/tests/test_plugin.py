"""What the package registers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from turnkeyml.errors import PlanError
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import Provider
from turnkeyml.rt_args import convert_rt_args, parse_rt_args
from turnkeyml.runtime import BaseRT
from turnkeyml_plugin_onnxrt.plugin import implements, turnkey_loading_script
from turnkeyml_plugin_onnxrt.runtime import OnnxRT


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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"threads": 0}, "threads is at least 1, not 0"),
        ({"inter_threads": -2}, "inter_threads is at least 1, not -2"),
    ],
)
def test_argument_that_cannot_work_is_refused(arguments, words):
    with pytest.raises(PlanError, match=words):
        OnnxRT(**arguments)


def test_level_that_there_is_not_is_refused_when_the_chain_is_planned():
    given = parse_rt_args(["optimization_level::much"])
    with pytest.raises(PlanError, match="one of disabled, basic, .*, not 'much'"):
        convert_rt_args("ort", OnnxRT, given)


def test_arguments_reach_the_worker_converted():
    given = parse_rt_args(["threads::4", "io_binding", "spinning::false"])
    arguments = OnnxRT(**convert_rt_args("ort", OnnxRT, given)).worker_arguments()
    assert (arguments["threads"], arguments["io_binding"], arguments["spinning"]) == (
        4,
        True,
        False,
    )


def test_script_for_an_onnx_file_compares_its_outputs_and_other_kinds_have_none():
    names = {"model": "m.onnx", "inputs": "i.npz", "outputs": "o.npz"}
    script = turnkey_loading_script(kind="onnx-model", **names)
    compile(script, "run.py", "exec")
    assert all(name in script for name in names.values())
    assert turnkey_loading_script(kind="trt-engine", **names) is None
