"""What tests ask of a cache after a command."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from core_env import Ended

from turnkeyml.artifacts import Artifact
from turnkeyml.cache.layout import BuildDirectory, Cache
from turnkeyml.cache.stats import Stats
from turnkeyml.saved_state import SavedState, load_state

_STEP = re.compile(r"^\S+ \S+: (?P<tool>[a-z-]+) \((?P<took>[^)]*)\)", re.MULTILINE)


def ran(done: Ended) -> list[str]:
    """Name the tools that were run on models, and not spared, in order."""
    return [m["tool"] for m in _STEP.finditer(done.err) if m["took"] != "as before"]


def spared(done: Ended) -> list[str]:
    """Name the tools whose earlier results were taken, in order."""
    return [m["tool"] for m in _STEP.finditer(done.err) if m["took"] == "as before"]


def notes(done: Ended) -> list[str]:
    """Give the notes that a command printed."""
    return [line[6:] for line in done.out.splitlines() if line.startswith("Note: ")]


def builds_in(cache: Path) -> list[BuildDirectory]:
    """List the builds of a cache."""
    return Cache(cache).builds()


def the_build(cache: Path) -> BuildDirectory:
    """Give the only build of a cache."""
    (build,) = builds_in(cache)
    return build


def the_state(cache: Path) -> SavedState:
    """Read the state of the only build."""
    return load_state(the_build(cache))


def steps_of(cache: Path) -> dict[str, dict[str, Any]]:
    """Give the statistics of the steps of the only build by tool; the last of a tool counts."""
    return {s["tool"]: s for s in Stats.load(the_build(cache)).steps.values()}


def content_of(build: BuildDirectory, artifact: Artifact) -> list[bytes]:
    """Read the files of an artifact, which must be what the state says."""
    found = []
    for record in artifact.files:
        content = (build.path / record.path).read_bytes()
        assert len(content) == record.size, record
        assert hashlib.sha256(content).hexdigest() == record.sha256, record
        found.append(content)
    return found


def results_of(cache: Path) -> dict[str, list[tuple[str, dict[str, Any], list[bytes]]]]:
    """Give all that matters of a cache: kinds, facts and bytes of each build's artifacts."""
    return {
        build.name: [
            (artifact.kind, dict(artifact.info), content_of(build, artifact))
            for artifact in load_state(build).artifacts
        ]
        for build in builds_in(cache)
    }


def files_of(build: BuildDirectory) -> list[str]:
    """List the files of a build's folders, without logs."""
    found = [p for p in build.path.rglob("*") if p.is_file() and not p.name.startswith("log_")]
    return sorted(p.relative_to(build.path).as_posix() for p in found)


def statuses_of(cache: Path) -> dict[str, tuple[str, dict[str, str]]]:
    """Give how each build of a cache stands, and each of its steps."""
    found = {}
    for build in builds_in(cache):
        steps = Stats.load(build).steps.values()
        status = load_state(build).status.value
        found[build.name] = (status, {s["tool"]: s["status"] for s in steps})
    return found
