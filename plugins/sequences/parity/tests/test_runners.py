"""Which runtime runs an artifact for a check."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from parity_support import PROVIDER, FakeChip, FakeModel, FakeRT, OnlyFast

from turnkeyml.errors import BuildError
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.registry import Registry
from turnkeyml_plugin_parity.results import Unable
from turnkeyml_plugin_parity.runners import find_runner, software_of

Y = np.float32([1, 2])


class Absent(FakeChip):
    is_host = False

    @classmethod
    def is_present(cls):
        return False


class Elsewhere(FakeChip):
    is_host = False

    @classmethod
    def is_present(cls):
        return True


@pytest.fixture(autouse=True)
def chip_is_present(monkeypatch):
    monkeypatch.setattr(FakeChip, "present", True)


def refuse():
    raise BuildError("The driver is too old.", hint="Update it.")


def registry_of(runtimes):
    mapping = {
        "devices": {
            "chip": {"class": FakeChip, "default_runtimes": ["favourite"]},
            "absent": {"class": Absent},
            "elsewhere": {"class": Elsewhere, "parts": {"p1": ["c1"]}},
        },
        "runtimes": {
            name: {"RuntimeClass": cls, "supported_devices": list(devices), **more}
            for name, (cls, devices, more) in runtimes.items()
        },
    }
    found = read_mapping(PROVIDER, mapping)
    return Registry(
        runtimes={r.name: r for r in found.runtimes}, devices={d.family: d for d in found.devices}
    )


def plan_of(runtime, device, rt_args=()):
    options = SimpleNamespace(runtime=runtime, device=device, rt_args=rt_args)
    return SimpleNamespace(
        steps=(SimpleNamespace(options=SimpleNamespace()), SimpleNamespace(options=options))
    )


PLAIN = (FakeRT, ["chip"], {})


def chosen(registry, plan=None, kind="onnx-model"):
    runner = find_runner(kind, registry, plan)
    return runner.name, str(runner.device), runner.rt_args


def test_the_first_choice_of_the_machine_runs_what_nobody_benchmarks():
    assert chosen(registry_of({"a": PLAIN, "favourite": PLAIN})) == ("favourite", "chip", ())
    assert chosen(registry_of({"b": PLAIN, "a": PLAIN})) == ("a", "chip", ())


def test_the_runtime_that_the_chain_benchmarks_with_runs_it_in_the_same_way():
    registry = registry_of({"favourite": PLAIN, "other": (FakeRT, ["chip", "elsewhere"], {})})
    plan = plan_of("other", "elsewhere::p1::c1", ("scale::2",))
    assert chosen(registry, plan) == ("other", "elsewhere::p1::c1", ("scale::2",))


@pytest.mark.parametrize(
    "plan",
    [
        plan_of("engine", "chip"),
        plan_of("unheard-of", "chip"),
        plan_of("measures", "chip"),
        plan_of("other", "absent"),
        plan_of("other", "chip::::"),
        plan_of(3, None),
    ],
)
def test_one_that_cannot_run_it_here_is_passed_over(plan):
    registry = registry_of(
        {
            "favourite": PLAIN,
            "other": (FakeRT, ["chip", "absent"], {}),
            "engine": (FakeRT, ["chip"], {"consumes": "engine"}),
            "measures": (OnlyFast, ["chip"], {}),
        }
    )
    assert chosen(registry, plan)[:2] == ("favourite", "chip")


def test_a_device_beside_the_processor_serves_if_it_is_there():
    registry = registry_of({"far": (FakeRT, ["absent", "elsewhere"], {})})
    assert chosen(registry) == ("far", "elsewhere::p1::c1", ())


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ((OnlyFast, ["chip"], {}), "r on chip: it measures, and returns no outputs"),
        ((FakeRT, ["absent"], {}), "r on absent: this machine has no absent device"),
        ((FakeRT, ["chip"], {"requirement_check": refuse}), "r on chip: The driver is too old"),
        (("gone.package:RT", ["chip"], {}), "r on chip: .* to be importable"),
        ((FakeRT, ["chip"], {"consumes": "engine"}), "No installed runtime takes onnx-model"),
    ],
)
def test_without_an_able_runtime_the_reason_is_said(entry, reason):
    with pytest.raises(Unable, match=reason):
        find_runner("onnx-model", registry_of({"r": entry}), None)


def test_nothing_installed_is_a_reason_too():
    with pytest.raises(Unable, match="No installed runtime takes onnx-model"):
        find_runner("onnx-model", Registry(), None)


def test_arguments_of_the_chain_reach_the_runtime(chain):
    chain.begin(FakeModel(lambda seed: {"y": Y}))
    chain.plan = plan_of("other", "chip", ("scale::2",))
    found = chain.step("export", {"y": Y})
    assert (found["runtime"], found["status"]) == ("other", "mismatch")
    chain.plan = plan_of("other", "chip", ("scale::1",))
    assert chain.step("export", {"y": Y})["status"] == "ok"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (
            "provider::Foo",
            "other can run it, but not with --rt-args provider::Foo: ValueError: there is no Foo.",
        ),
        ("scale::-2", "The runtime argument scale is at least 0, not -2.0."),
        ("nonsuch::2", "The runtime 'other' has no argument 'nonsuch'."),
    ],
)
def test_arguments_that_the_runtime_refuses_say_nothing_of_the_file(chain, word, reason):
    chain.settings["on_mismatch"] = "fail"
    chain.begin(FakeModel(lambda seed: {"y": Y}))
    chain.plan = plan_of("other", "chip", (word,))
    found = chain.step("export", {"y": Y})
    assert (found["status"], found["reason"]) == ("not checked", reason)
    assert chain.summary["status"] == "not checked"
    assert (chain.notes, chain.state.findings) == ([], {})
    names = {path.name for path in chain.state.build.path.iterdir()}
    assert names == {".claim", "inputs", "onnx", "reference", "log_parity-export.txt"}


def test_a_file_that_runs_without_the_arguments_neither_is_refused(chain):
    chain.begin(FakeModel(lambda seed: {"y": Y}))
    chain.plan = plan_of("other", "chip", ("provider::Foo",))
    found = chain.step("export", LookupError("no such operator"))
    assert found["status"] == "refused"
    assert found["reason"] == "other cannot run what export made: LookupError: no such operator."


def test_refused_arguments_are_tried_again(chain, monkeypatch):
    chain.begin(FakeModel(lambda seed: {"y": Y}))
    chain.plan = plan_of("other", "chip", ("provider::Foo",))
    assert chain.step("export", {"y": Y})["status"] == "not checked"
    chain.state.save()
    monkeypatch.setattr(FakeRT, "infer", lambda self: {"y": Y})
    chain.begin(FakeModel(lambda seed: {"y": Y}))
    assert chain.step("export", {"y": Y})["status"] == "ok"


def test_versions_of_a_runtime_are_those_of_its_package_and_what_it_requires():
    from importlib import metadata

    name = "turnkeyml-plugin-parity"
    record = SimpleNamespace(
        provider=SimpleNamespace(distribution=name, __str__=lambda self: "x"),
    )
    found = software_of(record)
    assert f"numpy {metadata.version('numpy')}" in found
    assert f"turnkeyml-core {metadata.version('turnkeyml-core')}" in found
    missing = SimpleNamespace(provider=SimpleNamespace(distribution="not-installed"))
    assert len(software_of(missing)) == 1
