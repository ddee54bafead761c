"""Make a report: from caches to files."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from turnkeyml.cache.layout import Cache, cache_from
from turnkeyml.errors import CacheError, UsageError
from turnkeyml.plugins.registry import Registry
from turnkeyml.report.broken_inputs import broken_inputs
from turnkeyml.report.format import ReportFormat, file_name, format_named
from turnkeyml.report.gathering import Report, gather
from turnkeyml.report.reading import find_builds


@dataclass(frozen=True)
class MadeReport:
    """A report that was written.

    Args:
        report: Its rows.
        files: One for each format.
        empty: Caches without builds.
    """

    report: Report
    files: tuple[Path, ...]
    empty: tuple[Path, ...]


def make_report(
    caches: Sequence[Path],
    folder: Path | None,
    formats: Sequence[str],
    registry: Registry,
) -> MadeReport:
    """Write the rows of caches, in each format.

    Args:
        caches: Directories or patterns; by default the cache.
        folder: Where the files go; by default the working directory. It is made.
        formats: Their names.
        registry: What is installed.

    Raises:
        UsageError: A cache or a format does not exist, or the folder cannot be written.
        CacheError: A directory cannot be read, or a file cannot be written.
    """
    chosen = [(name, format_named(name, registry)) for name in dict.fromkeys(formats)]
    found = find_caches(caches)
    empty = tuple(cache.path for cache in found if not _has_rows(cache.path))
    if len(empty) == len(found):
        raise UsageError(
            f"There are no builds in the cache {', '.join(map(str, empty))}.",
            hint="Benchmark something first, or name another cache with -d.",
        )
    target = _target(folder)
    report = gather(found, registry)
    files = tuple(_write(report, format_class, target) for _, format_class in chosen)
    return MadeReport(report, files, empty)


def _has_rows(cache: Path) -> bool:
    return bool(find_builds(cache) or broken_inputs(cache))


def find_caches(given: Sequence[Path]) -> list[Cache]:
    """Give the caches that a user named, as directories or patterns.

    Raises:
        UsageError: One does not exist.
    """
    if not given:
        return [cache_from(None)]
    found = []
    for path in given:
        cache = cache_from(path)
        if cache.path.is_dir():
            found.append(cache)
            continue
        matches = [Path(name) for name in sorted(glob.glob(str(cache.path)))]  # noqa: PTH207
        folders = [match for match in matches if match.is_dir()]
        if not folders:
            raise UsageError(f"There is no cache directory {str(path)!r}.")
        found += [Cache(match) for match in folders]
    return found


def _target(folder: Path | None) -> Path:
    try:
        target = (folder or Path()).expanduser().absolute()
        target.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:
        raise UsageError(
            f"The folder {folder} cannot be made: {getattr(error, 'strerror', None) or error}.",
            hint="Name another one with -r.",
        ) from error
    return target


def _write(report: Report, format_class: type[ReportFormat], folder: Path) -> Path:
    path = folder / file_name(format_class)
    try:
        format_class().write(report, path)
    except OSError as error:
        raise CacheError(
            f"The report {path} cannot be written: {error.strerror or error}.",
            hint="Name another folder with -r.",
        ) from error
    return path
