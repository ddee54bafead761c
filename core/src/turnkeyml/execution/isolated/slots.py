"""Slots as the command sees them: started when they are needed, replaced when they are gone."""

from __future__ import annotations

import fcntl
import os
import secrets
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from turnkeyml.errors import TurnkeyError
from turnkeyml.execution.isolated.child import python_command
from turnkeyml.execution.isolated.messages import Channel, JobOrder, SlotSetup
from turnkeyml.execution.isolated.processes import is_stopped, kill_marked

_PROGRAM = (
    "import sys\n"
    "if sys.path and not sys.path[0]: del sys.path[0]\n"
    "from turnkeyml.execution.isolated.slot import main\n"
    "main()\n"
)
_FIRST_FREE_DESCRIPTOR = 10
"""Away from 0, 1 and 2, which may be free where the command was started without them."""
_STARTING_S = 180.0
_ENDING_S = 15.0
_LOOK_S = 1.0
_LAST_LINES = 5
_LOG_TAIL_BYTES = 1 << 12


@dataclass(frozen=True)
class Profile:
    """What makes slots differ: what is imported, and under which variables.

    Args:
        tools: The tools of a plan.
        environment: Variables that must be set before anything is imported.
        preload: Modules that are imported beforehand besides what tools need; None: nothing.
    """

    tools: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    preload: tuple[str, ...] | None


class SlotProcess:
    """A slot's process and the channel to it.

    Args:
        profile: What it is for.
        log: Where its own output goes.
        cache_dir: The cache.
    """

    def __init__(self, profile: Profile, log: Path, cache_dir: Path) -> None:
        self.profile = profile
        self.log = log
        self.is_ready = False
        self._mark = f"TURNKEY_SLOT_{secrets.token_hex(8)}"
        self._started = self._looked = time.monotonic()
        ours, its = _socket_pair()
        self.channel = Channel(ours)
        try:
            self._process = self._start(its)
        except OSError as error:
            self.channel.close()
            raise TurnkeyError(
                f"No process can be started: {error.strerror or error}.",
                hint="Run fewer side by side with --jobs, or look at the limits: ulimit -a",
            ) from error
        finally:
            its.close()
        setup = SlotSetup(profile.tools, str(cache_dir), profile.preload)
        self.channel.send(asdict(setup))

    def _start(self, its: socket.socket) -> subprocess.Popen[bytes]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            return subprocess.Popen(
                python_command("-c", _PROGRAM, str(its.fileno())),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[its.fileno()],
                # A key press is for the command, which then ends its slots.
                start_new_session=True,
                env={**dict(self.profile.environment), **os.environ, self._mark: "1"},
            )

    def send(self, order: JobOrder) -> None:
        """Give it a job."""
        self.channel.send(asdict(order))

    def receive(self) -> list[dict[str, Any]]:
        """Give what it said; `channel.is_closed` tells when it is gone."""
        return self.channel.receive()

    def look_after(self) -> None:
        """See to it that it can do its work, whatever a job does to it."""
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        if is_stopped(self._process.pid):
            self._process.send_signal(signal.SIGCONT)
        if not self.is_ready and now - self._started > _STARTING_S:
            self._process.kill()

    def ask_to_end(self) -> None:
        """Let it end what it runs, and itself; `end` waits for that."""
        self.channel.close()
        with suppress(OSError):
            # One that was stopped would not notice, nor would one that still imports packages.
            self._process.send_signal(signal.SIGCONT if self.is_ready else signal.SIGKILL)

    def end(self) -> None:
        """Wait for its end, and make sure of it; nothing that it started is left."""
        try:
            code = self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if code != 0:
            # It had no time to end what it ran.
            kill_marked(self._mark)

    def last_words(self) -> str:
        """Give the last lines of its own output."""
        try:
            text = self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace")
        except OSError:
            return ""
        return " / ".join(line.strip() for line in text.splitlines()[-_LAST_LINES:] if line.strip())


def _socket_pair() -> tuple[socket.socket, socket.socket]:
    pair = []
    for end in socket.socketpair():
        with end:
            number = fcntl.fcntl(end.fileno(), fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_DESCRIPTOR)
        pair.append(socket.socket(fileno=number))
    return pair[0], pair[1]


class Slots:
    """All slots of a command; none of them is there any more after the block.

    Args:
        folder: Where their logs go.
        cache_dir: The cache.
    """

    def __init__(self, folder: Path, cache_dir: Path) -> None:
        self._folder = folder
        self._cache_dir = cache_dir
        self._selector = selectors.DefaultSelector()
        self._numbers: dict[SlotProcess, int] = {}
        self._idle: list[SlotProcess] = []

    def __enter__(self) -> Slots:
        return self

    def __exit__(self, *details: object) -> None:
        self._selector.close()
        for slot in self._numbers:
            slot.ask_to_end()
        for slot in self._numbers:
            slot.end()
        self._numbers.clear()

    def take(self, profile: Profile) -> SlotProcess:
        """Give a slot that has nothing to do, or a new one, which is not ready yet.

        Raises:
            TurnkeyError: No process can be started.
        """
        for slot in self._idle:
            if slot.profile == profile:
                self._idle.remove(slot)
                return slot
        number = next(n for n in range(len(self._numbers) + 1) if n not in self._numbers.values())
        slot = SlotProcess(profile, self._folder / f"slot-{number}.txt", self._cache_dir)
        self._numbers[slot] = number
        self._selector.register(slot.channel, selectors.EVENT_READ, slot)
        return slot

    def give_back(self, slot: SlotProcess) -> None:
        """Let others have a slot whose job has ended."""
        self._idle.append(slot)

    def wait(self, seconds: float) -> Iterator[tuple[SlotProcess, list[Mapping[str, Any]]]]:
        """Wait until slots have something to say, and give that.

        A slot that is gone says one thing more: nothing.
        """
        for key, _ in self._selector.select(seconds):
            slot: SlotProcess = key.data
            messages = slot.receive()
            if messages:
                yield slot, list(messages)
            if slot.channel.is_closed:
                self._forget(slot)
                yield slot, []
        for slot in self._numbers:
            slot.look_after()

    def _forget(self, slot: SlotProcess) -> None:
        self._selector.unregister(slot.channel)
        slot.ask_to_end()
        slot.end()
        del self._numbers[slot]
        if slot in self._idle:
            self._idle.remove(slot)
