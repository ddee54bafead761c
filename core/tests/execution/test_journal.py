"""The journal: what of a command has ended is known again, whatever became of the file."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from core_env import Ended, Environment, FakePlugins, run_here
from hypothesis import given
from hypothesis import strategies as st
from toy_jobs import done as done_event
from toy_jobs import failed_model, job_of, model_of, report_of

from turnkeyml.errors import CacheError, ExitCode
from turnkeyml.execution.events import EventFile
from turnkeyml.execution.job_folder import write_report
from turnkeyml.execution.journal import COMMANDS, Journal, opened_journal
from turnkeyml.executor import Ending

CHAIN = ("find", "compile", "act", "--do", "tally", "--word", "tally")
FILES = {"a.toy": "one 1\ntwo 2\n", "b.toy": "three 3\n", "c.toy": "four 4\nfive 5\n"}
SWEEP = ("-i", *FILES, *CHAIN)
ALL = ["one", "two", "three", "four", "five"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "cache" / COMMANDS / "digest"
    path.mkdir(parents=True)
    return path


def read(folder: Path) -> Journal:
    journal = Journal(folder)
    journal.read()
    return journal


def written(folder: Path) -> Journal:
    """Write the journal of a command of which one job has ended and another has begun."""
    journal = Journal(folder)
    journal.command("find compile", 3)
    journal.job_begun(job_of("a.toy"), {})
    journal.job_ended(job_of("a.toy"), Ending.REPORTED, report_of(failed_model("one")))
    journal.job_begun(job_of("b.toy", attempt=2), {"two": model_of("two")})
    return journal


def content(journal: Journal) -> tuple[list[str], dict[str, int], dict[str, list[str]]]:
    known = {key: list(models) for key, models in journal.known.items()}
    return list(journal.ended), journal.begun, known


WRITTEN = (["a.toy"], {"a.toy": 1, "b.toy": 2}, {"a.toy": [], "b.toy": ["two"]})


def test_a_journal_is_read_back(folder: Path) -> None:
    written(folder)
    journal = read(folder)
    assert journal.is_continued
    assert content(journal) == WRITTEN
    ending, report = journal.ended["a.toy"]
    assert ending is Ending.REPORTED
    assert report.models[0].failures == failed_model("one").failures


def test_nothing_is_continued_where_there_is_no_journal(folder: Path) -> None:
    assert not read(folder).is_continued


def test_a_finished_command_begins_anew(folder: Path) -> None:
    written(folder).finished()
    journal = read(folder)
    assert not journal.is_continued
    journal.command("find compile", 3)
    assert len((folder / "journal.jsonl").read_text().splitlines()) == 1, "the old one is gone"


def test_a_job_that_begins_again_has_not_ended(folder: Path) -> None:
    written(folder).job_begun(job_of("a.toy"), {})
    assert "a.toy" not in read(folder).ended


def test_what_has_failed_can_be_forgotten(folder: Path) -> None:
    journal = written(folder)
    journal.job_begun(job_of("c.toy"), {"x": model_of("x"), "y": failed_model("y")})
    journal.job_ended(job_of("d.toy"), Ending.REPORTED, report_of(model_of("one")))
    journal = read(folder)
    journal.forget_failed()
    assert content(journal) == (
        ["d.toy"],
        {"b.toy": 2, "c.toy": 1},
        {"b.toy": ["two"], "c.toy": ["x"]},
    )


def test_a_journal_that_was_cut_off_anywhere_says_what_was_whole(folder: Path) -> None:
    written(folder)
    path = folder / "journal.jsonl"
    whole = path.read_bytes()
    ends = [i for i, byte in enumerate(whole) if byte == ord("\n")]
    for length in (*range(0, ends[2], 29), *range(ends[2], len(whole))):
        path.write_bytes(whole[:length])
        journal = read(folder)
        # The end of a line says nothing that is not in it.
        lines = sum(length >= end for end in ends)
        assert journal.is_continued == (lines >= 2), length
        assert list(journal.ended) == (["a.toy"] if lines >= 3 else [])
        assert len(journal.begun) == min(max(lines - 1, 0), 1) + (lines >= 4)
        # And it is gone on with as if nothing had been there.
        journal.command("find compile", 3)
        journal.job_begun(job_of("z.toy"), {})
        assert "z.toy" in read(folder).begun, length


LINES = [
    b"",
    b"null",
    b"[]",
    b"7",
    b"{}",
    b'{"event": "begun"}',
    b'{"event": "begun", "job": 7, "attempt": 1, "known": []}',
    b'{"event": "begun", "job": "x", "attempt": "many", "known": []}',
    b'{"event": "begun", "job": "x", "attempt": 1e999, "known": []}',
    b'{"event": "begun", "job": "x", "attempt": 1, "known": [{}]}',
    b'{"event": "begun", "job": "x", "attempt": 1, "known": {}}',
    b'{"event": "ended", "job": "x", "ending": "reported", "cache": "/", "report": {}}',
    b'{"event": "ended", "job": "x", "ending": "eaten", "cache": "/", "report": {}}',
    b'{"event": "of a later turnkey", "job": "x"}',
    b"\xff\xfe\x00",
    b"\0" * 100_000,
    b"[" * 200_000,
    b'{"a":' * 200_000,
]


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_a_line_that_says_nothing_is_left_out(line: bytes, folder: Path) -> None:
    written(folder)
    path = folder / "journal.jsonl"
    for where in range(1, 5):
        lines = written_lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join([*lines[:where], line + b"\n", *lines[where:]]))
        assert content(read(folder)) == WRITTEN
        path.write_bytes(b"".join(written_lines))


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_read(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "journal.jsonl").write_bytes(raw)
    assert not read(folder).ended


def test_the_journal_of_another_version_is_not_gone_on_with(folder: Path) -> None:
    written(folder)
    path = folder / "journal.jsonl"
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 2', 1))
    assert not read(folder).is_continued


def test_a_disk_that_gets_full_in_the_middle_of_a_line_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = written(folder)
    write, room = os.write, [40]

    def full(number: int, content: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count = write(number, content[: room[0]])
        room[0] -= count
        return count

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(CacheError, match="No space left on device") as caught:
        journal.job_ended(job_of("b.toy"), Ending.REPORTED, report_of())
    monkeypatch.undo()
    assert caught.value.hint == "Make room; the same command then goes on from here."
    assert content(read(folder)) == WRITTEN


def test_links_are_neither_read_nor_written_through(folder: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    written(folder)
    (folder / "journal.jsonl").rename(precious)
    before = precious.read_bytes()
    (folder / "journal.jsonl").symlink_to(precious)
    journal = read(folder)
    assert not journal.is_continued
    journal.command("find", 1)
    assert precious.read_bytes() == before
    assert not (folder / "journal.jsonl").is_symlink()
    (folder / "journal.jsonl").unlink()
    (folder / "journal.jsonl").symlink_to(precious)
    with pytest.raises(CacheError, match="cannot be written"):
        journal.job_begun(job_of(), {})
    assert precious.read_bytes() == before


def test_a_folder_in_the_place_of_a_journal_is_told(folder: Path) -> None:
    (folder / "journal.jsonl").mkdir()
    journal = read(folder)
    with pytest.raises(CacheError, match=r"journal\.jsonl cannot be written"):
        journal.command("find", 1)


def test_only_one_process_has_a_journal(folder: Path) -> None:
    heard: list[str] = []

    class Enough(Exception):
        pass

    def waiting(owner: str) -> None:
        heard.append(owner)
        raise Enough

    with opened_journal(folder, pytest.fail):
        with pytest.raises(Enough), opened_journal(folder, waiting):
            pytest.fail("two have it")
    assert heard[0].startswith(f"process {os.getpid()} on ")
    with opened_journal(folder, pytest.fail):
        pass


# Through the command line


@pytest.fixture
def home(toys: FakePlugins, tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def tally() -> list[str]:
    return Path("tally").read_text().split() if Path("tally").exists() else []


def cut_off(home: Path, keep: int) -> None:
    """Make the journal of the last command that of one that was killed after so many lines."""
    (path,) = home.glob(f"cache/{COMMANDS}/*/journal.jsonl")
    lines = path.read_text().splitlines(keepends=True)
    assert json.loads(lines[-1])["event"] == "finished"
    path.write_text("".join(lines[:keep]))


def test_a_command_that_was_stopped_goes_on_with_what_is_left(home: Path) -> None:
    first = run_here(*SWEEP)
    assert tally() == ALL
    # command, and begun and ended for each.
    cut_off(home, 1 + 2 + 2)
    second = run_here(*SWEEP)
    assert tally() == [*ALL, "four", "five"]
    assert second.code == first.code == ExitCode.OK
    assert "2 of 3 inputs have ended. --skip-policy none begins anew." in second.err
    assert "[3/3] c.toy: 2 models, 2 successful" in second.err
    run_here(*SWEEP)
    assert tally() == [*ALL, "four", "five", *ALL], "what was finished begins anew"


def test_a_command_that_was_stopped_before_its_last_line_does_nothing(home: Path) -> None:
    run_here(*SWEEP)
    cut_off(home, 7)
    done = run_here(*SWEEP)
    assert done.code == ExitCode.OK
    assert "3 of 3 inputs have ended" in done.err
    assert tally() == ALL
    assert "Woohoo!" in done.out


def begun_again(home: Path) -> Path:
    """Make the last command one that was killed in its first input; gives that job's folder."""
    cut_off(home, 2)
    Path("tally").unlink()
    (path,) = home.glob(f"cache/{COMMANDS}/*/journal.jsonl")
    folder = path.parent / "jobs" / json.loads(path.read_text().splitlines()[-1])["job"]
    folder.mkdir(parents=True)
    return folder


def test_models_that_had_ended_in_an_input_that_had_not_are_left_out(home: Path) -> None:
    first = run_here(*SWEEP)
    folder = begun_again(home)
    one = model_of(next(home.glob("cache/a_a16fbedb")).name, cache=home / "cache")
    EventFile(folder / "events.jsonl").tell(done_event(one))
    second = run_here(*SWEEP)
    assert tally() == ALL[1:]
    assert second.code == first.code
    assert "have ended" not in second.err
    assert "[1/3] a.toy: 2 models, 2 successful" in second.err


def test_a_report_that_nobody_had_noted_counts(home: Path) -> None:
    run_here(*SWEEP)
    folder = begun_again(home)
    write_report(folder, report_of(failed_model("one"), notes=("It was here.",)))
    done = run_here(*SWEEP)
    assert tally() == ALL[2:]
    assert done.code == ExitCode.FAILED
    assert "Note: It was here." in done.out
    assert "[1/3] a.toy: 1 model, 1 failed" in done.err


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"schema": 1, "models": 7}'])
def test_a_report_that_is_damaged_counts_for_nothing(text: str, home: Path) -> None:
    run_here(*SWEEP)
    (begun_again(home) / "report.json").write_text(text)
    assert run_here(*SWEEP).code == ExitCode.OK
    assert tally() == ALL


def test_what_failed_before_the_interruption_is_told_in_the_end(home: Path) -> None:
    words = ("-i", *FILES, "find", "act", "--do", "boom-if-named", "--word", "one")
    first = run_here(*words)
    cut_off(home, 3)
    second = run_here(*words)
    assert second.code == first.code == ExitCode.FAILED
    assert "1 model failed, 4 went well, 0 inputs broke:\n  a_" in second.err
    assert first.err.partition("Error: ")[2] == second.err.partition("Error: ")[2]


@pytest.mark.parametrize(
    ("policy", "is_finished", "again"),
    [
        (None, False, ["four", "five"]),
        ("attempted", False, ["four", "five"]),
        ("failed", False, ["four", "five"]),
        ("successful", False, ["one", "four", "five"]),
        ("none", False, ALL),
        (None, True, ALL),
        ("attempted", True, []),
        ("failed", True, ["two", "three", "four", "five"]),
        ("successful", True, ["one"]),
        ("none", True, ALL),
    ],
)
def test_the_skip_policy_decides_with_the_journal_what_is_run_again(
    policy: str | None, is_finished: bool, again: list[str], home: Path
) -> None:
    """Here ``one`` has failed, and the command was killed before ``c.toy`` unless it finished."""
    words = (*SWEEP, "act", "--do", "boom-if-named", "--word", "one")
    run_here(*words)
    Path("tally").unlink()
    if not is_finished:
        cut_off(home, 5)
        shutil.rmtree(next(home.glob("cache/c_070f302b")))
        shutil.rmtree(next(home.glob("cache/c_eb3d4ed0")))
    chosen = () if policy is None else ("--skip-policy", policy)
    run_here(*chosen, *words)
    assert tally() == again


def test_an_input_that_has_changed_is_run_again(home: Path) -> None:
    run_here(*SWEEP)
    cut_off(home, 5)
    Path("tally").unlink()
    Path("a.toy").write_text("six 6\n")
    done = run_here(*SWEEP)
    assert tally() == ["six", "four", "five"]
    assert "1 of 3 inputs have ended" in done.err


@pytest.mark.parametrize(
    ("more", "is_same"),
    [
        (("--verbosity", "static"), True),
        (("--explain",), True),
        (("-d", "cache"), True),
        (("-d", "./cache"), True),
        (("--rebuild", "always"), False),
        (("--lean-cache",), False),
    ],
)
def test_the_same_command_is_known_by_inputs_and_options(
    more: tuple[str, ...], is_same: bool, home: Path
) -> None:
    run_here(*SWEEP)
    cut_off(home, 5)
    Path("tally").unlink()
    run_here(*more, *SWEEP)
    assert tally() == (["four", "five"] if is_same else ALL)


@pytest.mark.parametrize(
    "words",
    [
        (
            "-i",
            *FILES,
            "find",
            "compile",
            "--level",
            "2",
            "act",
            "--do",
            "tally",
            "--word",
            "tally",
        ),
        ("-i", *FILES, "find", "act", "--do", "tally", "--word", "tally"),
        ("-i", "a.toy", "b.toy", "c.toy::070f", *CHAIN),
        ("-i", "a.toy", "c.toy", *CHAIN),
    ],
)
def test_another_chain_or_other_inputs_are_another_command(
    words: tuple[str, ...], home: Path
) -> None:
    run_here(*SWEEP)
    cut_off(home, 5)
    Path("tally").unlink()
    done = run_here(*words)
    assert "have ended" not in done.err
    assert "one" in tally()


def test_a_cache_that_was_moved_is_gone_on_with(home: Path) -> None:
    words = (*SWEEP, "act", "--do", "boom-if-named", "--word", "one")
    run_here(*words)
    cut_off(home, 5)
    Path("tally").unlink()
    (home / "cache").rename(home / "elsewhere")
    done = run_here("-d", "elsewhere", *words)
    assert tally() == ["four", "five"]
    assert done.code == ExitCode.FAILED
    assert f"log: {home}/elsewhere/a_" in done.err
    assert f"{home}/cache/" not in done.text


def test_one_input_alone_leaves_no_journal(home: Path) -> None:
    run_here("-i", "a.toy", *CHAIN)
    assert not (home / "cache" / COMMANDS).exists()


@pytest.mark.parametrize("harm", ["folder", "journal", "lock", "jobs", "job"])
def test_a_command_runs_where_nothing_can_be_noted(harm: str, home: Path) -> None:
    run_here(*SWEEP)
    (folder,) = (home / "cache" / COMMANDS).iterdir()
    if harm == "folder":
        shutil.rmtree(folder)
        folder.write_text("in the way")
    elif harm == "journal":
        (folder / "journal.jsonl").unlink()
        (folder / "journal.jsonl").mkdir()
    elif harm == "lock":
        (home / "precious").write_text("years of work")
        (folder / "journal.lock").unlink(missing_ok=True)
        (folder / "journal.lock").symlink_to(home / "precious")
    elif harm == "jobs":
        shutil.rmtree(folder / "jobs")
        (folder / "jobs").write_text("in the way")
    else:
        (folder / "journal.owner").mkdir()
    Path("tally").unlink()
    done = run_here(*SWEEP)
    assert done.code == ExitCode.OK, done
    assert tally() == ALL
    assert done.err.count("Warning: ") == (harm != "job")
    assert harm == "job" or "What has ended is not noted" in done.err
    assert harm != "lock" or (home / "precious").read_text() == "years of work"


def test_a_disk_that_gets_full_meanwhile_does_not_end_what_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Journal, job: object, *rest: object) -> None:
        raise CacheError("The disk is full.", hint="Make room.")

    monkeypatch.setattr(Journal, "job_ended", refuse)
    done = run_here(*SWEEP)
    assert done.code == ExitCode.OK
    assert tally() == ALL
    assert done.err.count("The disk is full. Make room. What has ended is not noted") == 1


def start_of(environment: Environment) -> tuple[str, ...]:
    environment.install_toys()
    for name, text in FILES.items():
        (environment.home / name).write_text(text)
    return ("-i", *FILES, "find", "act", "--do", "tally", "--word", "tally")


def counts_in(environment: Environment) -> dict[str, int]:
    path = environment.home / "tally"
    words = path.read_text().split() if path.exists() else []
    return {name: words.count(name) for name in ALL}


def kill_and_go_on(environment: Environment, seconds: float) -> tuple[Ended, bool]:
    """Kill a command after so many seconds, and give the same command once more.

    Returns:
        How that ended, and whether the first had come to its end before.
    """
    words = start_of(environment)
    with environment.started(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    journals = environment.cache.glob(".commands/*/journal.jsonl")
    had_ended = any('"event": "finished"' in path.read_text() for path in journals)
    return environment.turnkey(*words), had_ended


@pytest.mark.parametrize("seconds", [0.35])
def test_a_process_killed_at_any_moment_is_gone_on_with(
    seconds: float, environment: Environment
) -> None:
    done, had_ended = kill_and_go_on(environment, seconds)
    assert done.code == ExitCode.OK, done
    check_counts(environment, had_ended=had_ended)


def check_counts(environment: Environment, *, had_ended: bool) -> None:
    counts = counts_in(environment)
    twice = [name for name, count in counts.items() if count == 2]
    assert all(count in (1, 2) for count in counts.values())
    # One model was being worked on; of another the sign that it had ended was not yet written.
    # Where the command had ended in time, the next one begins anew.
    assert len(twice) <= 2 or had_ended, "only what was cut off is run again"


@pytest.mark.slow
@pytest.mark.parametrize("number", range(50))
def test_a_process_killed_at_fifty_moments_is_gone_on_with(
    number: int, environment: Environment
) -> None:
    done, had_ended = kill_and_go_on(environment, 0.05 + number * 0.02)
    assert done.code == ExitCode.OK, done
    check_counts(environment, had_ended=had_ended)


def test_two_of_the_same_command_run_one_after_the_other(environment: Environment) -> None:
    environment.install_toys()
    for name, text in FILES.items():
        (environment.home / name).write_text(text)
    words = ("-i", *FILES, "find", "act", "--do", "wait-for", "--word", "go")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with environment.started(*words, **pipes) as first:
        here = environment.home / "go.here"
        deadline = time.monotonic() + 30
        while not here.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with environment.started(*words, **pipes) as second:
            assert second.stderr is not None
            line = second.stderr.readline().decode()
            (environment.home / "go").touch()
            rest = second.communicate(timeout=60)[1].decode()
        first.communicate(timeout=60)
    assert f"Waiting for process {first.pid} on " in line
    assert line.endswith(", which runs the same command.\n")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "have ended" not in rest, "the first has finished, so the second begins anew"
