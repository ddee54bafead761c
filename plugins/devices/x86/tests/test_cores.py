"""Cores, and what containers leave of them."""

from __future__ import annotations

import pytest

from turnkeyml_plugin_x86.container import cpu_quota, memory_limit
from turnkeyml_plugin_x86.cores import read_cores, usable_cpus
from turnkeyml_plugin_x86.files import cpus_from_text, read_int, read_text

CPU = "sys/devices/system/cpu"
GIB = 1 << 30


def two_sockets():
    """Two sockets of two cores of two threads."""
    files = {f"{CPU}/online": "0-7\n", f"{CPU}/smt/active": "1\n"}
    for cpu in range(8):
        core = cpu % 4
        folder = f"{CPU}/cpu{cpu}/topology"
        files[f"{folder}/physical_package_id"] = f"{core // 2}\n"
        files[f"{folder}/core_id"] = f"{core % 2}\n"
        files[f"{folder}/core_cpus_list"] = f"{core},{core + 4}\n"
    for node in range(2):
        name = f"sys/devices/system/node/node{node}/cpulist"
        files[name] = f"{2 * node}-{2 * node + 1},{2 * node + 4}-{2 * node + 5}\n"
    return files


def test_threads_cores_and_sockets_are_counted(tree):
    found = read_cores(tree(two_sockets()), cpus_from_text("0-7"))
    assert (found.cores, found.physical_cores, found.packages) == (8, 4, 2)
    assert found.smt is True
    assert (found.numa_nodes, found.numa_nodes_used) == (2, 2)
    assert (found.affinity_cores, found.quota_cores, found.usable_cores) == (8, None, 8)


def test_affinity_limits_cores_and_nodes(tree):
    found = read_cores(tree(two_sockets()), cpus_from_text("0,1,4"))
    assert (found.cores, found.affinity_cores, found.usable_cores) == (8, 3, 3)
    assert (found.numa_nodes, found.numa_nodes_used) == (2, 1)


def test_cores_are_counted_from_cpuinfo_without_a_topology(tree):
    blocks = [f"processor\t: {n}\nphysical id\t: 0\ncore id\t\t: {n % 2}\n" for n in range(4)]
    found = read_cores(tree({"proc/cpuinfo": "\n".join(blocks)}), cpus_from_text("0-3"))
    assert (found.cores, found.physical_cores, found.packages, found.smt) == (4, 2, 1, True)


def test_system_that_tells_nothing_leaves_what_the_process_knows(tree):
    found = read_cores(tree({}), frozenset({0, 1}))
    assert (found.cores, found.usable_cores) == (2, 2)
    assert found.physical_cores is found.packages is found.smt is found.numa_nodes is None


def test_this_process_may_use_a_core():
    assert usable_cpus()


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/b/cpu.max": "150000 100000"}, 1.5),
        ({"proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/b/cpu.max": "max 100000"}, None),
        (
            {
                "proc/self/cgroup": "0::/a/b",
                "sys/fs/cgroup/a/cpu.max": "50000 100000",
                "sys/fs/cgroup/a/b/cpu.max": "200000 100000",
            },
            0.5,
        ),
        # A container of the second kind sees itself as the root.
        ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "300000 100000"}, 3.0),
        (
            {
                "proc/self/cgroup": "4:memory:/m\n1:cpu,cpuacct:/docker/x\n0::/",
                "sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us": "250000",
                "sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us": "100000",
            },
            2.5,
        ),
        # The path is the host's, and only the mount is there.
        (
            {
                "proc/self/cgroup": "1:cpu:/docker/x",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            },
            1.0,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            },
            None,
        ),
        # Outside of its namespace a group is reached by climbing out, which nobody follows.
        ({"proc/self/cgroup": "0::/../x", "sys/fs/cgroup/cpu.max": "100000 100000"}, 1.0),
        ({"proc/self/cgroup": "garbage\n:\n"}, None),
        ({}, None),
    ],
)
def test_quota_is_the_smallest_on_the_way_up(tree, files, quota):
    assert cpu_quota(tree(files)) == quota


def test_quota_limits_usable_cores(tree):
    files = {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "150000 100000"}
    found = read_cores(tree(files), frozenset(range(4)))
    assert (found.affinity_cores, found.quota_cores, found.usable_cores) == (4, 1.5, 1.5)


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"proc/self/cgroup": "0::/a", "sys/fs/cgroup/a/memory.max": str(2 * GIB)}, 2 * GIB),
        ({"proc/self/cgroup": "0::/a", "sys/fs/cgroup/a/memory.max": "max"}, None),
        (
            {
                "proc/self/cgroup": "0::/a/b",
                "sys/fs/cgroup/a/memory.max": str(GIB),
                "sys/fs/cgroup/a/b/memory.max": str(3 * GIB),
            },
            GIB,
        ),
        (
            {
                "proc/self/cgroup": "3:memory:/m",
                "sys/fs/cgroup/memory/m/memory.limit_in_bytes": str(GIB),
            },
            GIB,
        ),
        # What the first kind of hierarchy calls unlimited.
        (
            {
                "proc/self/cgroup": "3:memory:/",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            },
            None,
        ),
        ({}, None),
    ],
)
def test_memory_limit_is_the_smallest_on_the_way_up(tree, files, limit):
    assert memory_limit(tree(files), 8 * GIB) == limit


@pytest.mark.parametrize(
    ("text", "cpus"), [("0-2,5", {0, 1, 2, 5}), ("3", {3}), ("", set()), ("x-y", set())]
)
def test_lists_of_processors_are_read(text, cpus):
    assert cpus_from_text(text) == cpus


def test_files_that_cannot_be_read_are_as_if_they_were_not_there(tmp_path):
    assert read_text(tmp_path) == ""
    assert read_int(tmp_path / "none") is None
