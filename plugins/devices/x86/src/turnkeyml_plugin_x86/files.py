"""Small files of ``/proc`` and ``/sys``, any of which may be absent."""

from __future__ import annotations

from pathlib import Path


def read_text(path: Path) -> str:
    """Give a file's content without the space around it; nothing if it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "replace").strip("\0 \t\r\n")
    except (OSError, ValueError):
        return ""


def read_int(path: Path) -> int | None:
    """Give the number in a file; None if there is none."""
    try:
        return int(read_text(path))
    except ValueError:
        return None


def cpus_from_text(text: str) -> frozenset[int]:
    """Read a list of processors such as ``0-3,8``; what is no such list gives none."""
    found: set[int] = set()
    try:
        for part in text.split(","):
            if part.strip():
                first, _, last = part.partition("-")
                found.update(range(int(first), int(last or first) + 1))
    except ValueError:
        return frozenset()
    return frozenset(found)


def cpuinfo_blocks(text: str) -> list[dict[str, str]]:
    """Read the form of ``/proc/cpuinfo``: a block of ``key: value`` lines for each processor."""
    blocks: list[dict[str, str]] = [{}]
    for line in text.splitlines():
        key, separator, value = line.partition(":")
        if separator:
            blocks[-1].setdefault(key.strip(), " ".join(value.split()))
        elif blocks[-1]:
            blocks.append({})
    return [block for block in blocks if block]
