"""The processor as a device."""

from __future__ import annotations

import platform

import pytest

from turnkeyml_plugin_x86.device import X86, Arm, processor_name
from turnkeyml_plugin_x86.plugin import implements

INTEL = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R)   Processor @ 2.50GHz
"""
RASPBERRY = """processor\t: 0
BogoMIPS\t: 108.00
Hardware\t: BCM2835
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""


def test_name_of_the_processor_is_read_from_cpuinfo(tmp_path):
    (tmp_path / "cpuinfo").write_text(INTEL)
    assert processor_name(tmp_path / "cpuinfo") == "Intel(R) Xeon(R) Processor @ 2.50GHz"


def test_name_of_an_arm_board_is_read_from_cpuinfo(tmp_path):
    (tmp_path / "cpuinfo").write_text(RASPBERRY)
    assert processor_name(tmp_path / "cpuinfo") == "BCM2835"


def test_missing_cpuinfo_gives_no_name(tmp_path):
    assert processor_name(tmp_path / "none") == ""


@pytest.mark.parametrize(
    ("machine", "present"), [("x86_64", X86), ("AMD64", X86), ("aarch64", Arm), ("arm64", Arm)]
)
def test_machine_is_one_of_the_two_families(monkeypatch, machine, present):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert [info for info in (X86, Arm) if info.is_present()] == [present]


def test_full_name_is_never_empty():
    assert X86.full_name()


def test_state_gives_cores_and_load():
    state = X86.state()
    assert state["usable_cores"] >= 1
    assert state["load_average"] >= 0


def test_classes_in_the_mapping_exist_and_are_host_devices():
    for entry in implements["devices"].values():
        module, _, name = entry["class"].partition(":")
        found = getattr(__import__(module, fromlist=[name]), name)
        assert found.is_host
