"""The console: plain where it must be, and never the reason why work stops."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest
from core_env import Environment
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.cache.layout import Cache
from turnkeyml.console import (
    Console,
    format_bytes,
    format_latency,
    format_seconds,
    plural,
    printable,
)
from turnkeyml.errors import ExitCode
from turnkeyml.outcomes import Status
from turnkeyml.saved_state import load_state

CHAIN = ("-i", "a.toy", "find", "compile", "shrink")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]")


@pytest.fixture
def toy(environment: Environment) -> Environment:
    environment.install_toys()
    (environment.home / "a.toy").write_text("one 1\ntwo 2\n")
    return environment


def assert_work_was_finished(environment: Environment) -> None:
    builds = Cache(environment.cache).builds()
    assert len(builds) == 2
    assert all(load_state(build).status is Status.SUCCESSFUL for build in builds)


def test_results_and_progress_have_a_stream_each() -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err)
    console.print("a result")
    console.print_lines(["two", "lines"])
    console.progress("going on")
    console.error("It broke.", "Mend it.")
    console.error("It broke again.")
    assert out.getvalue() == "a result\ntwo\nlines\n"
    assert err.getvalue() == "going on\nError: It broke.\n  Mend it.\nError: It broke again.\n"
    assert not console.is_live


@given(st.text())
def test_printed_text_has_no_control_characters(text: str) -> None:
    found = printable(text)
    assert all(c.isprintable() or c in "\n\t" for c in found)
    assert "\x1b" not in found


def test_harmless_text_is_printed_as_it_is() -> None:
    assert printable("Größe: 3 Ω\n\t✓") == "Größe: 3 Ω\n\t✓"
    assert printable("a\x1b[31mred\r\x07\x9b\u202e") == r"a\x1b[31mred\r\x07\x9b\u202e"


def test_names_from_files_cannot_control_the_terminal(toy: Environment) -> None:
    (toy.home / "a.toy").write_text("\x1b[2Jone 1\nprint \x1b]0;owned\x07\nraise \x1b[31mred\n")
    done = toy.turnkey(*CHAIN)
    assert done.code == ExitCode.FAILED
    assert not CONTROL.search(done.text)
    assert r"\x1b[2Jone" in done.out


def test_elsewhere_than_on_a_terminal_there_are_no_control_codes(toy: Environment) -> None:
    for variables in ({}, {"FORCE_COLOR": "1", "TERM": "xterm-256color"}):
        done = toy.turnkey(*CHAIN, variables=variables)
        assert done.code == ExitCode.OK
        assert not CONTROL.search(done.text)


@pytest.mark.parametrize("words", [CHAIN, ("-h",), ("plugins",), ("compile", "-h")])
def test_a_reader_that_goes_away_ends_the_printing_and_not_the_work(
    words: tuple[str, ...], toy: Environment
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with toy.started(*words, stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        _, err = process.communicate(timeout=30)
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err
    if words is CHAIN:
        assert process.returncode == ExitCode.OK
        assert_work_was_finished(toy)


def test_with_both_readers_gone_the_work_is_finished(toy: Environment) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with toy.started(*CHAIN, stdout=writing, stderr=writing) as process:
        os.close(writing)
        process.wait(timeout=30)
    assert process.returncode == ExitCode.OK
    assert_work_was_finished(toy)


def test_a_full_disk_under_the_output_does_not_end_the_work(toy: Environment) -> None:
    with Path("/dev/full").open("wb") as full:
        with toy.started(*CHAIN, stdout=full, stderr=subprocess.PIPE) as process:
            _, err = process.communicate(timeout=30)
    assert b"Traceback" not in err
    assert process.returncode == ExitCode.FAILED
    assert_work_was_finished(toy)


@pytest.mark.parametrize("verbosity", ["dynamic", "static"])
@pytest.mark.parametrize("target", ["reader gone", "full disk", "closed"])
def test_progress_that_cannot_be_shown_does_not_end_the_work(
    toy: Environment, verbosity: str, target: str
) -> None:
    (toy.home / "b.toy").write_text("three 3\n")
    words = ["--verbosity", verbosity, "-i", "a.toy", "b.toy", *CHAIN[2:]]
    command = ["sh", "-c", 'exec "$@" 2>&-', "sh"] if target == "closed" else []
    reading, writing = os.pipe()
    if target == "full disk":
        os.close(writing)
        writing = os.open("/dev/full", os.O_WRONLY)
    os.close(reading)
    done = subprocess.run(
        [*command, *toy.command(*words)],
        env=toy.environment(),
        cwd=toy.home,
        stdout=subprocess.PIPE,
        stderr=writing,
        timeout=60,
        check=False,
    )
    os.close(writing)
    # A view that is redrawn has nothing to say where there is no terminal.
    is_told = target == "full disk" and verbosity == "static"
    assert done.returncode == (ExitCode.FAILED if is_told else ExitCode.OK)
    assert done.stdout.count(b"Model successfully built!") == 3
    assert b"Woohoo!" in done.stdout


def test_a_terminal_that_goes_away_meanwhile_does_not_end_the_work(toy: Environment) -> None:
    (toy.home / "b.toy").write_text("three 3\n")
    ours, theirs = pty.openpty()
    words = ["-i", "a.toy", "b.toy", *CHAIN[2:], "act", "--do", "wait-for", "--word", "go"]
    # In a session of its own it is not told that the terminal is gone, as after `disown`.
    streams = {"stdout": subprocess.PIPE, "stderr": theirs, "start_new_session": True}
    with toy.started(*words, variables={"TERM": "xterm"}, **streams) as process:
        os.close(theirs)
        deadline = time.monotonic() + 30
        while not (toy.home / "go.here").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.close(ours)
        time.sleep(0.5)
        (toy.home / "go").touch()
        out, _ = process.communicate(timeout=60)
    assert out.count(b"Model successfully built!") == 3
    assert b"Woohoo!" in out


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_a_closed_stream_does_not_end_the_work(toy: Environment, redirection: str) -> None:
    command = toy.command(*CHAIN)
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command],
        env=toy.environment(),
        cwd=toy.home,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == ExitCode.OK, done
    assert b"Traceback" not in done.stderr
    assert_work_was_finished(toy)


@pytest.mark.parametrize(
    "variables",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_what_the_encoding_cannot_say_is_escaped(
    toy: Environment, variables: dict[str, str]
) -> None:
    (toy.home / "a.toy").write_text("größe 1\nprint ✓ done\nnote naïve\n", "utf-8")
    done = toy.turnkey(*CHAIN, variables=variables)
    assert done.code == ExitCode.OK, done
    assert r"gr\xf6\xdfe" in done.out
    assert r"\u2713 done" in done.out
    done.text.encode("ascii")
    assert toy.turnkey("-h", variables=variables).code == ExitCode.OK
    assert toy.turnkey("plugins", variables=variables).code == ExitCode.OK


def run_on_terminal(
    environment: Environment, columns: int, *words: str, **variables: str
) -> tuple[int, str]:
    """Run turnkey with all its streams on a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    told = {"TERM": "xterm", **variables}
    with environment.started(*words, variables=told, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:
            # The terminal's other end is closed: the program has ended.
            pass
        os.close(ours)
        process.wait(timeout=30)
    return process.returncode, b"".join(parts).decode()


@pytest.mark.parametrize("columns", [40, 200])
def test_on_a_terminal_the_results_are_shown_after_the_live_view(
    toy: Environment, columns: int
) -> None:
    (toy.home / "b.toy").write_text("three 3\n")
    words = ["-i", "a.toy", "b.toy", *CHAIN[2:]]
    code, text = run_on_terminal(toy, columns, *words)
    assert code == ExitCode.OK
    assert "\x1b[" in text
    assert text.count("Model successfully built!") == 3
    assert "Woohoo!" in text
    assert "Traceback" not in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h"), "the cursor is left hidden"


def test_on_a_terminal_a_failure_is_shown_too(toy: Environment) -> None:
    words = [*CHAIN, "act", "--do", "boom", "--word", "bad luck"]
    code, text = run_on_terminal(toy, 40, *words)
    assert code == ExitCode.FAILED
    assert "ValueError: bad luck" in text
    assert text.count("Traceback") == 1
    code, text = run_on_terminal(toy, 40, *words, TURNKEY_TRACEBACK="False")
    assert code == ExitCode.FAILED
    assert "ValueError: bad luck" in text
    assert "Traceback" not in text


def test_on_a_dumb_terminal_there_are_no_control_codes(toy: Environment) -> None:
    code, text = run_on_terminal(toy, 80, *CHAIN, TERM="dumb")
    assert code == ExitCode.OK
    assert not CONTROL.search(text.replace("\r\n", "\n"))


def test_the_help_fits_a_narrow_terminal(toy: Environment) -> None:
    code, text = run_on_terminal(toy, 40, "find", "-h")
    assert code == ExitCode.OK
    assert max(len(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0.0 B"),
        (240, "240.0 B"),
        (1023, "1023.0 B"),
        (1024, "1.00 KB"),
        (2040, "1.99 KB"),
        (437_900_000, "417.6 MB"),
        (1 << 30, "1.00 GB"),
        (5 << 40, "5120.0 GB"),
    ],
)
def test_sizes_are_said_in_the_unit_that_fits(size: int, text: str) -> None:
    assert format_bytes(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (12.2, "12 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_are_said_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("ms", "text", "unit"),
    [
        (0.0030124, "3.01", "microseconds (us)"),
        (0.027, "27.0", "microseconds (us)"),
        (0.99949, "999", "microseconds (us)"),
        (0.9996, "1.00", "milliseconds (ms)"),
        (2.7, "2.70", "milliseconds (ms)"),
        (13.4567, "13.5", "milliseconds (ms)"),
        (187.489, "187", "milliseconds (ms)"),
        (999.6, "1.00", "seconds (s)"),
        (20_540.0, "20.5", "seconds (s)"),
        (4_321_000.0, "4320", "seconds (s)"),
        (2.5e-5, "0.0250", "microseconds (us)"),
    ],
)
def test_latencies_have_three_digits_and_the_unit_that_fits(
    ms: float, text: str, unit: str
) -> None:
    assert format_latency(ms) == (text, unit)


def test_one_thing_is_singular() -> None:
    assert [plural(n, "model") for n in (0, 1, 2)] == ["0 models", "1 model", "2 models"]
