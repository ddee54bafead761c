"""A slot: a process that runs one job at a time, each in a fork of itself, and watches over it."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import traceback
import warnings
from pathlib import Path

from turnkeyml.execution.isolated.child import become_fresh_interpreter, begin_job, run_here
from turnkeyml.execution.isolated.endings import unwritable_end
from turnkeyml.execution.isolated.messages import (
    Channel,
    JobOrder,
    SlotEvent,
    SlotSetup,
    end_to_json,
)
from turnkeyml.execution.isolated.safety import reason_for_fresh_process
from turnkeyml.execution.isolated.supervision import Supervised, Supervision
from turnkeyml.execution.isolated.system import OutOfMemoryKills, Process
from turnkeyml.execution.isolated.warming import NotSafeError, Warmth, warm_up


class Slot:
    """Serves the command at the other end of a channel.

    Args:
        channel: To the command.
        setup: What it is for.
    """

    def __init__(self, channel: Channel, setup: SlotSetup) -> None:
        self._channel = channel
        self._setup = setup
        self._system = Process()
        self._warmth: Warmth | None = None

    def serve(self) -> None:
        """Run jobs until the command is gone."""
        self._system.adopt_orphans()
        if self._setup.preload is not None:
            try:
                self._warmth = warm_up(self._setup.tools, self._setup.preload)
                _say(f"kept warm for {' '.join(self._setup.tools)}")
            except NotSafeError as error:
                _say(f"not kept warm: {error}")
        self._channel.send({"event": SlotEvent.READY})
        while not self._channel.is_closed:
            for message in self._channel.receive():
                if not self._run(JobOrder(**message)):
                    return

    def _run(self, order: JobOrder) -> bool:
        """Run a job and tell how it ended; tell whether the slot can go on."""
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
            output = os.open(order.output_file, flags, 0o644)
        except OSError as error:
            end = unwritable_end(Path(order.folder), error)
            self._channel.send({"event": SlotEvent.ENDED, **end_to_json(end)})
            return True
        try:
            done = self._supervise(order, output)
        finally:
            os.close(output)
        if done.is_abandoned:
            return False
        self._channel.send({"event": SlotEvent.ENDED, **end_to_json(done.end)})
        if done.immortal:
            _say(f"processes of {order.folder} cannot be killed: {done.immortal}")
        return not done.immortal

    def _supervise(self, order: JobOrder, output: int) -> Supervised:
        fresh = self._reason_for_fresh_process(order)
        oom_before = OutOfMemoryKills.count()
        # Before it is: a job of which the command has not heard can be given to another slot.
        self._channel.send({"event": SlotEvent.BEGUN})
        pid = self._fork(order, output, is_fresh=bool(fresh))
        return Supervision(
            order,
            pid,
            output,
            command=self._channel.fileno(),
            cache_dir=self._setup.cache_dir,
            is_fork=not fresh,
            oom_before=oom_before,
        ).watch()

    def _reason_for_fresh_process(self, order: JobOrder) -> str:
        if self._warmth is None:
            return "the slot is not kept warm"
        reason = reason_for_fresh_process(Path(order.source), self._warmth.loaded)
        if reason:
            _say(f"{order.source}: in an interpreter of its own, since {reason}")
        return reason

    def _fork(self, order: JobOrder, output: int, *, is_fresh: bool) -> int:
        slot = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # Python warns of threads, which libraries of numbers start and stop around forks.
            warnings.simplefilter("ignore")
            pid = os.fork()
        if pid != 0:
            return pid
        try:
            begin_job(output, slot, self._system, [self._channel.fileno()])
            if is_fresh or self._warmth is None:
                become_fresh_interpreter(Path(order.folder))
            run_here(Path(order.folder), self._warmth)
        # It has not got as far as the job, and nobody else is there to tell.
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            # A fork must never come back into the slot's own loop.
            os._exit(1)


def _say(line: str) -> None:
    """Write a line into the slot's log."""
    sys.stderr.write(f"turnkey slot: {line}\n")
    sys.stderr.flush()


def main() -> None:
    """Serve the command that started this process, over the socket whose number it was given."""
    # It ends with the command, and by nobody's key press.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    channel = Channel(connection)
    messages = channel.receive()
    if messages:
        first = messages[0]
        preload = None if first["preload"] is None else tuple(first["preload"])
        setup = SlotSetup(tuple(first["tools"]), first["cache_dir"], preload)
        Slot(channel, setup).serve()
    # Nothing here is worth taking to pieces.
    gc.disable()
    os._exit(0)
