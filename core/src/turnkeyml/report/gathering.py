"""Gather the rows of caches: from what was read before where that is still right."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from turnkeyml.cache.layout import BuildDirectory, Cache
from turnkeyml.cache.locks import is_locked
from turnkeyml.console import plural, printable
from turnkeyml.display import html_table
from turnkeyml.outcomes import Status
from turnkeyml.plugins.registry import Registry
from turnkeyml.report import columns as c
from turnkeyml.report.added import AddedColumns
from turnkeyml.report.broken_inputs import broken_inputs
from turnkeyml.report.index import content_of, load_index, numbers_of, save_index, shapes_in
from turnkeyml.report.parallel import read_builds
from turnkeyml.report.reading import BuildReader, find_builds
from turnkeyml.report.reproduce import Commands
from turnkeyml.report.rows import PLAN, Value, Values

_WRONG = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Row:
    """One line of a report.

    Args:
        cache: The cache that the build is in.
        values: By column. A column that is not there has nothing to say.
    """

    cache: Path
    values: Mapping[str, Value]

    @property
    def build(self) -> BuildDirectory:
        """The build that it tells of; its name is empty if no model was found in the input."""
        return BuildDirectory(self.cache, self.text(c.BUILD_NAME))

    def text(self, name: str) -> str:
        """Give a value as text; empty where there is none."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> float | None:
        """Give a value if it is a number."""
        value = self.values.get(name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return value if is_number else None


@dataclass(frozen=True)
class CacheRows:
    """What is known of one cache.

    Args:
        cache: The directory.
        contents: By the build's name, its rows as the index keeps them.
        shapes: Lists of column names as JSON, by number.
        broken: Rows of inputs that have no build.
    """

    cache: Path
    contents: Mapping[str, str]
    shapes: Mapping[int, str]
    broken: tuple[Values, ...] = ()

    def rows(self) -> Iterator[Values]:
        """Give the rows of builds, in the order of their names."""
        names: dict[int, tuple[str, ...]] = {}
        for build, content in self.contents.items():
            try:
                yield from self._decoded(content, names)
            except _WRONG:
                # What is in the index may be anybody's.
                yield from BuildReader(self.cache).rows_of(build)

    def columns(self) -> set[str]:
        """Name the columns that the rows have."""
        used = {shapes_in(content) for content in self.contents.values()}
        try:
            numbers = {number for shapes in used for number in json.loads(shapes)}
            names = {name for number in numbers for name in _names_from(self.shapes[number])}
            return names.union(*self.broken)
        except _WRONG:
            return {name for values in (*self.rows(), *self.broken) for name in values}

    def _decoded(self, content: str, names: dict[int, tuple[str, ...]]) -> list[Values]:
        shapes, *rows = json.loads(content)
        for number in shapes:
            if number not in names:
                names[number] = _names_from(self.shapes[number])
        return [
            dict(zip(names[number], values, strict=True))
            for number, values in zip(shapes, rows, strict=True)
        ]


def _names_from(shape: str) -> tuple[str, ...]:
    names = tuple(json.loads(shape))
    if not all(isinstance(name, str) for name in names):
        raise TypeError("a column's name is no text")
    return names


SHOWN_ROWS = 20
"""So many rows a notebook shows."""


@dataclass(frozen=True)
class Report:
    """The rows of caches; they are made one by one, each time they are asked for.

    Args:
        caches: Where they come from.
        registry: What is installed: plugins may add columns.
        problems: What plugins did wrong, in words; complete when all rows were given.
    """

    caches: tuple[CacheRows, ...]
    registry: Registry
    problems: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        # Without the rows, of which there may be a hundred thousand.
        places = ", ".join(printable(str(one.cache)) for one in self.caches)
        return f"<Report of {plural(self.build_count, 'build')} in {places or 'no cache'}>"

    def _repr_html_(self) -> str:
        heads = (c.MODEL_NAME, c.BUILD_NAME, c.RUNTIME, c.MEAN_LATENCY, c.THROUGHPUT, c.VERDICT)
        rows = [
            [row.values.get(head) for head in (*heads, c.STATUS, c.ERROR)]
            for row in itertools.islice(self.rows(), SHOWN_ROWS)
        ]
        rest = f"The first {SHOWN_ROWS} rows. " if len(rows) == SHOWN_ROWS else ""
        note = f"{rest}{plural(self.build_count, 'build')}; rows() gives all."
        return html_table((*heads, c.STATUS, c.ERROR), rows, note)

    @property
    def build_count(self) -> int:
        """How many builds there are."""
        return sum(len(one.contents) for one in self.caches)

    def rows(self) -> Iterator[Row]:
        """Give the rows, cache by cache in the order given: builds by name, then other inputs."""
        commands = Commands(self.registry)
        added = AddedColumns(self.registry.hooks, self.problems)
        for one in self.caches:
            root = str(one.cache)
            for values in one.rows():
                _complete(values, root, commands)
                if added:
                    values.update(added.for_row(Row(one.cache, values)))
                yield Row(one.cache, values)
            for values in one.broken:
                yield Row(one.cache, {**values, c.CACHE: root})

    def columns(self) -> list[str]:
        """Name the columns that some row has, and all well-known ones, in order."""
        if AddedColumns(self.registry.hooks, self.problems):
            return c.in_order({name for row in self.rows() for name in row.values})
        return c.in_order(set().union(*(one.columns() for one in self.caches)) - {PLAN})


def _complete(values: Values, cache: str, commands: Commands) -> None:
    """Add what depends on where the cache is, and on who works on it now."""
    name = str(values.get(c.BUILD_NAME))
    folder = f"{cache}{os.sep}{name}"
    values[c.CACHE], values[c.BUILD_DIR] = cache, folder
    log = values.get(c.LOG)
    if log is not None:
        values[c.LOG] = f"{folder}{os.sep}{log}"
    state_file = f"{folder}{os.sep}{name}_state.yaml"
    script = str(values.get(c.SCRIPT) or "")
    plan = values.pop(PLAN, None)
    values[c.COMMAND] = commands.command_for(
        plan, script if isinstance(script, str) else "", state_file
    )
    if values.get(c.STATUS) == Status.RUNNING.value and not is_locked(Path(cache), name):
        values[c.STATUS] = Status.INTERRUPTED.value


def gather(caches: Sequence[Cache], registry: Registry) -> Report:
    """Read caches; what was read before and has not changed is taken from their indexes.

    Args:
        caches: Each is read once, however often it is named.
        registry: What is installed.

    Raises:
        CacheError: A directory cannot be read.
    """
    paths = dict.fromkeys(cache.path for cache in caches)
    return Report(tuple(_gather_one(path) for path in paths), registry)


def _gather_one(cache: Path) -> CacheRows:
    found = find_builds(cache)
    known = load_index(cache)
    stamps = {name: entry.stamp for name, entry in known.entries.items()}
    changed = [build for build in found if stamps.get(build.name) != build.stamp]
    read = [build for build in read_builds(cache, changed) if build.rows]
    # Some may have been deleted since they were listed.
    deleted = {build.name for build in changed} - {build.found.name for build in read}
    found = [build for build in found if build.name not in deleted]
    gone = known.entries.keys() - {build.name for build in found}
    if read or gone:
        save_index(cache, read, gone)
    numbers = numbers_of(known.shapes, read)
    fresh: dict[str, str] = {}
    while read:
        # Taken out as it goes, so that there is never all of it twice.
        build = read.pop()
        fresh[build.found.name] = content_of(build, numbers)
    contents = {one.name: fresh.get(one.name) or known.entries[one.name].content for one in found}
    shapes = {number: names for names, number in numbers.items()}
    return CacheRows(cache, contents, shapes, tuple(broken_inputs(cache)))
