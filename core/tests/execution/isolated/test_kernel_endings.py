"""Whether memory ran out is proved by the kernel's counters, and by nothing else."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from turnkeyml.execution.isolated import endings
from turnkeyml.execution.isolated.endings import Watched, end_of, timeout_end
from turnkeyml.execution.isolated.system import OutOfMemoryKills
from turnkeyml.executor import Ending, JobEnd


@pytest.fixture
def end(tmp_path: Path):
    """Say how a job ended whose process had this status."""
    file = tmp_path / "output.txt"
    file.touch()
    number = os.open(file, os.O_RDWR)

    def go(status: int | None, killed_for: JobEnd | None = None, output: bytes = b"") -> JobEnd:
        os.pwrite(number, output, 0)
        before = OutOfMemoryKills(5, 7)
        return end_of(Watched(tmp_path, number, file, status, killed_for, 1234, before))

    yield go
    os.close(number)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ((6, 8), "this machine gives to turnkey"),
        ((5, 8), "The machine ran out of memory"),
        ((5, 7), "probably"),
    ],
)
def test_a_kill_from_outside_is_explained(
    end, monkeypatch: pytest.MonkeyPatch, now: tuple[int, int], words: str
) -> None:
    monkeypatch.setattr(OutOfMemoryKills, "count", lambda: OutOfMemoryKills(*now))
    found = end(signal.SIGKILL)
    assert found.ending is Ending.OUT_OF_MEMORY
    assert words in found.message
    assert found.peak_memory_bytes == 1234
    assert "--jobs" in found.hint


def test_what_we_ended_is_told_by_why(end) -> None:
    found = end(signal.SIGKILL, timeout_end(600.0))
    assert found.ending is Ending.TIMEOUT
    assert found.message == "It took longer than 600 s and was ended."


@pytest.mark.parametrize("number", [*range(1, 32), signal.SIGRTMIN, signal.SIGRTMAX, 32])
def test_every_signal_has_a_sentence(end, number: int) -> None:
    found = end(number)
    expected = Ending.OUT_OF_MEMORY if number == signal.SIGKILL else Ending.CRASHED
    assert found.ending is expected
    assert found.message.endswith(".")
    assert number == signal.SIGKILL or str(number) in found.message or "SIG" in found.message


def test_a_crash_names_its_signal_whether_or_not_there_is_a_core(end) -> None:
    assert end(signal.SIGSEGV | 0x80).message == "It crashed: segmentation fault (SIGSEGV)."


def test_the_last_line_of_a_traceback_is_told(end) -> None:
    text = b"noise\nTraceback (most recent call last):\n  File ...\nOSError: the disk is full\n\n"
    found = end(1 << 8, output=text)
    assert (
        found.message == "It ended with exit code 1 before it was done: OSError: the disk is full"
    )
    assert "output.txt" in found.hint


def test_a_long_last_line_is_cut(end) -> None:
    text = b"Traceback (most recent call last):\nValueError: " + b"x" * 1000
    assert len(end(1 << 8, output=text).message) < 300


def test_other_output_is_not_repeated(end) -> None:
    assert end(3 << 8, output=b"bye\n").message == "It ended with exit code 3 before it was done."


def test_a_report_is_what_counts(end, tmp_path: Path) -> None:
    (tmp_path / "report.json").touch()
    for status in (0, signal.SIGSEGV, 3 << 8):
        assert end(status) == JobEnd(Ending.REPORTED, peak_memory_bytes=1234)


@pytest.mark.parametrize(
    ("size", "text"), [(8.04e9, "8.04 GB"), (256e6, "256 MB"), (1e9, "1.00 GB")]
)
def test_sizes_are_written_as_options_take_them(size: float, text: str) -> None:
    assert text in endings.output_end("log.txt", int(size)).message
