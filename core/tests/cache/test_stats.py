"""Statistics: added to and never overwritten, whoever writes."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.cache.layout import BuildDirectory
from turnkeyml.cache.stats import Stats, plain
from turnkeyml.errors import CacheError


@pytest.fixture
def build(tmp_path: Path) -> BuildDirectory:
    found = BuildDirectory(tmp_path, "b_12345678")
    found.path.mkdir()
    return found


def test_statistics_come_back(build: BuildDirectory) -> None:
    stats = Stats(build)
    stats.save("class", "Net")
    stats.begin_step("id1", {"tool": "export"})
    stats.save("opset", 20)
    key = stats.save_result({"runtime": "ort", "iterations": 3}, {"mean_latency_ms": 1.5})
    stats.write()
    found = Stats.load(build)
    assert found.model == {"class": "Net"}
    assert found.steps == {"id1": {"tool": "export", "opset": 20}}
    assert found.results == {key: {"runtime": "ort", "iterations": 3, "mean_latency_ms": 1.5}}


def test_another_chain_adds_its_entries_and_leaves_the_others(build: BuildDirectory) -> None:
    for name in ("one", "two"):
        stats = Stats(build)
        stats.save(name, 1)
        stats.begin_step(name, {"tool": name})
        stats.save_result({"runtime": name}, {"x": 1})
        stats.write()
    found = Stats.load(build)
    assert set(found.model) == set(found.steps) == {"one", "two"}
    assert len(found.results) == 2


def test_the_same_step_and_the_same_result_are_replaced(build: BuildDirectory) -> None:
    for value in (1, 2):
        stats = Stats(build)
        stats.begin_step("id", {"value": value})
        stats.save_result({"a": 1, "b": 2}, {"value": value})
        stats.write()
    found = Stats.load(build)
    assert found.steps == {"id": {"value": 2}}
    assert [r["value"] for r in found.results.values()] == [2]


def test_a_result_is_known_by_its_identity_in_any_order(build: BuildDirectory) -> None:
    stats = Stats(build)
    one = stats.save_result({"a": 1, "b": [2]}, {})
    assert stats.save_result({"b": [2], "a": 1}, {}) == one
    assert stats.save_result({"a": 1, "b": [3]}, {}) != one


def test_no_file_gives_empty_statistics(build: BuildDirectory) -> None:
    found = Stats.load(build)
    assert (found.model, found.steps, found.results) == ({}, {}, {})


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "schema: 1\nsteps: [1]", "schema: 1\nresults: {a: 1}", "schema: 1\nmodel: 3"],
)
def test_a_damaged_file_is_refused_and_set_aside_when_written(
    build: BuildDirectory, text: str
) -> None:
    build.stats_file.write_text(text)
    with pytest.raises(CacheError, match=r"turnkey_stats\.yaml"):
        Stats.load(build)
    stats = Stats(build)
    stats.save("x", 1)
    stats.write()
    assert Stats.load(build).model == {"x": 1}
    assert (build.path / "turnkey_stats.yaml.damaged").read_text() == text


def test_a_newer_file_is_refused(build: BuildDirectory) -> None:
    build.stats_file.write_text("schema: 99\nmodel: {}\n")
    with pytest.raises(CacheError, match="newer turnkey"):
        Stats.load(build)


def test_four_processes_that_write_fifty_keys_each_lose_nothing(build: BuildDirectory) -> None:
    code = """
import sys
from pathlib import Path
from turnkeyml.cache.layout import BuildDirectory
from turnkeyml.cache.locks import build_lock
from turnkeyml.cache.stats import Stats
build, me = BuildDirectory(Path(sys.argv[1]), sys.argv[2]), sys.argv[3]
for n in range(50):
    with build_lock(build.cache, build.name, lambda owner: None):
        stats = Stats(build)
        stats.save(f"{me}_{n}", n)
        stats.write()
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(build.cache), build.name, str(me)])
        for me in range(4)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0, 0]
    found = Stats.load(build)
    assert found.model == {f"{me}_{n}": n for me in range(4) for n in range(50)}


class Scalar:
    """Like a number of numpy."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def item(self) -> Any:
        if isinstance(self._value, Exception):
            raise self._value
        return self._value

    def __str__(self) -> str:
        return "scalar"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (1.5, 1.5),
        (math.inf, "inf"),
        (math.nan, "nan"),
        ((1, [2, {3}]), [1, [2, [3]]]),
        ({1: Path("a/b")}, {"1": "a/b"}),
        (Scalar(4), 4),
        (Scalar(math.nan), "nan"),
        (Scalar(ValueError("many elements")), "scalar"),
    ],
)
def test_any_value_becomes_a_plain_one(value: object, expected: object) -> None:
    assert plain(value) == expected


@given(st.from_type(object))
def test_no_value_is_too_odd_to_be_kept(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    found = BuildDirectory(tmp_path_factory.getbasetemp(), "odd")
    found.path.mkdir(exist_ok=True)
    found.stats_file.unlink(missing_ok=True)
    stats = Stats(found)
    stats.save("x", value)
    stats.write()
    assert Stats.load(found).model == {"x": plain(value)}
