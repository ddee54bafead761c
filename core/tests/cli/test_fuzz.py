"""No command line, however odd, shows a traceback, takes long or writes where it should not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from command_fuzz_run import complaints, fuzz_for, set_up, try_line
from core_env import FakePlugins
from fuzz_command_line import Watch, command_lines, vocabulary_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUICK = {
    "derandomize": True,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
}


def test_no_command_line_does_what_it_must_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, words = set_up(tmp_path, monkeypatch)

    @settings(max_examples=150, **QUICK)
    @given(command_lines(words), st.booleans())
    def attempt(line: list[str], dry: bool) -> None:
        assert not try_line(line, world, dry=dry)

    attempt()


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_no_command_line_in_a_minute_does_what_it_must_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same lines each time, so that a change passes or fails by what it does, not by chance.
    # fuzz_command_line.py, started by itself, tries others.
    count, found = fuzz_for(60, tmp_path, monkeypatch, chance=0)
    assert count > 100
    assert not found


def test_what_is_wrong_is_seen() -> None:
    assert complaints(0, "fine\n", "") == []
    assert complaints(3, "", "") == ["exit code 3"]
    assert complaints(2, "", "") != []
    assert complaints(1, "", "Traceback (most recent call last):\n") == ["a traceback"]
    assert complaints(0, "\x1b[0m", "") == ["control characters ['\\x1b']"]
    assert complaints(2, "", "Error: 'NoneType' object is not iterable\n") != []
    assert complaints(0, "", "", ["open /etc/x"]) == ["written outside: open /etc/x"]


def test_what_is_written_outside_is_seen(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    with Watch(inside).watching() as watch:
        (inside / "a").write_text("x")
        assert watch.outside == []
        outside.write_text("x")
        outside.read_text()
    assert watch.outside == [f"open {outside}"]


def test_all_of_the_vocabulary_is_made(toys: FakePlugins) -> None:
    words = vocabulary_of(toys.registry())
    assert {"find", "compile", "toy-small", "report", "cache"} <= set(words.tools)
    assert {"toyrt", "toydev"} <= set(words.names)
    assert {"dry_run", "timeout", "sweep"} <= {spec.name for spec in words.before}
    assert {"search_dir", "sequence_file", "iterations"} <= {spec.name for spec in words.one_word}


@pytest.mark.parametrize(
    ("line", "broken"),
    [
        (["cache", "clean", "--max-size", "1MB"], "turnkeyml.cli.cache_command.bytes_from"),
        (["benchmark", "a.toy"], "turnkeyml.plan.first_tool_for"),
    ],
)
def test_an_error_that_is_not_ours_is_seen(
    line: list[str], broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError("planted")

    world, _ = set_up(tmp_path, monkeypatch)
    assert try_line(line, world, dry=True) == []
    monkeypatch.setattr(broken, fail)
    (what,) = try_line(line, world, dry=True)
    assert "ZeroDivisionError: planted" in what


def test_what_takes_long_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dawdle(*args: object, **more: object) -> None:
        begun = time.process_time()
        while time.process_time() - begun < 1.1:
            pass

    world, _ = set_up(tmp_path, monkeypatch)
    monkeypatch.setattr("turnkeyml.running._print_plans", dawdle)
    (what,) = try_line(["a.toy"], world, dry=True)
    assert "s of the processor's time" in what
