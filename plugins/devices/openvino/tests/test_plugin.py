"""What the package registers, its runtime arguments, and what it asks of the installation."""

from __future__ import annotations

import inspect
from importlib import metadata

import pytest

from turnkeyml.errors import BuildError, PlanError
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import Provider
from turnkeyml.plugins.registry import load_registry
from turnkeyml.rt_args import convert_rt_args, parse_rt_args
from turnkeyml.runtime import BaseRT
from turnkeyml_plugin_openvino.plugin import implements
from turnkeyml_plugin_openvino.requirements import OLDEST, check_openvino
from turnkeyml_plugin_openvino.runtime import OpenVINO


def worker_arguments(*words, output_dir="/build/benchmark"):
    runtime = OpenVINO(**convert_rt_args("openvino", OpenVINO, parse_rt_args(words)))
    runtime.output_dir, runtime.iterations = output_dir, 100
    return runtime.worker_arguments()


def test_mapping_is_accepted_and_its_class_is_a_runtime():
    provider = Provider("turnkeyml-plugin-openvino", "0", "openvino", "plugin")
    (record,) = read_mapping(provider, implements).runtimes
    assert record.name == "openvino"
    assert record.consumes == "onnx-model"
    assert record.default_sequence == ("optimize-fp32", "onnx-fp32", "export-pytorch")
    assert issubclass(record.ref.load_class(BaseRT), BaseRT)


def test_without_arguments_the_models_own_precision_is_kept_and_the_rest_is_openvinos():
    assert worker_arguments() == {
        "properties": {"PERFORMANCE_HINT": "LATENCY", "EXECUTION_MODE_HINT": "ACCURACY"},
        "reshape": True,
        "iterations": 100,
    }


def test_arguments_become_properties():
    given = worker_arguments(
        "performance_hint::THROUGHPUT",
        "execution_mode_hint::PERFORMANCE",
        "inference_precision_hint::bf16",
        "num_streams::2",
        "inference_num_threads::4",
        "enable_cpu_pinning::false",
        "reshape::false",
        "model_cache",
        "properties::[TBB_PARTITIONER=AUTO,NUM_STREAMS=3]",
    )
    assert given["reshape"] is False
    assert given["properties"] == {
        "CACHE_DIR": "/build/benchmark/cache",
        "PERFORMANCE_HINT": "THROUGHPUT",
        "EXECUTION_MODE_HINT": "PERFORMANCE",
        "INFERENCE_PRECISION_HINT": "bf16",
        "NUM_STREAMS": "3",
        "INFERENCE_NUM_THREADS": "4",
        "ENABLE_CPU_PINNING": "NO",
        "TBB_PARTITIONER": "AUTO",
    }


def test_threads_have_the_name_of_other_runtimes_too():
    for words in (["threads::2"], ["threads::2", "inference_num_threads::2"]):
        assert worker_arguments(*words)["properties"]["INFERENCE_NUM_THREADS"] == "2"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("performance_hint::latency", "one of LATENCY, THROUGHPUT, not 'latency'"),
        ("execution_mode_hint::FAST", "one of ACCURACY, PERFORMANCE"),
        ("inference_precision_hint::f8", "one of f32, bf16, f16"),
        ("num_streams::many", "'num_streams' as int"),
        ("provider::CPU", "has no argument 'provider'"),
    ],
)
def test_argument_that_cannot_work_is_refused_when_the_chain_is_planned(word, message):
    with pytest.raises(PlanError, match=message):
        convert_rt_args("openvino", OpenVINO, parse_rt_args([word]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["threads::0"], "threads is at least 1, not 0"),
        (["num_streams::-1"], "num_streams is at least 1, not -1"),
        (["threads::1", "inference_num_threads::2"], "are two names of one thing"),
        (["properties::NUM_STREAMS"], "'NUM_STREAMS' among .* is no property"),
        (["properties::[=1]"], "'=1' among .* is no property"),
    ],
)
def test_argument_that_makes_no_sense_is_refused(words, message):
    with pytest.raises(PlanError, match=message):
        worker_arguments(*words)


def test_each_argument_is_explained():
    for name in inspect.signature(OpenVINO).parameters:
        assert f"\n    {name}: " in inspect.getdoc(OpenVINO)


def test_no_argument_has_the_name_of_a_command_which_a_flag_alone_would_be_taken_for():
    registry = load_registry()
    names = inspect.signature(OpenVINO).parameters
    assert [name for name in names if registry.find_tool(name) is not None] == []


def test_missing_openvino_is_one_sentence_with_the_command_that_installs_it(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(BuildError) as caught:
        check_openvino()
    assert str(caught.value) == "OpenVINO is not installed. Run pip install openvino."


@pytest.mark.parametrize(
    ("version", "accepted"), [("2024.6.0", False), ("2025.0.0", True), ("2026.4.1", True)]
)
def test_old_openvino_is_refused(monkeypatch, version, accepted):
    monkeypatch.setattr(metadata, "version", {"openvino": version}.get)
    if accepted:
        check_openvino()
    else:
        with pytest.raises(BuildError, match=r"OpenVINO 2024.6.0 is installed.*openvino>=2025.0"):
            check_openvino()


def test_oldest_version_is_the_one_that_pip_is_told():
    (requirement,) = [r for r in metadata.requires("turnkeyml-plugin-openvino") if "openvino" in r]
    assert requirement == f"openvino>={'.'.join(map(str, OLDEST))}"
