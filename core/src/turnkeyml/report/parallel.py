"""Read many builds with several processes."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, Any

from turnkeyml.report.reading import BuildReader, Found, ReadBuild

WORTH_IT = 500
"""Fewer builds are read sooner than a process has started."""

_MOST = 4
_HELPER = Path(__file__).with_name("helper.py")


def read_builds(cache: Path, builds: Sequence[Found]) -> list[ReadBuild]:
    """Read builds, in order; with helpers where there are many."""
    count = min(_cores(), _MOST, len(builds) // WORTH_IT)
    if count < 2:
        return list(BuildReader(cache).read_all(builds))
    size = -(-len(builds) // count)
    parts = [builds[start : start + size] for start in range(0, len(builds), size)]
    with ExitStack() as stack:
        started = [_start(cache, part, stack) for part in parts[1:]]
        read = list(BuildReader(cache).read_all(parts[0]))
        for part, (process, output) in zip(parts[1:], started, strict=True):
            process.wait()
            told = list(_answers(output, part))
            # Whatever kept a helper from its work, its builds are read all the same.
            read += told + list(BuildReader(cache).read_all(part[len(told) :]))
    return read


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _temporary() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _start(
    cache: Path, part: Sequence[Found], stack: ExitStack
) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    order, output = (stack.enter_context(closing(_temporary())) for _ in range(2))
    builds = [[found.name, found.stamp, found.newest_ns] for found in part]
    order.write(json.dumps([str(cache), builds]).encode())
    order.seek(0)
    process = subprocess.Popen(
        [sys.executable, str(_HELPER)], stdin=order, stdout=output, stderr=subprocess.DEVNULL
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process, output


def _answers(output: IO[bytes], part: Sequence[Found]) -> Iterator[ReadBuild]:
    """Give what a helper wrote, up to the first thing that is not whole."""
    output.seek(0)
    lines = iter(output)
    shapes: list[str] = []
    for found, line in zip(part, lines, strict=False):
        try:
            name, numbers, fresh = json.loads(line)
            shapes += fresh
            names = tuple(shapes[number] for number in numbers)
        except (ValueError, TypeError, IndexError):
            return
        rows = list(itertools.islice(lines, len(names)))
        whole = len(rows) == len(names) and all(row.endswith(b"\n") for row in rows)
        if name != found.name or not whole:
            return
        yield ReadBuild(found, names, tuple(row.decode("ascii", "replace")[:-1] for row in rows))


def help_reading(order: Any, output: IO[str]) -> None:
    """Do a helper's work: for each build a line of JSON, and below it a line for each row.

    The first line has the build's name, for each row the number of its list of column names, and
    those lists that were not there before.

    Args:
        order: The cache, and name, stamp and time of each build.
        output: Where the lines go.
    """
    cache, builds = order
    known: dict[str, int] = {}
    for build in BuildReader(Path(cache)).read_all([Found(*one) for one in builds]):
        fresh = [names for names in dict.fromkeys(build.names) if names not in known]
        for names in fresh:
            known[names] = len(known)
        head = json.dumps([build.found.name, [known[names] for names in build.names], fresh])
        output.write("\n".join([head, *build.rows]) + "\n")
