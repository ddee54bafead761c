"""Output of foreign code goes to a file, down to the descriptors, and comes back afterwards."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from turnkeyml.execution.capture import output_to


def test_all_ways_of_printing_lead_to_the_file(tmp_path: Path, capfd) -> None:
    log = tmp_path / "log.txt"
    with output_to(log):
        print("print")
        print("error", file=sys.stderr)
        os.write(1, b"native\n")
        subprocess.run([sys.executable, "-c", "print('child')"], check=True)
    print("after")
    assert log.read_text().splitlines() == ["print", "error", "native", "child"]
    captured = capfd.readouterr()
    assert captured.out == "after\n"
    assert captured.err == ""


def test_what_was_printed_before_does_not_come_into_the_file(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from turnkeyml.execution.capture import output_to\n"
        "sys.stdout.write('before ')\n"
        "with output_to(Path(sys.argv[1])):\n"
        "    sys.stdout.write('inside ')\n"
        "sys.stdout.write('after')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "log")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "before after"
    assert (tmp_path / "log").read_text() == "inside "


def test_a_stream_kept_from_inside_still_works_afterwards(tmp_path: Path, capfd) -> None:
    with output_to(tmp_path / "log"):
        kept = sys.stdout
        kept.write("inside\n")
    kept.write("outside\n")
    kept.flush()
    assert (tmp_path / "log").read_text() == "inside\n"
    assert "outside" in capfd.readouterr().out


def test_streams_that_are_no_descriptors_come_back(tmp_path: Path, monkeypatch) -> None:
    ours = io.StringIO()
    monkeypatch.setattr(sys, "stdout", ours)
    with output_to(tmp_path / "log"):
        print("inside")
    print("outside")
    assert ours.getvalue() == "outside\n"
    assert sys.stdout is ours
    assert (tmp_path / "log").read_text() == "inside\n"


def test_after_a_failure_the_streams_come_back(tmp_path: Path, capfd) -> None:
    with pytest.raises(LookupError), output_to(tmp_path / "log"):
        print("inside")
        raise LookupError
    print("outside")
    assert capfd.readouterr().out == "outside\n"
    assert (tmp_path / "log").read_text() == "inside\n"


def test_characters_that_no_encoding_has_are_escaped(tmp_path: Path) -> None:
    with output_to(tmp_path / "log"):
        print("ok ✓ \udce9")
    assert (tmp_path / "log").read_text("utf-8") == "ok ✓ \\udce9\n"


@pytest.mark.parametrize("closed", ["1", "2", "1 2"])
def test_a_process_without_standard_streams_is_served(tmp_path: Path, closed: str) -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from turnkeyml.execution.capture import output_to\n"
        "for number in sys.argv[2].split(): os.close(int(number))\n"
        "sys.stdout = sys.stdout if '1' not in sys.argv[2] else None\n"
        "sys.stderr = sys.stderr if '2' not in sys.argv[2] else None\n"
        "with output_to(Path(sys.argv[1])):\n"
        "    print('inside', file=sys.stdout or sys.stderr)\n"
        "Path(sys.argv[1]).with_name('done').touch()\n"
        "os._exit(0)\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "log"), closed], capture_output=True, check=True
    )
    assert (tmp_path / "done").exists()


def test_a_link_where_a_log_should_be_is_not_followed(tmp_path: Path) -> None:
    """A cache may come from anybody, and a log is begun anew."""
    precious = tmp_path / "precious"
    precious.write_text("years of work")
    (tmp_path / "log.txt").symlink_to(precious)
    with output_to(tmp_path / "log.txt"):
        print("hello")
    assert precious.read_text() == "years of work"
    assert (tmp_path / "log.txt").read_text() == "hello\n"
    assert not (tmp_path / "log.txt").is_symlink()
