"""How busy the machine is, and how much memory there is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from turnkeyml_plugin_x86.container import memory_limit
from turnkeyml_plugin_x86.files import read_text


@dataclass(frozen=True)
class Load:
    """What else runs and what memory is left; None where the system does not tell.

    Args:
        load_average: Threads that ran or wanted to, the mean of the last minute.
        runnable: Threads that run or want to, right now; this process's are among them.
        cpu_pressure_percent: Of the last ten seconds, those in which some thread waited for a core.
        memory_bytes: The machine's.
        available_memory_bytes: Free, or freed when needed.
        memory_limit_bytes: What the container may use; None: no limit.
    """

    load_average: float | None
    runnable: int | None
    cpu_pressure_percent: float | None
    memory_bytes: int | None
    available_memory_bytes: int | None
    memory_limit_bytes: int | None


def read_load(root: Path) -> Load:
    """Read the load.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    words = read_text(root / "proc/loadavg").split()
    memory = _memory(root)
    total = memory.get("MemTotal")
    return Load(
        load_average=_number(words[0]) if words else None,
        runnable=_whole(words[3].partition("/")[0]) if len(words) > 3 else None,
        cpu_pressure_percent=_pressure(root),
        memory_bytes=total,
        available_memory_bytes=memory.get("MemAvailable"),
        memory_limit_bytes=memory_limit(root, total),
    )


def _memory(root: Path) -> dict[str, int]:
    found = {}
    for line in read_text(root / "proc/meminfo").splitlines():
        key, _, value = line.partition(":")
        words = value.split()
        if words and words[0].isdigit():
            found[key] = int(words[0]) * (1024 if words[1:] == ["kB"] else 1)
    return found


def _pressure(root: Path) -> float | None:
    for line in read_text(root / "proc/pressure/cpu").splitlines():
        words = line.split()
        if words[:1] == ["some"]:
            pairs = dict(word.split("=", 1) for word in words[1:] if "=" in word)
            return _number(pairs.get("avg10", ""))
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    return int(text) if text.isdigit() else None
