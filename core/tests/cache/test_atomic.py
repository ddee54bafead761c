"""Atomic files: a reader sees the old or the new one, whatever happens in between."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from turnkeyml.artifacts import FileRecord
from turnkeyml.cache.atomic import (
    TEMPORARY,
    open_replaced,
    publish,
    record_of,
    replaced,
    sha256_of,
)


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with open_replaced(path) as file:
        file.write("new ✓")
        assert not path.exists()
    assert path.read_text("utf-8") == "new ✓"
    assert names(tmp_path) == ["a.txt"]


def test_bytes_may_be_written_too(tmp_path: Path) -> None:
    with open_replaced(tmp_path / "a.bin", "wb") as file:
        file.write(b"\xff\0")
    assert (tmp_path / "a.bin").read_bytes() == b"\xff\0"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), open_replaced(path) as file:
        file.write("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_block_that_writes_nothing_is_an_error_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), replaced(path):
        pass
    assert path.read_text() == "old"


def test_a_long_name_leaves_room_for_the_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    with open_replaced(path) as file:
        file.write("x")
    assert names(tmp_path) == [path.name]


def test_a_process_killed_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from turnkeyml.cache.atomic import open_replaced\n"
        "with open_replaced(Path(sys.argv[1])) as file:\n"
        "    file.write('half'); file.flush(); print('now', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_text() == "old"
    left = [name for name in names(tmp_path) if name != "a.txt"]
    assert all(name.startswith(TEMPORARY) for name in left)


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("0" * 100_000)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from turnkeyml.cache.atomic import open_replaced\n"
        "for n in range(60):\n"
        "    with open_replaced(Path(sys.argv[1])) as file:\n"
        "        for _ in range(100): file.write(str(n % 10) * 1000)\n"
    )
    seen = set()
    with subprocess.Popen([sys.executable, "-c", code, str(path)]) as process:
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            text = path.read_text()
            assert len(text) == 100_000
            assert len(set(text)) == 1
            seen.add(text[0])
    assert process.returncode == 0
    assert path.read_text()[0] == "9"


def test_a_record_names_the_file_its_size_and_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "onnx" / "a.bin"
    path.parent.mkdir()
    path.write_bytes(b"x" * 3_000_000)
    digest = hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert sha256_of(path) == digest
    assert record_of(path, tmp_path) == FileRecord("onnx/a.bin", 3_000_000, digest)


def test_a_file_outside_the_build_directory_has_no_record(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "a").write_text("x")
    (tmp_path / "build" / "link").symlink_to(tmp_path / "a")
    for path in (tmp_path / "a", tmp_path / "build" / "link"):
        with pytest.raises(ValueError, match="subpath"):
            record_of(path, tmp_path / "build")


def test_what_is_published_is_moved(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("x")
    publish(tmp_path / "t", tmp_path / "digest")
    assert names(tmp_path) == ["digest"]
