"""What the machine did to a process: read from counters that only grow."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from turnkeyml.conditions import Conditions, Disturbance, between, clock_step_ns, look, watch

SPIN = "import time\nend = time.monotonic() + 3\nwhile time.monotonic() < end: pass"


def test_what_grew_is_a_share_of_the_time() -> None:
    before = Conditions(0, 100, 50, 0, 1000, 2)
    after = Conditions(1_000_000_000, 300_000_100, 100_000_050, 0, 251_000, 5)
    found = between(before, after)
    assert found.waited_share == pytest.approx(0.25)
    assert found.throttled_share == pytest.approx(0.25)
    assert (found.stolen_share, found.thermal_events) == (0.0, 3)


def test_one_tick_that_the_host_took_may_be_from_before_and_more_are_not() -> None:
    def stolen(ticks: int) -> float | None:
        later = Conditions(10**9, stolen_ticks=7 + ticks)
        return between(Conditions(0, stolen_ticks=7), later).stolen_share

    assert stolen(0) == stolen(1) == 0.0
    assert stolen(5) == pytest.approx(4 / os.sysconf("SC_CLK_TCK") / (os.cpu_count() or 1))


def test_what_is_not_known_stays_unknown() -> None:
    assert between(Conditions(0), Conditions(5)) == Disturbance()


def test_counters_of_threads_that_ended_do_not_make_it_negative() -> None:
    assert between(Conditions(0, 500, 500), Conditions(10, 400, 600)).waited_share == 1.0


def test_competition_for_the_cores_is_seen_and_its_absence_too() -> None:
    if look().waited_ns is None:
        pytest.skip("the system does not say how long threads wait for a core")
    cores = sorted(os.sched_getaffinity(0))
    rivals = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(2)]
    try:
        os.sched_setaffinity(0, cores[:1])
        for rival in rivals:
            os.sched_setaffinity(rival.pid, cores[:1])
        finish = watch()
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            pass
        crowded = finish()["waited_share"]
    finally:
        os.sched_setaffinity(0, cores)
        for rival in rivals:
            rival.kill()
            rival.wait()
    assert crowded is not None
    assert crowded > 0.2


def test_the_smallest_step_of_a_clock_is_found() -> None:
    readings = iter([0, 0, 30, 30, 70, 70, 70, 80, 80, 130])
    assert clock_step_ns(lambda: next(readings), tries=3) == 10


def test_the_real_clock_has_a_step() -> None:
    assert 0 < clock_step_ns(tries=5) < 1_000_000_000
