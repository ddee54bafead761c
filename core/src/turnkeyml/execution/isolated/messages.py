"""What the command and its slots say to each other: JSON values, a line each, over a socket."""

from __future__ import annotations

import dataclasses
import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from turnkeyml.executor import Ending, JobEnd

_CHUNK = 1 << 16


@dataclass(frozen=True)
class SlotSetup:
    """What a slot is for.

    Args:
        tools: The tools of the plan; what they name to be imported beforehand is imported.
        cache_dir: Logs are in it.
        preload: Modules that are imported besides; None: nothing at all is imported beforehand.
    """

    tools: tuple[str, ...]
    cache_dir: str
    preload: tuple[str, ...] | None


@dataclass(frozen=True)
class JobOrder:
    """A job, as a slot needs to know it.

    Args:
        folder: The job's own.
        source: The input.
        output_file: Where to it prints.
        timeout_s: Wall time in seconds; None: no limit.
        memory_bytes: Resident memory of all its processes; None: no limit.
        output_limit_bytes: How long a log may get.
    """

    folder: str
    source: str
    output_file: str
    timeout_s: float | None
    memory_bytes: int | None
    output_limit_bytes: int


class SlotEvent:
    """What a slot has to say, in one word each."""

    READY = "ready"
    BEGUN = "begun"
    ENDED = "ended"


def end_to_json(end: JobEnd) -> dict[str, Any]:
    """Give how a job ended as JSON values; its report stays in the folder."""
    data = dataclasses.asdict(dataclasses.replace(end, report=None))
    return {**data, "ending": end.ending.value}


def end_from_json(data: Mapping[str, Any]) -> JobEnd:
    """Read back what `end_to_json` gave."""
    return JobEnd(Ending(data["ending"]), data["message"], data["hint"], data["peak_memory_bytes"])


class Channel:
    """One end of the socket between the command and a slot."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""
        self.is_closed = False

    def fileno(self) -> int:
        """Give the socket's number, for those who wait until something comes."""
        return self._connection.fileno()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message; one who is not there any more misses it."""
        # Whoever reads next finds out that the other end is closed.
        with suppress(OSError):
            self._connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> list[dict[str, Any]]:
        """Wait until something comes, and give the messages that are whole by then.

        When the other end is closed, `is_closed` is set.
        """
        try:
            chunk = self._connection.recv(_CHUNK)
        except OSError:
            chunk = b""
        self.is_closed = not chunk
        whole, newline, rest = (self._received + chunk).rpartition(b"\n")
        self._received = rest if newline else whole + rest
        return [json.loads(line) for line in whole.splitlines()] if newline else []

    def close(self) -> None:
        """Close this end."""
        self._connection.close()
