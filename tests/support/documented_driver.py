"""Runs documented commands and code, one after the other in one process, and writes what came."""

from __future__ import annotations

import contextlib
import glob
import io
import json
import os
import re
import shlex
import subprocess
import sys
import time
import traceback
from pathlib import Path

LISTS = ("makes", "lacks")
ROOT = Path(__file__).resolve().parents[2]


def build(name: str, cache: str | None = None) -> str:
    """Name the first build of a script in a cache."""
    pattern = re.compile(re.escape(name) + r"_[0-9a-f]{8}\Z")
    found = sorted(filter(pattern.match, os.listdir(cache or os.environ["TURNKEY_CACHE_DIR"])))
    if not found:
        raise LookupError(f"there is no build of {name}")
    return found[0]


def filled(text: str, here: Path) -> str:
    """Put in what a command can only know when it is run."""
    text = text.replace("{cwd}", str(here)).replace("{home}", os.environ["HOME"])
    text = text.replace("{bin}", str(Path(sys.executable).parent))
    text = re.sub(r"\{build:(\w+)\}", lambda m: build(m[1]), text)
    return re.sub(r"\{hash:(\w+)\}", lambda m: build(m[1]).rpartition("_")[2], text)


def words_of(command: str) -> list[str]:
    """Split a command line as a shell does, patterns included."""
    words = []
    for word in shlex.split(command):
        found = [] if "::" in word or word.startswith("-") else sorted(glob.glob(word))
        words += found or [word]
    return words


def run_words(words: list[str]) -> int:
    from turnkeyml.cli.main import run_command
    from turnkeyml.console import Console

    assert words[0] == "turnkey", words
    return int(run_command(words[1:], Console(sys.stdout, sys.stderr)))


@contextlib.contextmanager
def said():
    """Keep what is printed."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        yield text


def plain(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a script without turnkey."""
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=200)


def python(code: str, here: Path) -> None:
    import torch

    import turnkeyml

    class YourModel(torch.nn.Module):
        def __init__(self, size: int = 2) -> None:
            super().__init__()
            # The same weights each time, so that what was built of them is used again.
            torch.manual_seed(0)
            self.layer = torch.nn.Linear(8, size)

        def forward(self, x):
            return self.layer(x)

    names = {
        "turnkeyml": turnkeyml, "YourModel": YourModel, "inputs": {"x": torch.ones(1, 8)},
        "CACHE": os.environ["TURNKEY_CACHE_DIR"], "HERE": here, "ROOT": ROOT,
        "build": build, "said": said, "plain": plain,
    }  # fmt: skip
    argv, sys.argv = sys.argv, ["documented.py"]
    try:
        exec(compile(code, "documented", "exec"), names)
    finally:
        sys.argv = argv


def run_entry(entry: dict, here: Path) -> dict:
    os.chdir(here / entry.get("cwd", "."))
    before = dict(os.environ)
    for key, value in entry.get("env", {}).items():
        os.environ[key] = filled(value, here)
    # A benchmark's settings stay set for good, as in any process.
    given = set(entry.get("env", {}))
    text, code, begun = io.StringIO(), 0, time.perf_counter()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            if "python" in entry:
                python(entry["python"], here)
            commands = entry.get("run", [])
            for command in [commands] if isinstance(commands, str) else commands:
                text.seek(0)
                text.truncate()
                code = run_words(words_of(filled(command, here)))
        except BaseException:  # noqa: BLE001 - the next command is run all the same
            code = 70
            traceback.print_exc(file=text)
    for key in given:
        os.environ.pop(key)
        if key in before:
            os.environ[key] = before[key]
    home_text = {key: filled(key, here) for key in ("{cwd}", "{home}")}
    lists = {key: [p for p in entry.get(key, []) if list(here.glob(p))] for key in LISTS}
    return {
        **lists,
        "code": code,
        "text": text.getvalue(),
        "seconds": time.perf_counter() - begun,
        "filled": home_text,
    }


def main() -> None:
    entries, results = map(Path, sys.argv[1:3])
    here = Path.cwd()
    done = []
    for entry in json.loads(entries.read_text("utf-8")):
        done.append(run_entry(entry, here))
        results.write_text(json.dumps(done), "utf-8")


if __name__ == "__main__":
    main()
