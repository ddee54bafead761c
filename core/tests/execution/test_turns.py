"""Taking turns: builds side by side, a benchmark alone, and a dead owner holds nobody up."""

from __future__ import annotations

import os
import select
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from turnkeyml.execution import turns
from turnkeyml.policy import RunPolicy

HOLD = """
import sys, time
from pathlib import Path
from turnkeyml.execution import turns
turns._FOLDER = Path(sys.argv[1])
how = turns.shared_turn() if sys.argv[2] == "shared" else turns.turn_alone(sys.argv[2])
print("waits", flush=True)
with how:
    print("has it", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(turns, "_FOLDER", tmp_path)
    return tmp_path


class Holder:
    """Another process that wants a turn, has it, and keeps it until it is let go."""

    def __init__(self, folder: Path, how: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What Python has read ahead `select` would not see.
            bufsize=0,
        )
        assert self.line() == b"waits\n"

    def line(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def has_it(self, seconds: float = 0.3) -> bool:
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def let_go(self) -> None:
        self.process.communicate(b"")

    def __enter__(self) -> Holder:
        return self

    def __exit__(self, *details: object) -> None:
        self.process.kill()
        self.process.communicate()


def test_builds_work_side_by_side(folder: Path) -> None:
    with Holder(folder, "shared") as first, Holder(folder, "shared") as second:
        assert first.has_it(10)
        assert second.has_it(10)


@pytest.mark.parametrize(("first", "second"), [("host", "shared"), ("shared", "host")])
def test_a_benchmark_on_the_processor_is_alone(folder: Path, first: str, second: str) -> None:
    with Holder(folder, first) as one:
        assert one.has_it(10)
        with Holder(folder, second) as other:
            assert not other.has_it()
            one.let_go()
            assert other.has_it(10)


def test_builds_that_keep_coming_do_not_hold_up_a_benchmark(folder: Path) -> None:
    with Holder(folder, "shared") as early:
        assert early.has_it(10)
        with Holder(folder, "host") as benchmark, Holder(folder, "shared") as late:
            assert not late.has_it()
            early.let_go()
            assert benchmark.has_it(10)
            assert not late.has_it()
            benchmark.let_go()
            assert late.has_it(10)


def test_devices_apart_from_the_host_wait_only_for_themselves_and_for_it(folder: Path) -> None:
    with Holder(folder, "gpu") as one, Holder(folder, "npu") as other:
        assert one.has_it(10)
        assert other.has_it(10)
        with Holder(folder, "shared") as build:
            assert build.has_it(10)
            with Holder(folder, "gpu") as second:
                assert not second.has_it()
                one.let_go()
                assert second.has_it(10)


@pytest.mark.parametrize("how", ["host", "shared", "gpu"])
def test_an_owner_who_was_killed_holds_nobody_up(folder: Path, how: str) -> None:
    with Holder(folder, how) as owner:
        assert owner.has_it(10)
        os.kill(owner.process.pid, signal.SIGKILL)
        owner.process.wait()
    start = time.monotonic()
    with turns.turn_alone("host"), turns.shared_turn():
        pass
    assert time.monotonic() - start < 10


def test_what_a_script_left_running_holds_nobody_up(folder: Path) -> None:
    child = "import os, time\nif os.fork() == 0:\n    time.sleep(60)\n    os._exit(0)\n"
    text = HOLD.replace("    sys.stdin.read()\n", "".join(f"    {x}\n" for x in child.splitlines()))
    done = subprocess.Popen(
        [sys.executable, "-c", text, str(folder), "host"], stdout=subprocess.DEVNULL, text=True
    )
    assert done.wait() == 0
    with Holder(folder, "host") as next_one:
        assert next_one.has_it(10)


def test_the_folder_belongs_to_its_user_alone(folder: Path) -> None:
    with turns.shared_turn():
        (own,) = folder.iterdir()
        assert stat.S_IMODE(own.stat().st_mode) == 0o700


def test_a_link_in_its_place_is_not_followed(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (folder / f"turnkey-turns-{os.getuid()}").symlink_to(target)
    with turns.turn_alone("host"), turns.shared_turn():
        assert not list(target.iterdir())


@pytest.mark.parametrize("device", ["../x", "a/b", "a b", ".."])
def test_names_of_devices_cannot_leave_the_folder(folder: Path, device: str) -> None:
    with turns.turn_alone(device):
        (own,) = folder.iterdir()
        assert all(path.parent == own for path in own.rglob("*"))


def test_a_folder_that_cannot_be_made_lets_everybody_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = folder / "file"
    blocked.write_text("")
    monkeypatch.setattr(turns, "_FOLDER", folder / "missing" / "deeper")
    monkeypatch.chdir(folder)
    (folder / f"turnkey-turns-{os.getuid()}").write_text("a file in its place")
    with turns.turn_alone("host"), turns.shared_turn():
        pass


def test_only_jobs_in_processes_of_their_own_take_turns() -> None:
    assert not RunPolicy().takes_turns
