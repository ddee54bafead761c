"""The processor's name."""

from __future__ import annotations

import pytest

from turnkeyml_plugin_x86.arm_parts import core_name
from turnkeyml_plugin_x86.naming import arm_name, x86_name

INTEL = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R)   Processor @ 2.50GHz

processor\t: 1
model name\t: Intel(R) Xeon(R)   Processor @ 2.50GHz
"""
GRAVITON = """processor\t: 0
BogoMIPS\t: 2100.00
CPU implementer\t: 0x41
CPU architecture: 8
CPU part\t: 0xd40
"""
RASPBERRY = """processor\t: 0
CPU implementer\t: 0x41
CPU part\t: 0xd08

Hardware\t: BCM2835
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""
BIG_LITTLE = "\n".join(
    f"processor\t: {n}\nCPU implementer\t: 0x41\nCPU part\t: {part}\n"
    for n, part in enumerate(["0xd03", "0xd03", "0xd08", "0xd08"])
)


def test_name_is_the_processor_s_own_with_single_spaces(tree):
    root = tree({"proc/cpuinfo": INTEL})
    assert x86_name(root) == "Intel(R) Xeon(R) Processor @ 2.50GHz"


def test_system_that_tells_nothing_gives_no_name(tree):
    root = tree({})
    assert x86_name(root) == ""
    assert arm_name(root) == ""


def test_arm_cores_are_named_by_their_numbers(tree):
    assert arm_name(tree({"proc/cpuinfo": GRAVITON})) == "Neoverse-V1"


def test_arm_cores_of_several_kinds_are_all_named(tree):
    root = tree({"proc/cpuinfo": BIG_LITTLE})
    assert arm_name(root) == "Cortex-A53 + Cortex-A72"


def test_board_is_named_from_the_device_tree(tree):
    root = tree({"proc/cpuinfo": RASPBERRY, "proc/device-tree/model": "NVIDIA Orin Nano\0"})
    assert arm_name(root) == "Cortex-A72 (NVIDIA Orin Nano)"


def test_board_is_named_from_cpuinfo_without_a_device_tree(tree):
    root = tree({"proc/cpuinfo": RASPBERRY})
    assert arm_name(root) == "Cortex-A72 (Raspberry Pi 4 Model B Rev 1.4)"


@pytest.mark.parametrize(
    ("vendor", "product", "name"),
    [
        ("Amazon EC2", "m7g.large", "Neoverse-V1 (Amazon EC2 m7g.large)"),
        ("Ampere", "Ampere Altra", "Neoverse-V1 (Ampere Altra)"),
        ("QEMU", "QEMU Virtual Machine", "Neoverse-V1"),
    ],
)
def test_server_is_named_from_its_firmware(tree, vendor, product, name):
    dmi = "sys/devices/virtual/dmi/id"
    root = tree(
        {"proc/cpuinfo": GRAVITON, f"{dmi}/sys_vendor": vendor, f"{dmi}/product_name": product}
    )
    assert arm_name(root) == name


def test_core_that_is_not_known_shows_its_numbers():
    assert core_name("0x41", "0xfff") == "Arm 0x41:0xfff"
    assert core_name("0xee", "0x001") == "Arm 0xee:0x001"


@pytest.mark.parametrize(("implementer", "part"), [("", ""), ("0x41", ""), ("x", "y")])
def test_core_that_says_nothing_has_no_name(implementer, part):
    assert core_name(implementer, part) == ""
