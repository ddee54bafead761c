"""Devices: family::part::config, completed by what the runtime supports."""

from __future__ import annotations

from typing import Any

import pytest
from core_env import FakePlugins

from turnkeyml.device import (
    Device,
    DeviceInfo,
    default_device,
    resolve_device,
    runtimes_for,
)
from turnkeyml.errors import PlanError
from turnkeyml.plugins.registry import Registry
from turnkeyml.runtime import BaseRT


def info(present: bool, host: bool) -> type[DeviceInfo]:
    class Info(DeviceInfo):
        is_host = host

        @classmethod
        def is_present(cls) -> bool:
            return present

        @classmethod
        def full_name(cls) -> str:
            return "A device"

    return Info


def runtime(devices: Any) -> dict[str, Any]:
    return {"RuntimeClass": BaseRT, "supported_devices": devices}


@pytest.fixture
def registry(plugins: FakePlugins) -> Registry:
    plugins.add(
        {
            "devices": {
                "npu": {"parts": {"p1": ["c1", "c2"], "p2": []}, "default_runtimes": ["zeta"]},
                "cpu": {"class": info(True, True), "default_runtimes": ["gone", "beta"]},
            },
            "runtimes": {
                "alpha": runtime({"npu", "cpu"}),
                "beta": runtime(["cpu"]),
                "zeta": runtime({"npu": {"p2": ["d1"], "p1": []}}),
            },
        }
    )
    return plugins.registry()


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("x86", Device("x86")),
        ("npu::p1", Device("npu", "p1")),
        ("npu::p1::c2", Device("npu", "p1", "c2")),
    ],
)
def test_a_device_is_family_part_and_configuration(text: str, device: Device) -> None:
    assert Device.parse(text) == device
    assert str(device) == text


@pytest.mark.parametrize("text", ["", "::", "a::", "::a", "a::b::", "a::b::c::d", "a::::c"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="is no device. Write family, family::part"):
        Device.parse(text)


def complete(registry: Registry, device: str, runtime_name: str) -> str:
    return str(resolve_device(Device.parse(device), registry.runtime(runtime_name), registry))


def test_a_device_is_completed_with_the_first_that_the_runtime_supports(registry: Registry) -> None:
    assert complete(registry, "npu", "zeta") == "npu::p2::d1"
    assert complete(registry, "npu::p1", "zeta") == "npu::p1"
    assert complete(registry, "npu::p2", "zeta") == "npu::p2::d1"


def test_a_runtime_that_names_no_parts_supports_all_of_the_family(registry: Registry) -> None:
    assert complete(registry, "npu", "alpha") == "npu::p1::c1"
    assert complete(registry, "npu::p1::c2", "alpha") == "npu::p1::c2"
    assert complete(registry, "cpu", "alpha") == "cpu"


@pytest.mark.parametrize(
    ("device", "runtime_name", "said"),
    [
        ("npv", "alpha", "There is no device 'npv'. Did you mean 'npu'?"),
        ("x86", "alpha", "pip install turnkeyml-plugin-x86"),
        (
            "npu",
            "beta",
            "does not support the device 'npu'. It supports: cpu. For 'npu' there is: alpha, zeta.",
        ),
        ("npu::p3", "zeta", "The device 'npu' has no part 'p3'. It has: p2, p1."),
        ("npu::p2::d2", "zeta", "The part 'p2' of 'npu' has no configuration 'd2'. It has: d1."),
        ("npu::p1::c1", "zeta", "It has no configurations."),
        ("cpu::p", "alpha", "The device 'cpu' has no part 'p'. It has no parts."),
    ],
)
def test_a_device_that_cannot_be_is_refused_with_what_can(
    registry: Registry, device: str, runtime_name: str, said: str
) -> None:
    with pytest.raises(PlanError) as caught:
        complete(registry, device, runtime_name)
    assert said in str(caught.value)


def test_a_device_that_only_one_runtime_supports_says_so(plugins: FakePlugins) -> None:
    plugins.add({"runtimes": {"alpha": runtime(["a"]), "beta": runtime(["b"])}})
    with pytest.raises(
        PlanError, match="'beta' does not support the device 'a'. It supports: b. For"
    ):
        complete(plugins.registry(), "a", "beta")


def test_the_default_runtime_comes_first(registry: Registry) -> None:
    def names(device: str) -> list[str]:
        return [r.name for r in runtimes_for(Device.parse(device), registry)]

    assert names("npu::p1") == ["zeta", "alpha"]
    assert names("cpu") == ["beta", "alpha"]
    assert names("unknown") == []


def test_the_default_device_is_what_this_machine_is(registry: Registry) -> None:
    assert default_device(registry) == Device("cpu")


@pytest.mark.parametrize(("present", "host"), [(False, True), (True, False)])
def test_without_a_present_host_there_is_no_default_device(
    plugins: FakePlugins, present: bool, host: bool
) -> None:
    plugins.add({"devices": {"d": {"class": info(present, host)}}})
    with pytest.raises(PlanError, match="pip install turnkeyml-plugin-x86"):
        default_device(plugins.registry())


def test_a_device_class_that_cannot_be_loaded_does_not_hide_the_others(
    plugins: FakePlugins,
) -> None:
    plugins.add({"devices": {"a": {"class": "no_such_module:D"}}}, distribution="a-broken-one")
    plugins.add({"devices": {"b": {"class": info(True, True)}}}, distribution="b")
    assert default_device(plugins.registry()) == Device("b")


def test_a_device_says_nothing_of_its_state_unless_it_knows() -> None:
    assert info(True, True).state() == {}
