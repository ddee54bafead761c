"""The runtime `example-rt`: what it makes of its program's results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from turnkeyml.device import Device
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import Provider
from turnkeyml.rt_args import convert_rt_args, parse_rt_args
from turnkeyml.runtime import ModelInputs, RuntimeContext, RuntimeStats, check_performance, opened
from turnkeyml.testing import tiny_onnx
from turnkeyml_plugin_example_combined import program, runtime
from turnkeyml_plugin_example_combined.device import ExampleFamily, passes_of
from turnkeyml_plugin_example_combined.plugin import implements
from turnkeyml_plugin_example_combined.runtime import ExampleRT, check_program

PROVIDER = Provider("turnkeyml-plugin-example-combined", "0", "example", "plugin")


@pytest.fixture
def context(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "model.onnx").write_bytes(tiny_onnx())
    return RuntimeContext(
        cache_dir=tmp_path,
        build_name="model_12345678",
        stats=RuntimeStats(),
        iterations=4,
        model=tmp_path / "model.onnx",
        inputs=ModelInputs(tmp_path / "inputs", {}),
        device=Device("example_family", "part1", "config2"),
        device_info=ExampleFamily,
        runtime="example-rt",
        output_dir=tmp_path / "out",
    )


def measure(context, *words):
    arguments = convert_rt_args("example-rt", ExampleRT, parse_rt_args(words))
    with opened(ExampleRT, context, arguments) as made:
        return check_performance(made.benchmark(), "example-rt"), made


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put a program of the test's own in place of the package's."""

    def put(text):
        path = tmp_path / "stand_in.py"
        path.write_text(
            "import json, sys\nmodel, results, iterations, passes = sys.argv[1:]\n" + text
        )
        monkeypatch.setattr(runtime, "PROGRAM", path)
        monkeypatch.setattr(runtime, "_program_version", lambda: "1.0")

    return put


REPORT = """
report = {"iterations": int(iterations), "total_seconds": 2.0, "model_bytes": 7, "passes": passes}
open(results, "w").write(json.dumps(report))
"""


def test_latency_is_in_ms_and_throughput_per_second_and_not_the_other_way_round(context, stand_in):
    stand_in(REPORT)
    found, _ = measure(context)
    assert found.mean_latency == 500.0
    assert found.throughput == 2.0


def test_program_measures_in_the_runtimes_own_folder(context):
    found, made = measure(context, "tags::[first, second]", "verbose")
    report = json.loads((context.output_dir / "outputs.json").read_text())
    assert report["iterations"] == 4
    assert found.mean_latency == pytest.approx(1000 * report["total_seconds"] / 4)
    assert (found.device, found.runtime_version) == ("Example Device", "1.0")
    assert found.verdict == "unverified"
    assert (made.tags, made.verbose) == (["first", "second"], True)
    assert context.stats.values == {
        "custom_stat_1": f"{len(tiny_onnx())} bytes",
        "custom_stat_2": "first second",
    }


def test_configuration_of_the_device_reaches_the_program(context, stand_in):
    stand_in(REPORT)
    _, made = measure(context)
    assert made.report["passes"] == str(passes_of(Device("example_family", "part1", "config2")))
    assert passes_of(Device("example_family", "part1", "config2")) == 2 * passes_of(Device("x86"))


def test_delay_comes_before_the_benchmark(context, monkeypatch, stand_in):
    stand_in(REPORT)
    waited = []
    monkeypatch.setattr(runtime.time, "sleep", waited.append)
    measure(context, "delay_before_benchmarking::1.5")
    assert waited == [1.5]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("delay_before_benchmarking::long", "as float, not 'long'"),
        ("delay::1", "It takes: delay_before_benchmarking, tags, verbose."),
    ],
)
def test_wrong_argument_is_refused(word, said):
    with pytest.raises(PlanError, match=said):
        convert_rt_args("example-rt", ExampleRT, parse_rt_args([word]))


def test_program_that_fails_is_one_sentence(context, stand_in):
    stand_in("print('much', file=sys.stderr)\nsys.exit('the board is off')")
    with pytest.raises(BuildError, match=r"^The program of example-rt failed: the board is off\.$"):
        measure(context)


def test_file_that_is_no_model_fails(context):
    Path(context.model).write_bytes(b"no model")
    with pytest.raises(BuildError, match=r"model.onnx is no ONNX file"):
        measure(context)


def test_check_finds_that_the_program_is_missing(monkeypatch, tmp_path):
    check_program()
    monkeypatch.setattr(runtime, "PROGRAM", tmp_path / "gone.py")
    with pytest.raises(BuildError, match="cannot be started"):
        check_program()


def test_program_needs_nothing_of_turnkey(tmp_path):
    text = Path(program.__file__).read_text()
    assert "import turnkeyml" not in text
    assert "from turnkeyml" not in text


def test_mapping_is_accepted_and_names_parts_and_configurations():
    found = read_mapping(PROVIDER, implements)
    (device,) = found.devices
    assert device.parts == {"part1": ("config1", "config2"), "part2": ()}
    (record,) = found.runtimes
    assert record.devices == {"x86": {}, "arm": {}, "example_family": device.parts}
    assert record.status_stats == ("custom_stat_1", "custom_stat_2")
