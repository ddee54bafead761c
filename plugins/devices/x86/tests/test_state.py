"""Clocks, load, and the state as a whole."""

from __future__ import annotations

import json
import platform

import pytest

from turnkeyml_plugin_x86.device import X86, Arm, state_of
from turnkeyml_plugin_x86.frequency import read_frequency
from turnkeyml_plugin_x86.load import read_load
from turnkeyml_plugin_x86.plugin import implements

CPU = "sys/devices/system/cpu"


def clocks():
    files = {f"{CPU}/intel_pstate/no_turbo": "1\n"}
    for cpu, now in enumerate((2000000, 3000000)):
        folder = f"{CPU}/cpu{cpu}/cpufreq"
        files[f"{folder}/scaling_cur_freq"] = f"{now}\n"
        files[f"{folder}/base_frequency"] = "2500000\n"
        files[f"{folder}/cpuinfo_max_freq"] = "3900000\n"
        files[f"{folder}/scaling_governor"] = "powersave\n"
        files[f"{folder}/scaling_driver"] = "intel_pstate\n"
        files[f"{folder}/energy_performance_preference"] = "balance_performance\n"
    return files


def test_clocks_and_who_decides_them(tree):
    found = read_frequency(tree(clocks()), frozenset({0, 1}))
    assert (found.frequency_mhz, found.slowest_core_mhz) == (2500.0, 2000.0)
    assert (found.base_frequency_mhz, found.max_frequency_mhz) == (2500.0, 3900.0)
    assert (found.governor, found.frequency_driver) == ("powersave", "intel_pstate")
    assert found.energy_preference == "balance_performance"
    assert found.turbo is False


def test_only_cores_that_the_process_may_use_count(tree):
    files = clocks()
    files[f"{CPU}/cpu1/cpufreq/scaling_governor"] = "performance\n"
    root = tree(files)
    assert read_frequency(root, frozenset({1})).frequency_mhz == 3000.0
    assert read_frequency(root, frozenset({1})).governor == "performance"
    assert read_frequency(root, frozenset({0, 1})).governor == "performance, powersave"


def test_clock_comes_from_cpuinfo_where_there_is_no_driver(tree):
    blocks = [f"processor\t: {n}\ncpu MHz\t\t: {mhz}\n" for n, mhz in enumerate((2499.8, 1200.0))]
    found = read_frequency(tree({"proc/cpuinfo": "\n".join(blocks)}), frozenset({0, 1}))
    assert (found.frequency_mhz, found.slowest_core_mhz) == (1849.9, 1200.0)
    assert found.governor is found.turbo is found.base_frequency_mhz is None


@pytest.mark.parametrize(
    ("files", "turbo"),
    [
        ({f"{CPU}/intel_pstate/no_turbo": "0"}, True),
        ({f"{CPU}/cpufreq/boost": "1"}, True),
        ({f"{CPU}/cpufreq/boost": "0"}, False),
        ({}, None),
    ],
)
def test_turbo_is_told_by_either_driver(tree, files, turbo):
    assert read_frequency(tree(files), frozenset({0})).turbo is turbo


def test_base_frequency_of_processors_with_cppc(tree):
    files = {f"{CPU}/cpu0/acpi_cppc/nominal_freq": "2450\n"}
    assert read_frequency(tree(files), frozenset({0})).base_frequency_mhz == 2450.0


def test_hottest_sensor_of_the_processor_counts(tree):
    files = {
        "sys/class/thermal/thermal_zone0/type": "acpitz\n",
        "sys/class/thermal/thermal_zone0/temp": "99000\n",
        "sys/class/thermal/thermal_zone1/type": "x86_pkg_temp\n",
        "sys/class/thermal/thermal_zone1/temp": "61000\n",
        "sys/class/hwmon/hwmon0/name": "k10temp\n",
        "sys/class/hwmon/hwmon0/temp1_input": "64500\n",
        "sys/class/hwmon/hwmon1/name": "nvme\n",
        "sys/class/hwmon/hwmon1/temp1_input": "80000\n",
    }
    assert read_frequency(tree(files), frozenset({0})).temperature_c == 64.5


def test_load_and_memory(tree):
    files = {
        "proc/loadavg": "1.25 0.80 0.50 3/812 4242\n",
        "proc/pressure/cpu": "some avg10=12.50 avg60=1.00 avg300=0.10 total=99\n",
        "proc/meminfo": "MemTotal:  1024 kB\nMemAvailable:   512 kB\nHugePages_Total:  0\n",
        "proc/self/cgroup": "0::/",
        "sys/fs/cgroup/memory.max": "262144",
    }
    found = read_load(tree(files))
    assert (found.load_average, found.runnable, found.cpu_pressure_percent) == (1.25, 3, 12.5)
    assert (found.memory_bytes, found.available_memory_bytes) == (1 << 20, 1 << 19)
    assert found.memory_limit_bytes == 1 << 18


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/loadavg": "", "proc/pressure/cpu": "some", "proc/meminfo": "MemTotal"},
        {"proc/loadavg": "a b c d", "proc/pressure/cpu": "some avg10=x"},
    ],
)
def test_load_of_a_system_that_tells_nothing(tree, files):
    found = read_load(tree(files))
    assert set(vars(found).values()) == {None}


def test_state_has_only_what_the_system_tells(tree):
    assert state_of(tree({}), frozenset({0, 1})) == {
        "cores": 2,
        "affinity_cores": 2,
        "usable_cores": 2,
    }


def test_virtual_machine_and_instructions_are_told(tree):
    root = tree({"proc/cpuinfo": "processor: 0\nflags: fpu avx2 hypervisor amx_tile sse\n"})
    found = state_of(root, frozenset({0}))
    assert found["virtual_machine"] is True
    assert found["instructions"] == ["avx2", "amx_tile"]


def test_instructions_of_arm_are_told(tree):
    root = tree({"proc/cpuinfo": "processor: 0\nFeatures: fp asimd sve bf16\n"})
    assert state_of(root, frozenset({0}))["instructions"] == ["asimd", "bf16", "sve"]


@pytest.mark.parametrize(
    ("machine", "present"), [("x86_64", X86), ("AMD64", X86), ("aarch64", Arm), ("arm64", Arm)]
)
def test_machine_is_one_of_the_two_families(monkeypatch, machine, present):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert [info for info in (X86, Arm) if info.is_present()] == [present]


def test_full_name_is_never_empty():
    assert X86.full_name()
    assert Arm.full_name()


def test_state_of_this_machine_can_be_written():
    state = X86.state()
    assert json.loads(json.dumps(state)) == state
    assert 0 < state["usable_cores"] <= state["cores"]


def test_classes_in_the_mapping_exist_and_are_host_devices():
    for entry in implements["devices"].values():
        module, _, name = entry["class"].partition(":")
        found = getattr(__import__(module, fromlist=[name]), name)
        assert found.is_host
