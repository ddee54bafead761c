"""A plugin whose inputs say how they behave: well, or in one of the ways in which jobs go wrong."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turnkeyml.context import RunContext
from turnkeyml.inputs import Source
from turnkeyml.state import ModelInfo, State
from turnkeyml.tool import FirstTool

HANG_S = 3600.0


class Play(FirstTool):
    """Do what an .act file says."""

    name = "play"
    suffixes = (".act",)
    produces = "acted"

    def start(self, source: Source, options: Any, context: RunContext) -> Iterator[State]:
        for line in source.path.read_text("utf-8").splitlines():
            word, _, rest = line.partition(" ")
            if word == "model":
                digest = hashlib.sha256(line.encode()).hexdigest()
                state = context.new_state(source, ModelInfo(rest, digest, "Toy"))
                state.add("acted", live=rest)
                yield state
            else:
                getattr(self, f"_{word}")(rest)

    def _note(self, rest: str) -> None:
        """Add a line to a file, so that it is known how often a job has run."""
        with Path(rest).open("a") as file:
            file.write(f"{os.getpid()}\n")

    def _sleep(self, rest: str) -> None:
        time.sleep(float(rest))

    def _await(self, rest: str) -> None:
        """Wait until a file is there."""
        end = time.monotonic() + HANG_S
        while not Path(rest).exists() and time.monotonic() < end:
            time.sleep(0.05)

    def _raise(self, rest: str) -> None:
        raise ValueError(rest)

    def _exit(self, rest: str) -> None:
        os._exit(int(rest))

    def _segfault(self, rest: str) -> None:
        ctypes.string_at(0)

    def _hog(self, rest: str) -> None:
        """Take so many MB, and keep them."""
        blocks = []
        for _ in range(int(rest) // 10):
            blocks.append(bytearray(os.urandom(1 << 20) * 10))
            time.sleep(0.01)
        time.sleep(HANG_S)

    def _spawn(self, rest: str) -> None:
        """Start children that leave their session and hang; then hang, too."""
        code = f"import os, time; os.fork() or os.setsid(); time.sleep({HANG_S})"
        for _ in range(2):
            subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
        time.sleep(HANG_S)

    def _flood(self, rest: str) -> None:
        block = "x" * (1 << 16)
        while True:
            print(block)

    def _parricide(self, rest: str) -> None:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(HANG_S)

    def _deletion(self, rest: str) -> None:
        """Delete the folders of all jobs."""
        for folder in Path(rest).glob(".commands/*/jobs/*"):
            if (folder / "job.json").exists() and "deletion" in (folder / "job.json").read_text():
                shutil.rmtree(folder)


implements = {"tools": [{"class": "slurm_toys:Play", "name": "play", "role": "first",
                         "summary": "Do what an .act file says."}]}  # fmt: skip
