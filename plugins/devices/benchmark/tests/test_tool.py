"""The tool `benchmark`, with runtimes and devices that are fakes."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.cache import Cache
from turnkeyml.context import RunContext
from turnkeyml.device import DeviceInfo
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.inputs import Source
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import Provider
from turnkeyml.plugins.registry import Registry
from turnkeyml.runtime import BaseRT, MeasuredPerformance
from turnkeyml.state import ModelInfo
from turnkeyml.tool import HOST
from turnkeyml.worker.environments import Environment
from turnkeyml.worker.tensors import write_tensors
from turnkeyml_plugin_benchmark import choices
from turnkeyml_plugin_benchmark.choices import arguments_for, percent_from
from turnkeyml_plugin_benchmark.repeats import combine
from turnkeyml_plugin_benchmark.tool import Benchmark, BenchmarkOptions

PROVIDER = Provider("fake-plugin", "1.0", "fake", "fake")
CALLS: list[str] = []


class FakeChip(DeviceInfo):
    is_host = True
    present = True

    @classmethod
    def is_present(cls):
        return cls.present

    @classmethod
    def full_name(cls):
        return "Fake Chip 3000"

    @classmethod
    def state(cls):
        return {"load_average": 0.5}


class Quick(BaseRT):
    def __init__(self, level: int = 1, names: list[str] | None = None):
        self.level = level

    def _setup(self):
        CALLS.append(f"setup level={self.level} model={Path(self.model).name}")
        self.stats.save_model_eval_stat("chip_power_w", 12.5)

    def _teardown(self):
        CALLS.append("teardown")

    def infer(self):
        CALLS.append("infer")

    def device_name(self):
        return self.context.device_info.full_name()

    def version(self):
        return "9.9"


class Failing(Quick):
    def infer(self):
        raise RuntimeError("the chip is on fire")


class Own(Quick):
    def benchmark(self):
        return MeasuredPerformance(2.0, 500.0, "Own", self.device_type, self.runtime)


class Impossible(Quick):
    def benchmark(self):
        return MeasuredPerformance(0.0, 0.0, "Own", self.device_type, self.runtime)


class Filed(BaseRT):
    """Measured in a worker."""

    worker = "sleepy_worker.py"
    worker_packages = ("pluggy",)

    def __init__(self, threads: int | None = None):
        self.threads = threads

    def worker_arguments(self):
        return {"threads": self.threads, "context": self.context.threads}

    def device_name(self):
        return "Fake Chip 3000"


class Silent(Filed):
    worker_packages = ()


def refuse():
    raise BuildError("The chip's driver is too old.")


@pytest.fixture
def registry():
    CALLS.clear()
    FakeChip.present = True
    parts = {"chip": {"p1": ["c1", "c2"], "p2": []}}
    mapping = {
        "devices": {"chip": {"class": FakeChip, "default_runtimes": ["quick"]}, "other": {}},
        "runtimes": {
            "quick": {
                "RuntimeClass": Quick,
                "supported_devices": parts,
                "status_stats": ["chip_power_w"],
                "environment": {"CHIP_SPIN": "0"},
            },
            "another": {"RuntimeClass": Own, "supported_devices": {"chip"}},
            "failing": {"RuntimeClass": Failing, "supported_devices": ["chip"]},
            "impossible": {"RuntimeClass": Impossible, "supported_devices": ["chip"]},
            "filed": {"RuntimeClass": Filed, "supported_devices": ["chip"]},
            "silent": {"RuntimeClass": Silent, "supported_devices": ["chip"]},
            "filed-refused": {
                "RuntimeClass": Filed,
                "supported_devices": ["chip"],
                "requirement_check": refuse,
            },
            "refused": {
                "RuntimeClass": Quick,
                "supported_devices": ["chip"],
                "requirement_check": refuse,
            },
        },
    }
    found = read_mapping(PROVIDER, mapping)
    return Registry(
        runtimes={r.name: r for r in found.runtimes}, devices={d.family: d for d in found.devices}
    )


@pytest.fixture
def state(registry, tmp_path):
    context = RunContext(registry, Cache(tmp_path / "cache"), first_step=("load", "00000000"))
    made = context.new_state(Source(tmp_path / "m.fake"), ModelInfo("m", "ab" * 32, "Fake"))
    model = made.folder("onnx") / "m.onnx"
    model.write_text("model")
    write_tensors(made.folder("inputs"), {})
    made.add(ONNX_MODEL, [model], info={"inputs_folder": "inputs", "inputs": {}})
    made.begin_step("benchmark", "11111111", (ONNX_MODEL,))
    return made


def resolved(registry, **options):
    return Benchmark.resolve(BenchmarkOptions(**options), registry)


def run(state, registry, **options):
    return Benchmark().run(state, resolved(registry, **options))


def result_of(state):
    (key,) = state.shown_results
    return state.stats.results[key]


def test_device_and_runtime_default_to_this_machine_and_its_first_choice(registry):
    options = resolved(registry)
    assert (options.device, options.runtime) == ("chip::p1::c1", "quick")


def test_parts_and_configurations_default_in_order(registry):
    assert resolved(registry, device="chip::p2", runtime="quick").device == "chip::p2"
    assert resolved(registry, device="chip::p1::c2", runtime="quick").device == "chip::p1::c2"


def test_configuration_that_does_not_exist_is_refused_with_those_that_do(registry):
    with pytest.raises(PlanError, match=r"no configuration 'c9'. It has: c1, c2"):
        resolved(registry, device="chip::p1::c9", runtime="quick")


def test_runtime_that_does_not_support_the_device_is_refused(registry):
    with pytest.raises(PlanError, match="'quick' does not support the device 'other'"):
        resolved(registry, device="other", runtime="quick")


def test_device_without_any_runtime_is_refused(registry):
    with pytest.raises(PlanError, match="No installed runtime supports the device 'other'"):
        resolved(registry, device="other")


def test_unknown_runtime_argument_is_refused_when_planned(registry):
    with pytest.raises(PlanError, match=r"'quick' has no argument 'speed'. It takes: level, names"):
        resolved(registry, rt_args=("speed::3",))


def test_contract_follows_the_runtime(registry):
    contract = Benchmark.contract(resolved(registry), registry)
    assert contract.consumes == (ONNX_MODEL,)
    assert contract.environment == {"CHIP_SPIN": "0"}


def test_a_shared_device_is_not_waited_for(registry):
    assert Benchmark.contract(resolved(registry), registry).alone_on == HOST
    assert Benchmark.contract(resolved(registry, share_device=True), registry).alone_on is None


def test_a_result_of_a_shared_device_is_one_of_its_own(registry, state):
    run(state, registry)
    run(state, registry, share_device=True)
    assert [found.get("share_device") for found in state.stats.results.values()] == [None, True]


def test_result_has_the_numbers_their_verdict_and_where_they_come_from(registry, state):
    run(state, registry, iterations=25, rt_args=("level::3",))
    found = result_of(state)
    assert found["iterations"] == 25
    assert found["runtime"] == "quick"
    assert found["runtime_version"] == "9.9"
    assert found["device_name"] == "Fake Chip 3000"
    assert found["mean_latency_ms"] > 0
    assert found["throughput_ips"] == pytest.approx(1000 / found["mean_latency_ms"])
    assert found["verdict"] in ("valid", "noisy", "invalid")
    assert found["status_stats"] == {"chip_power_w": 12.5}
    assert found["device_state_before"] == {"load_average": 0.5}
    assert CALLS[0] == "setup level=3 model=m.onnx"
    assert CALLS[-1] == "teardown"


def test_raw_samples_are_kept_in_the_build(registry, state):
    run(state, registry, iterations=5)
    content = json.loads((state.build.path / result_of(state)["samples_file"]).read_text())
    assert content["unit"] == "ns"
    assert [len(run["timed_ns"]) for run in content["runs"]] == [5]


def test_two_runtimes_leave_two_results(registry, state):
    run(state, registry, iterations=3)
    run(state, registry, iterations=3, runtime="another")
    state.save()
    written = yaml.safe_load(state.build.stats_file.read_text())
    assert {entry["runtime"] for entry in written["results"].values()} == {"quick", "another"}


def test_runtime_that_measures_by_itself_is_unverified(registry, state):
    run(state, registry, runtime="another")
    found = result_of(state)
    assert found["mean_latency_ms"] == 2.0
    assert found["verdict"] == "unverified"


def test_impossible_numbers_fail_the_step(registry, state):
    with pytest.raises(BuildError, match="which cannot be"):
        run(state, registry, runtime="impossible")


def test_teardown_follows_a_failure(registry, state):
    with pytest.raises(RuntimeError, match="on fire"):
        run(state, registry, runtime="failing")
    assert CALLS[-1] == "teardown"
    assert state.shown_results == []


def test_requirement_check_comes_before_anything_is_set_up(registry, state):
    with pytest.raises(BuildError, match="driver is too old"):
        run(state, registry, runtime="refused")
    assert CALLS == []


def test_device_that_is_not_there_fails_the_step(registry, state):
    options = resolved(registry)
    FakeChip.present = False
    with pytest.raises(BuildError, match="This machine has no chip device") as caught:
        Benchmark().run(state, options)
    assert caught.value.hint is None


def test_what_a_device_says_of_its_absence_is_passed_on(registry, state, monkeypatch):
    def refuse():
        raise BuildError("Its driver is missing.", hint="Install it.")

    options = resolved(registry)
    monkeypatch.setattr(FakeChip, "full_name", refuse)
    FakeChip.present = False
    with pytest.raises(BuildError) as caught:
        Benchmark().run(state, options)
    assert caught.value.hint == "Its driver is missing. Install it."


def test_several_runtimes_are_several_steps_with_their_own_arguments(registry):
    given = BenchmarkOptions(
        runtime="quick, slow,quick", rt_args=("level::1", "slow.names::[a,", "b]")
    )
    steps = Benchmark.expand(given, registry)
    assert [(step.runtime, step.rt_args) for step in steps] == [
        ("quick", ("level::1",)),
        ("slow", ("level::1", "names::[a, b]")),
    ]


def test_an_argument_of_a_runtime_that_is_not_named_is_left_to_be_refused():
    assert arguments_for("a", ["a"], ["b.level::1"]) == ("b.level::1",)


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0.5", 0.005), (" 10 % ", 0.1)])
def test_precision_is_read_as_percent(text, share):
    assert percent_from(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "x", "0", "-1%", "100%", "nan"])
def test_precision_that_is_none_is_refused(text):
    with pytest.raises(PlanError, match="--until-ci takes a number of percent"):
        percent_from(text)


def test_more_is_timed_until_it_took_long_enough(registry, state):
    run(state, registry, iterations=2, min_duration=0.02)
    assert result_of(state)["iterations"] > 2
    assert result_of(state)["min_duration"] == 0.02


def test_each_repeat_loads_the_model_again_and_all_are_kept(registry, state):
    CALLS.clear()
    run(state, registry, iterations=3, repeat=4)
    found = result_of(state)
    assert sum(call.startswith("setup") for call in CALLS) == 4
    assert CALLS.count("teardown") == 4
    assert len(found["repeat_mean_latency_ms"]) == 4
    assert found["mean_latency_ms"] == pytest.approx(sum(found["repeat_mean_latency_ms"]) / 4)
    content = json.loads((state.build.path / found["samples_file"]).read_text())
    assert [len(each["timed_ns"]) for each in content["runs"]] == [3] * 4


def performance(mean, verdict="valid", reasons=()):
    return MeasuredPerformance(
        mean, 1000 / mean, "Chip", "chip", "quick", verdict=verdict, verdict_reasons=reasons
    )


def test_runs_that_agree_stay_valid_and_runs_apart_are_doubted():
    assert combine([performance(1.0), performance(1.01)]).verdict == "valid"
    apart = combine([performance(1.0), performance(1.5)])
    assert apart.verdict == "noisy"
    assert "the means of 2 runs lie 40% apart" in apart.verdict_reasons


def test_the_worst_verdict_of_several_runs_counts():
    runs = [performance(1.0), performance(1.0, "invalid", ("too quick",)), performance(1.0)]
    assert combine(runs).verdict == "invalid"
    assert combine(runs).verdict_reasons == ("too quick",)


def test_threads_are_a_runtime_argument_by_another_name(registry):
    by_option = resolved(registry, runtime="filed", threads=2)
    by_argument = resolved(registry, runtime="filed", rt_args=("threads::2",))
    assert by_option == by_argument
    assert by_option.rt_args == ("threads::2",)


def test_threads_said_twice_are_refused(registry):
    with pytest.raises(PlanError, match="--threads and the runtime argument 'threads' say the sam"):
        resolved(registry, runtime="filed", threads=2, rt_args=("threads::2",))


def test_threads_for_a_runtime_that_takes_none_are_refused(registry):
    with pytest.raises(PlanError, match="'quick' takes no number of threads"):
        resolved(registry, threads=2)


def test_threads_reach_the_worker_and_are_recorded(registry, state):
    run(state, registry, runtime="filed", threads=3, iterations=2)
    found = result_of(state)
    assert found["threads"] == 3
    assert found["facts"]["arguments"] == {"threads": 3, "context": 3}


def test_versions_are_steps_and_current_is_what_is_installed(registry):
    given = BenchmarkOptions(runtime="filed", rt_version="1.4.0, current,1.5.0,1.4.0")
    steps = Benchmark.expand(given, registry)
    assert [step.rt_version for step in steps] == ["1.4.0", None, "1.5.0"]
    assert {step.runtime for step in steps} == {"filed"}
    without_runtime = Benchmark.expand(BenchmarkOptions(rt_version="1.4.0,1.5.0"), registry)
    assert [step.rt_version for step in without_runtime] == ["1.4.0", "1.5.0"]


def test_versions_of_several_runtimes_are_refused(registry):
    with pytest.raises(PlanError, match="--rt-version is for one runtime"):
        Benchmark.expand(BenchmarkOptions(runtime="filed,quick", rt_version="1.0"), registry)


@pytest.mark.parametrize("way", [{"rt_version": "1.0"}, {"rt_env": "/"}])
def test_a_runtime_that_measures_here_has_no_environment_of_its_own(registry, way):
    with pytest.raises(PlanError, match="'quick' is measured in the process that runs turnkey"):
        resolved(registry, **way)


def test_a_worker_whose_packages_are_unknown_has_no_environment_of_its_own(registry):
    with pytest.raises(PlanError, match="'silent' does not say which packages its worker needs"):
        resolved(registry, runtime="silent", rt_version="1.0")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rt_version": "new"}, "'new' is no version"),
        ({"rt_env": "/nowhere"}, "The environment /nowhere does not exist"),
        ({"rt_env": "/", "rt_version": "1.0"}, "--rt-env and --rt-version each choose"),
    ],
)
def test_an_environment_that_cannot_be_is_refused_when_planned(registry, options, message):
    with pytest.raises(PlanError, match=message):
        resolved(registry, runtime="filed", **options)


@pytest.fixture
def own_environment(tmp_path):
    """An environment that is this one, under another path."""
    python = tmp_path / "env/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return tmp_path / "env"


def test_a_worker_runs_in_the_environment_that_is_given(registry, state, own_environment):
    run(state, registry, runtime="filed", rt_env=str(own_environment), iterations=2)
    found = result_of(state)
    assert found["environment"]["python"] == str(own_environment / "bin/python")
    assert found["environment"]["packages"] == {"pluggy": metadata.version("pluggy")}
    assert (found["rt_env"], found["rt_version"]) == (str(own_environment / "bin/python"), "7.0")
    assert "pythonpath" not in found["facts"]


def test_an_environment_without_what_the_worker_needs_fails_the_step(
    registry, state, own_environment, monkeypatch
):
    monkeypatch.setattr(Filed, "worker_packages", ("no-such-package",))
    with pytest.raises(BuildError, match="has no no-such-package"):
        run(state, registry, runtime="filed", rt_env=str(own_environment))


def test_versions_are_results_of_their_own(registry, state, monkeypatch):
    wanted = []

    def environment_with(packages, version, cache):
        wanted.append((packages, version, cache))
        return Environment(Path(sys.executable), "3.11", {"pluggy": version})

    monkeypatch.setattr(choices, "environment_with", environment_with)
    for version in ("1.4.0", "1.5.0", None):
        run(state, registry, runtime="filed", rt_version=version, iterations=2)
    assert len(set(state.shown_results)) == 3
    cache = state.context.cache.path
    assert wanted == [(("pluggy",), "1.4.0", cache), (("pluggy",), "1.5.0", cache)]
    packages = [state.stats.results[key].get("environment") for key in state.shown_results]
    assert [p and p["packages"]["pluggy"] for p in packages] == ["1.4.0", "1.5.0", None]


def test_what_must_be_installed_here_does_not_matter_elsewhere(registry, state, own_environment):
    with pytest.raises(BuildError, match="driver is too old"):
        run(state, registry, runtime="filed-refused", iterations=2)
    run(state, registry, runtime="filed-refused", rt_env=str(own_environment), iterations=2)
    assert len(state.shown_results) == 1


@pytest.mark.parametrize("info", [{}, {"inputs_folder": "inputs"}, {"inputs": {}}])
def test_model_without_inputs_is_refused(state, registry, info):
    model = state.folder("onnx") / "bare.onnx"
    model.write_text("model")
    state.add(ONNX_MODEL, [model], info=info)
    with pytest.raises(BuildError) as caught:
        run(state, registry, runtime="quick")
    assert caught.value.message == f"The onnx-model of {state.name} comes without inputs."
    assert caught.value.hint == "Start from its file with load-onnx, which makes inputs."
