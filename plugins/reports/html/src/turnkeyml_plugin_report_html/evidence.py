"""What the files of a build say of a row: its samples, and the ends of its logs."""

from __future__ import annotations

import math
import os
import stat
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from turnkeyml.cache.layout import BuildDirectory
from turnkeyml.report import Row
from turnkeyml.report import columns as c
from turnkeyml.report.samples import read_samples

POINTS = 160
"""Of so many samples, or fewer, each is shown."""
BINS = 24
_LEVELS = 999
"""Heights that the points of a trace have."""
_LARGEST_SAMPLES = 1 << 22
_TAIL = 1_500
_TAIL_OF_FAILURE = 5_000
_MOST_LOGS = 8
_LOGS_OF_INPUTS = ".logs"


class EvidenceReader:
    """Reads for row after row; the logs of a build are read once for rows that follow each other.

    The files may be anybody's: nothing outside the cache is read, and no link is followed.
    """

    def __init__(self) -> None:
        self._folder = ""
        self._tails: dict[tuple[str, int], str] = {}
        self._names: dict[str, tuple[str, ...]] = {}

    def evidence_of(self, row: Row) -> dict[str, Any] | None:
        """Give what is known of a row.

        Returns:
            ``samples`` (see `samples_from`), or ``unsampled``, why there are none; and ``logs``, a
            list of names and ends. None if there is nothing.
        """
        found: dict[str, Any] = {}
        latency = row.number(c.MEAN_LATENCY)
        if latency is not None:
            runs, problem = read_samples(
                row.text(c.BUILD_DIR),
                row.text(c.SAMPLES_FILE),
                latency,
                largest_bytes=_LARGEST_SAMPLES,
            )
            found |= {"samples": samples_from(runs)} if runs else {"unsampled": problem}
        logs = self._logs_of(row)
        if logs:
            found["logs"] = logs
        return found or None

    def _logs_of(self, row: Row) -> list[list[str]]:
        """Give the ends of the logs of the row's chain, that of the failure at full length."""
        told = Path(row.text(c.LOG))
        if not row.text(c.BUILD_NAME):
            place = row.cache / _LOGS_OF_INPUTS
            inside = told.parent == place and not place.is_symlink()
            text = _tail_of(told, _TAIL_OF_FAILURE) if inside else ""
            return [[told.name, text]] if text else []
        folder = row.text(c.BUILD_DIR)
        if folder != self._folder:
            self._folder, self._tails = folder, {}
        chain = row.text(c.CHAIN)
        if chain not in self._names:
            self._names[chain] = tuple(_names_of(chain, row.build))
        names = list(self._names[chain])
        if told.name and told.parent == Path(folder):
            names.append(told.name)
        logs = []
        for name in list(dict.fromkeys(names))[-_MOST_LOGS:]:
            length = _TAIL_OF_FAILURE if name == told.name else _TAIL
            if (name, length) not in self._tails:
                self._tails[name, length] = _tail_of(Path(folder, name), length)
            if self._tails[name, length]:
                logs.append([name, self._tails[name, length]])
        return logs


def _names_of(chain: str, build: BuildDirectory) -> Iterator[str]:
    """Name the logs of a chain's tools, in order."""
    counts: dict[str, int] = {}
    for tool in chain.split():
        counts[tool] = counts.get(tool, 0) + 1
        if os.sep not in tool:
            yield build.log_file(tool, counts[tool]).name


def samples_from(runs: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Give what is drawn of samples.

    Args:
        runs: The timed samples of each run, in ns.

    Returns:
        ``count``, ``runs`` (how many), ``low``, ``high``, ``median`` and ``p90`` in ns, ``bins``
        (how many samples are in each of equally wide steps from low to high), ``trace`` (the
        samples in order, from 0 for low to 999 for high; of more than `POINTS`, the lowest and the
        highest of each stretch), and ``stretch``, how many samples a stretch has.
    """
    samples = [sample for run in runs for sample in run]
    low, high = min(samples), max(samples)
    width = high - low
    bins = [0] * (BINS if width else 1)
    for sample in samples:
        bins[min((sample - low) * BINS // width, BINS - 1) if width else 0] += 1
    trace, stretch = samples, 1
    if len(samples) > POINTS:
        stretch = math.ceil(2 * len(samples) / POINTS)
        trace = []
        for start in range(0, len(samples), stretch):
            part = samples[start : start + stretch]
            first, last = min(part), max(part)
            trace += [first, last] if part.index(first) <= part.index(last) else [last, first]
    ordered = sorted(samples)
    return {
        "count": len(samples),
        "runs": len(runs),
        "low": low,
        "high": high,
        "median": round(statistics.median(ordered)),
        "p90": ordered[math.ceil(0.9 * len(ordered)) - 1],
        "bins": bins,
        "trace": [(sample - low) * _LEVELS // width if width else 0 for sample in trace],
        "stretch": stretch,
    }


def _tail_of(path: Path, length: int) -> str:
    """Give the last characters of a file from the beginning of a line; empty if it is no file."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return ""
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            return ""
        start = max(found.st_size - 4 * length, 0)
        text = os.pread(number, 4 * length, start).decode("utf-8", "replace").strip()
    except OSError:
        return ""
    finally:
        os.close(number)
    if start == 0 and len(text) <= length:
        return text
    return "…\n" + text[-length:].partition("\n")[2]
