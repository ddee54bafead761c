"""What finished commands left: cleaned, while what runs or was stopped stays as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
from core_env import Environment, FakePlugins, run_here

from turnkeyml.cache.locks import held_lock
from turnkeyml.errors import ExitCode
from turnkeyml.execution import past_commands
from turnkeyml.execution.journal import COMMANDS, JOURNAL, LOCK, opened_journal
from turnkeyml.execution.past_commands import find_commands
from turnkeyml.report.broken_inputs import broken_inputs
from turnkeyml.worker.made_environments import ENVIRONMENTS, mark_environment

BOTH = ("-i", "a.toy", "b.toy", "find", "compile")


@pytest.fixture
def cache(toys: FakePlugins, tmp_path: Path) -> Path:
    """A cache in which a command with two inputs has finished."""
    (tmp_path / "a.toy").write_text("one 1\n")
    (tmp_path / "b.toy").write_text("two 2\n")
    assert run_here(*BOTH).code == ExitCode.OK
    return tmp_path / "cache"


def folder_in(cache: Path) -> Path:
    (folder,) = (cache / COMMANDS).iterdir()
    return folder


def clean(*words: str) -> str:
    done = run_here("cache", "clean", *(words or ("--all",)))
    assert done.code == ExitCode.OK, done
    return done.out


def stop_short(folder: Path, lines: int) -> None:
    """Leave the journal as a command that was killed would."""
    path = folder / JOURNAL
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:lines]))


def test_what_a_finished_command_left_is_cleaned(cache: Path) -> None:
    assert "Cleaned what 1 finished command left, " in clean()
    assert not list((cache / COMMANDS).iterdir())
    assert "command" not in clean()
    assert run_here(*BOTH).code == ExitCode.OK


def test_naming_builds_cleans_no_command(cache: Path) -> None:
    (build, _) = sorted(path for path in cache.iterdir() if path.name[0] != ".")
    clean(build.name)
    clean("--max-size", "1TB")
    assert folder_in(cache).is_dir()


def test_only_what_is_old_enough_goes(cache: Path) -> None:
    clean("--older-than", "1h")
    journal = folder_in(cache) / JOURNAL
    os.utime(journal, (time.time() - 7200,) * 2)
    clean("--older-than", "1h")
    assert not list((cache / COMMANDS).iterdir())


def test_a_command_that_was_stopped_can_still_be_gone_on_with(cache: Path) -> None:
    folder = folder_in(cache)
    stop_short(folder, 3)
    before = (folder / JOURNAL).read_bytes()
    assert "command" not in clean()
    assert (folder / JOURNAL).read_bytes() == before
    assert "Going on where the same command was stopped: 1 of 2" in run_here(*BOTH).err


def test_a_command_that_runs_is_left(cache: Path) -> None:
    folder = folder_in(cache)
    with held_lock(folder / LOCK, pytest.fail):
        assert "command" not in clean()
        run_here("cache", "delete", "--all", "--yes")
        assert (folder / JOURNAL).is_file()


def test_a_command_that_waits_while_another_cleans_has_a_journal_of_its_own(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_in(cache)
    remove = past_commands._remove
    is_waiting = threading.Event()
    written: list[bool] = []

    def wait_and_write() -> None:
        with opened_journal(folder, lambda owner: is_waiting.set()) as journal:
            journal.command("words", 1)
            written.append((folder / JOURNAL).is_file())

    waiter = threading.Thread(target=wait_and_write)

    def slowly(path: Path) -> None:
        waiter.start()
        assert is_waiting.wait(10)
        remove(path)

    monkeypatch.setattr(past_commands, "_remove", slowly)
    clean()
    waiter.join(30)
    assert written == [True]
    assert (folder / LOCK).exists()


def test_what_reports_tell_of_broken_inputs_stays(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.toy").write_text("refuse It is broken.\n")
    run_here("-i", "a.toy", "bad.toy", "find")
    before = broken_inputs(cache)
    assert len(before) == 1
    clean()
    assert broken_inputs(cache) == before
    size = (folder_in(cache) / JOURNAL).stat().st_size
    assert "command" not in clean()
    assert (folder_in(cache) / JOURNAL).stat().st_size == size
    run_here("cache", "delete", "--all", "--yes")
    assert not list((cache / COMMANDS).iterdir())
    assert broken_inputs(cache) == []


def test_an_input_that_was_mended_does_not_come_back_broken(cache: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toy"
    bad.write_text("refuse It is broken.\n")
    run_here("-i", "a.toy", "bad.toy", "find")
    broken = {path.name for path in (cache / COMMANDS).iterdir()} - {folder_in_all(cache, 2)}
    assert len(broken) >= 1
    bad.write_text("three 3\n")
    run_here("-i", "b.toy", "bad.toy", "find")
    assert broken_inputs(cache) == []
    for _ in range(3):
        clean()
        assert broken_inputs(cache) == []
    assert not list((cache / COMMANDS).iterdir())


def test_a_journal_that_somebody_else_wrote_is_cleaned_all_the_same(cache: Path) -> None:
    path = folder_in(cache) / JOURNAL
    first, *_, last = path.read_bytes().splitlines(keepends=True)
    lines = [
        b'{"event": "ended", "source": {"a": [}',
        b'{"event": "ended", "job": [1], "source": {}',
        b'{"event": "ended", "job": "../../x", "source": {"x": 1}',
    ]
    rest = b', "models": [], "error": {}, "at": "2026-11-21T10"}\n'
    path.write_bytes(b"".join([first, *(line + rest for line in lines), last]))
    (cache.parent / "x").mkdir()
    clean()
    clean()
    assert (cache.parent / "x").is_dir()


def folder_in_all(cache: Path, count: int) -> str:
    folders = sorted(path.name for path in (cache / COMMANDS).iterdir())
    assert len(folders) == count
    return folders[0]


@pytest.mark.parametrize("word", ["clean", "delete"])
def test_what_turnkey_did_not_make_is_left(word: str, cache: Path, tmp_path: Path) -> None:
    commands = cache / COMMANDS
    ours = folder_in(cache)
    (commands / "mine").mkdir()
    (commands / "mine" / JOURNAL).write_text("mine")
    no_lock = commands / ("0" * 16)
    no_lock.mkdir()
    (no_lock / JOURNAL).write_text("mine")
    for digit, text in (("1", "mine\n"), ("2", '{"event": "command", "schema": 99}\n'), ("3", "[")):
        folder = commands / (digit * 16)
        shutil.copytree(ours, folder)
        (folder / JOURNAL).write_text(text)
    outside = tmp_path / "outside"
    shutil.copytree(ours, outside)
    (commands / ("4" * 16)).symlink_to(outside)
    linked = commands / ("5" * 16)
    shutil.copytree(ours, linked)
    (linked / JOURNAL).unlink()
    (linked / JOURNAL).symlink_to(outside / JOURNAL)
    before = {path.name for path in commands.iterdir()} - {ours.name}
    run_here("cache", word, "--all", *(["--yes"] if word == "delete" else []))
    assert {path.name for path in commands.iterdir()} == before
    assert (outside / JOURNAL).is_file()


@pytest.mark.parametrize("size", [0, 5, 21, 30])
def test_a_command_that_died_before_it_noted_anything_is_cleaned(size: int, cache: Path) -> None:
    path = folder_in(cache) / JOURNAL
    path.write_bytes(path.read_bytes()[:size])
    assert [command.is_finished for command in find_commands(cache)] == [True]
    clean()
    assert not list((cache / COMMANDS).iterdir())


def test_what_was_half_taken_away_goes_the_next_time(cache: Path) -> None:
    folder = folder_in(cache)
    (folder / JOURNAL).unlink()
    (folder / "jobs/x").mkdir(parents=True)
    clean()
    assert not folder.exists()


def test_deleting_all_forgets_what_was_stopped(cache: Path) -> None:
    stop_short(folder_in(cache), 3)
    done = run_here("cache", "delete", "--all", "--yes")
    assert "Deleted what commands left, " in done.out
    assert not list((cache / COMMANDS).iterdir())
    assert "Going on" not in run_here(*BOTH).text


def test_stats_counts_commands_and_list_does_not(cache: Path) -> None:
    listed = run_here("cache", "list").out
    assert len(listed.splitlines()) == 3
    out = run_here("cache", "stats").out
    assert "commands" in out
    assert "1 finished, 0 not" in out
    found = json.loads(run_here("cache", "stats", "--json").out)
    assert found["commands"]["count"] == found["commands"]["finished"] == 1
    assert found["commands"]["size_bytes"] > 100
    assert found["builds"] == {**found["builds"], "count": 2, "statuses": {"successful": 2}}
    stop_short(folder_in(cache), 3)
    assert "0 finished, 1 not" in run_here("cache", "stats").out


def test_two_that_clean_at_once_leave_nothing_and_say_nothing_wrong(
    environment: Environment,
) -> None:
    environment.install_toys()
    for name in ("a.toy", "b.toy"):
        (environment.home / name).write_text(f"{name[0]} 1\n")
    assert environment.turnkey(*BOTH).code == ExitCode.OK
    ours = folder_in(environment.cache)
    for number in range(40):
        shutil.copytree(ours, ours.with_name(f"{number:016x}"))
        made = environment.cache / ENVIRONMENTS / f"rt-{number}"
        (made / "bin").mkdir(parents=True)
        mark_environment(made)
    with (
        environment.started("cache", "clean", "--all", stderr=subprocess.PIPE) as first,
        environment.started("cache", "clean", "--all", stderr=subprocess.PIPE) as second,
    ):
        errors = [process.communicate(timeout=60)[1] for process in (first, second)]
        codes = [first.returncode, second.returncode]
    texts = [error.decode() for error in errors]
    # A build that the other one has at that moment is told of, and nothing else.
    lines = [line for text in texts for line in text.splitlines()]
    assert [line for line in lines if "is in use by" not in line and "Try" not in line] == []
    assert set(codes) <= {ExitCode.OK, ExitCode.FAILED}
    assert environment.turnkey("cache", "clean", "--all").code == ExitCode.OK
    assert list((environment.cache / COMMANDS).iterdir()) == []
    assert list((environment.cache / ENVIRONMENTS).iterdir()) == []
