"""What turnkey runs on: the machine, Python, the plugins, and the libraries that they need."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from turnkeyml.plugins.registry import CORE, Registry

_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FOR_TESTS = re.compile(r"extra *== *['\"](?:test|dev)")
_OWN = "turnkeyml-"


def system_info(registry: Registry) -> dict[str, Any]:
    """Collect the facts; no library is imported for its version.

    Args:
        registry: What is installed.

    Returns:
        JSON values: ``turnkey``, ``python``, ``executable``, ``system``, ``kernel``, ``machine``,
        ``processor``, ``cores`` (those that this process may use), ``memory_bytes``, ``plugins``
        and ``libraries`` (names to versions), ``broken`` (sentences).
    """
    providers = [contribution.provider for contribution in registry.contributions]
    names = {provider.distribution for provider in providers} | {CORE}
    return {
        "turnkey": _version(CORE),
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": _system(),
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": _cores(),
        "memory_bytes": _memory(),
        "plugins": {p.distribution: p.version for p in providers if p.distribution != CORE},
        "libraries": _libraries(names),
        "broken": [plugin.reason for plugin in registry.broken],
    }


def _libraries(distributions: Iterable[str]) -> dict[str, str]:
    """Give the versions of what distributions say that they need, as far as it is installed."""
    found: dict[str, str] = {}
    waiting, seen = list(distributions), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for needed in _requirements(name):
            if needed.lower().startswith(_OWN):
                waiting.append(needed)
            elif version := _version(needed):
                found[needed] = version
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _requirements(distribution: str) -> list[str]:
    try:
        texts = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return []
    # What belongs to an extra may be there all the same, and matters then; test tools do not.
    matches = [_REQUIREMENT.match(text) for text in texts if not _FOR_TESTS.search(text)]
    return [match[0] for match in matches if match]


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _system() -> str:
    with suppress(OSError):
        return str(platform.freedesktop_os_release().get("PRETTY_NAME", ""))
    return platform.platform()


def _processor() -> str:
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
        found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int | None:
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None
