"""What the machine did to a process while it was measured: waiting for cores, throttling.

Standard library only, and nothing of turnkey: worker processes load this file by its path.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_PROC = Path("/proc")
_SYS = Path("/sys")


@dataclass(frozen=True)
class Conditions:
    """Counters that only grow; two of them say what happened in between.

    Args:
        wall_ns: A monotonic clock.
        ran_ns: What the process's threads ran on cores; None where it is not known.
        waited_ns: What they waited for a core although they could run; None likewise.
        stolen_ticks: What the host of a virtual machine took from all cores, in clock ticks.
        throttled_us: How long the container's quota stopped the process, in microseconds.
        thermal_events: How often the processor slowed down because of heat.
    """

    wall_ns: int
    ran_ns: int | None = None
    waited_ns: int | None = None
    stolen_ticks: int | None = None
    throttled_us: int | None = None
    thermal_events: int | None = None


@dataclass(frozen=True)
class Disturbance:
    """What happened between two looks.

    Args:
        waited_share: Waiting for a core, as a share of running and waiting.
        stolen_share: Of the time of all cores, what the host took.
        throttled_share: Of the time, what the container's quota stopped.
        thermal_events: How often the processor slowed down because of heat.
    """

    waited_share: float | None = None
    stolen_share: float | None = None
    throttled_share: float | None = None
    thermal_events: int | None = None


def look() -> Conditions:
    """Read the counters; what a system does not offer is None."""
    schedule = _schedule()
    return Conditions(
        time.perf_counter_ns(),
        schedule[0] if schedule else None,
        schedule[1] if schedule else None,
        _stolen_ticks(),
        _throttled_us(),
        _thermal_events(),
    )


def watch() -> Callable[[], dict[str, float | None]]:
    """Look now, and give a function that says what happened since."""
    before = look()
    return lambda: asdict(between(before, look()))


def between(before: Conditions, after: Conditions) -> Disturbance:
    """Say what happened between two looks."""
    wall_ns = max(1, after.wall_ns - before.wall_ns)
    ran = _grown(before.ran_ns, after.ran_ns)
    waited = _grown(before.waited_ns, after.waited_ns)
    stolen = _grown(before.stolen_ticks, after.stolen_ticks)
    throttled = _grown(before.throttled_us, after.throttled_us)
    ticks_ns = 1e9 / os.sysconf("SC_CLK_TCK")
    cores = os.cpu_count() or 1
    return Disturbance(
        None if ran is None or waited is None else waited / max(1, ran + waited),
        # The counter moves in whole ticks, so that one of them may be from before.
        None if stolen is None else min(1.0, max(0, stolen - 1) * ticks_ns / (wall_ns * cores)),
        None if throttled is None else min(1.0, throttled * 1e3 / wall_ns),
        _grown(before.thermal_events, after.thermal_events),
    )


def _grown(before: int | None, after: int | None) -> int | None:
    # A thread that ended takes its counters along.
    return None if before is None or after is None else max(0, after - before)


def _schedule() -> tuple[int, int] | None:
    ran = waited = 0
    seen = False
    with suppress(OSError):
        for thread in (_PROC / "self" / "task").iterdir():
            with suppress(OSError, ValueError, IndexError):
                words = (thread / "schedstat").read_text("ascii").split()
                ran, waited, seen = ran + int(words[0]), waited + int(words[1]), True
    return (ran, waited) if seen else None


def _stolen_ticks() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        words = (_PROC / "stat").read_text("ascii").partition("\n")[0].split()
        return int(words[8])
    return None


def _throttled_us() -> int | None:
    """Read how long the quota of this process's control group stopped it."""
    for path in _cgroup_files():
        with suppress(OSError, ValueError):
            for line in path.read_text("ascii").splitlines():
                name, _, value = line.partition(" ")
                if name == "throttled_usec":
                    return int(value)
                if name == "throttled_time":
                    return int(value) // 1000
    return None


def _cgroup_files() -> Iterator[Path]:
    with suppress(OSError):
        for line in (_PROC / "self" / "cgroup").read_text("utf-8").splitlines():
            _, controllers, inside = (line.split(":", 2) + ["", ""])[:3]
            if not controllers:
                yield _SYS / "fs/cgroup" / inside.lstrip("/") / "cpu.stat"
            elif "cpu" in controllers.split(","):
                yield _SYS / "fs/cgroup/cpu" / inside.lstrip("/") / "cpu.stat"
    yield _SYS / "fs/cgroup/cpu.stat"


def _thermal_events() -> int | None:
    total, seen = 0, False
    for path in (_SYS / "devices/system/cpu").glob("cpu[0-9]*/thermal_throttle/*_throttle_count"):
        with suppress(OSError, ValueError):
            total, seen = total + int(path.read_text("ascii")), True
    return total if seen else None


def clock_step_ns(clock: Callable[[], int] = time.perf_counter_ns, tries: int = 100) -> int:
    """Find the smallest step that a clock makes, in nanoseconds."""
    smallest = 0
    for _ in range(tries):
        start = now = clock()
        while now == start:
            now = clock()
        smallest = now - start if smallest == 0 else min(smallest, now - start)
    return smallest
