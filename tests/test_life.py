"""Sudden death, closed pipes, narrow terminals and no terminal at all."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

from turnkeyml.cache import Cache
from turnkeyml.outcomes import Status
from turnkeyml.saved_state import load_state

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "examples/cli/scripts/hello_world.py"


def start(turnkey, *words, **options):
    return subprocess.Popen(
        [*turnkey.command, *map(str, words)],
        cwd=turnkey.folder,
        env=turnkey.environment(),
        **options,
    )


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def exported_log(turnkey):
    return list(turnkey.cache.glob("hello_world_*/log_export-pytorch.txt"))


def test_killed_in_the_middle_leaves_a_cache_that_says_so_and_the_next_run_mends_it(turnkey):
    process = start(turnkey, "-i", SCRIPT, "discover", "export-pytorch")
    wait_for(lambda: exported_log(turnkey))
    process.send_signal(signal.SIGKILL)
    process.wait()
    (build,) = Cache(turnkey.cache).builds()
    assert load_state(build).status is Status.INTERRUPTED
    again = turnkey("-i", SCRIPT, "discover", "export-pytorch")
    assert again.returncode == 0, again.stderr
    assert load_state(build).status is Status.SUCCESSFUL
    assert list(build.path.rglob(".tmp-*")) == []


def test_interrupt_ends_with_130_and_says_that_what_is_done_is_kept(turnkey):
    process = start(
        turnkey, "-i", SCRIPT, "discover", "export-pytorch", stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: exported_log(turnkey))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted." in errors
    assert "Traceback" not in errors
    (build,) = Cache(turnkey.cache).builds()
    assert load_state(build).status is Status.INTERRUPTED


def test_reader_that_goes_away_ends_the_printing_and_not_the_work(turnkey):
    process = start(
        turnkey, "-i", SCRIPT, "discover", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    with process.stderr:
        errors = process.stderr.read().decode()
    assert process.wait() == 0
    assert "Traceback" not in errors
    assert "Broken" not in errors
    assert len(Cache(turnkey.cache).builds()) == 1


@pytest.mark.parametrize("words", [f"-i {SCRIPT} discover", "report", "plugins", "cache list"])
def test_no_output_at_all_is_no_mistake(turnkey, words):
    if words == "report":
        turnkey("-i", SCRIPT, "discover")
    done = subprocess.run(
        ["sh", "-c", f"{shlex.join([*turnkey.command, *words.split()])} >&-"],
        cwd=turnkey.folder,
        env=turnkey.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0


def test_two_processes_on_one_build_take_turns(turnkey):
    both = [start(turnkey, "-i", SCRIPT, "discover", "export-pytorch") for _ in range(2)]
    assert [process.wait(timeout=240) for process in both] == [0, 0]
    (build,) = Cache(turnkey.cache).builds()
    saved = load_state(build)
    assert saved.status is Status.SUCCESSFUL
    for artifact in saved.artifacts:
        for record in artifact.files:
            assert (build.path / record.path).stat().st_size == record.size


def test_locale_without_any_characters_does_not_matter(turnkey):
    turnkey.script(
        "s.py", "import torch\nprint('caf\\u00e9')\ntorch.nn.Linear(2, 2)(torch.zeros(2))\n"
    )
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    found = turnkey("-i", "s.py", "discover", "export-pytorch", env=plain)
    assert found.returncode == 0, found.stderr
    assert "caf" in found.stdout


def on_terminal(turnkey, columns, *words):
    """Run on a terminal of so many columns; give the exit code and all that was shown."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**turnkey.environment(), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [*turnkey.command, *map(str, words)],
        cwd=turnkey.folder, env=environment, stdin=slave, stdout=slave, stderr=slave,
    )  # fmt: skip
    os.close(slave)
    shown = b""
    while True:
        ready, _, _ = select.select([master], [], [], 0.2)
        if ready:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            shown += piece
            if not piece:
                break
        elif process.poll() is not None:
            break
    os.close(master)
    return process.wait(), shown.decode("utf-8", "replace")


def test_live_view_on_a_narrow_terminal_shows_the_chain_and_then_the_results(turnkey):
    code, shown = on_terminal(turnkey, 40, "-i", SCRIPT, "discover", "export-pytorch")
    assert code == 0, shown
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    live = [line for line in plain.replace("\r", "\n").splitlines() if "export-pytorch" in line]
    assert any("▸ export-pytorch" in line for line in live)
    assert "Model successfully built!" in plain
    assert "Traceback" not in plain
    # What is redrawn must fit, or a terminal would scroll with every frame.
    drawn = [line for line in live if "▸" in line]
    assert max(map(len, drawn)) <= 40


def test_script_that_asks_for_input_is_told_that_there_is_none(turnkey):
    turnkey.script("asks.py", "import torch\nname = input('name? ')\n")
    found = turnkey("-i", "asks.py", "discover")
    assert found.returncode == 1
    assert "EOFError" in found.stderr
