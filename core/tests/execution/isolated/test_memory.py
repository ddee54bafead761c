"""What memory processes have, and how seldom the kernel is asked what they share."""

from __future__ import annotations

import os

import pytest

from turnkeyml.execution.isolated import memory
from turnkeyml.execution.isolated.memory import MemoryMeter
from turnkeyml.execution.isolated.processes import Descendants, Process


def test_memory_that_is_shared_counts_once(start) -> None:
    # In one call, so that the words of several do not mix.
    fork = "import os; x = b'x' * 50_000_000\nfor _ in range(3): os.fork() == 0 and (os.write(1, "
    child = start(fork + "b'ready\\n'), input())\ninput()")
    family = [*Descendants(child.pid).find(), Process(child.pid, os.getpid(), 0)]
    assert len(family) >= 2
    alone = MemoryMeter().measure(family[-1:], 0)
    assert alone > 50_000_000
    assert MemoryMeter().measure(family, 0) < 1.5 * alone
    # Where it cannot be a new peak, the sum is as good.
    assert MemoryMeter().measure(family, 10**12) > 1.5 * alone


def test_the_memory_of_one_that_ended_is_nothing(start) -> None:
    child = start("print('ready', flush=True); input()")
    child.kill()
    child.wait()
    assert MemoryMeter().measure([Process(child.pid, 1, 1), Process(child.pid, 1, 1)], 0) == 0


class Kernel:
    """Knows what processes have, and needs 10 ms for each whose share it is asked for."""

    def __init__(self) -> None:
        self.now = 100.0
        self.asked = 0
        self.shared: dict[int, int] = {}

    def monotonic(self) -> float:
        return self.now

    def share(self, process: Process) -> int:
        self.asked += 1
        self.now += 0.01
        return process.resident_bytes - self.shared.get(process.pid, 0)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(memory, "time", made)
    monkeypatch.setattr(memory, "_share", made.share)
    return made


def two(first: int, second: int) -> list[Process]:
    return [Process(1, 0, 0, first), Process(2, 1, 0, second)]


def test_asking_takes_a_fiftieth_of_the_time(kernel: Kernel) -> None:
    meter, begun, peak = MemoryMeter(), kernel.now, 0
    kernel.shared = {2: 500}
    while kernel.now - begun < 60:
        peak = max(peak, meter.measure(two(1000, 900), peak))
        kernel.now += 0.1
    assert peak == 1400
    assert 0.01 * kernel.asked <= 60 / 50
    assert kernel.asked > 60 / 50 / 0.01 / 2, "but it does go on"


def test_what_grows_is_seen_soon(kernel: Kernel) -> None:
    kernel.shared = {1: 300, 2: 300}
    meter = MemoryMeter()
    assert meter.measure(two(1000, 900), 0) == 1300
    assert meter.measure(two(1000, 5000), 1300) == 1300, "it has just been asked"
    kernel.now += 0.3
    assert meter.measure(two(1000, 5000), 1300) == 5400


def test_a_limit_is_exceeded_only_by_what_the_kernel_says(kernel: Kernel) -> None:
    meter = MemoryMeter()
    assert meter.measure(two(1000, 900), 0, limit=2000) == 1900
    # Forked from the others: nothing of it is its own.
    family = [*two(1000, 900), Process(3, 1, 0, 900)]
    kernel.shared = {2: 450, 3: 450}
    assert meter.measure(family, 1900, limit=2000) == 1900
    asked = kernel.asked
    assert meter.measure(family, 1900, limit=2000) == 1900
    assert kernel.asked == asked
    # It writes to what it shared: in the end that is seen.
    kernel.shared = {}
    kernel.now += 5
    assert meter.measure(family, 1900, limit=2000) == 2800


def test_a_limit_is_kept_however_shortly_the_kernel_was_asked(kernel: Kernel) -> None:
    meter = MemoryMeter()
    assert meter.measure(two(1000, 900), 0, limit=2000) == 1900
    assert meter.measure(two(1000, 1100), 1900, limit=2000) == 2100


def test_one_that_is_gone_shares_nothing(kernel: Kernel) -> None:
    kernel.shared = {1: 400, 2: 400}
    meter = MemoryMeter()
    assert meter.measure([*two(1000, 1000), Process(3, 1, 0, 50)], 0) == 1250
    # One that has shrunk shares at most what it has.
    assert meter.measure([Process(1, 0, 0, 100), Process(3, 1, 0, 50)], 20) == 20
    left = [Process(1, 0, 0, 1000), Process(3, 1, 0, 50)]
    kernel.shared = {}
    assert meter.measure(left, 600) == 600
    kernel.now += 5
    assert meter.measure(left, 600) == 1050
