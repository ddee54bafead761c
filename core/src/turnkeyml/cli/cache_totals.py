"""What a cache holds in all, and what goes from it besides builds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from turnkeyml.cache.cleaning import tree_size
from turnkeyml.cache.layout import Cache
from turnkeyml.cache.overview import look_over
from turnkeyml.console import format_bytes, plural, printable

T = TypeVar("T")


@dataclass(frozen=True)
class Totals:
    """What is in a cache: how many of each, and their sizes in bytes.

    Args:
        statuses: How many builds have each status.
        build_size: Of all builds.
        finished: Commands of which nothing is gone on with.
        unfinished: Commands that run, or were stopped.
        command_size: Of what they have left.
        environments: Python environments that were made for runtimes.
        used_environments: Those of them that a running command uses.
        environment_size: Of all of them.
    """

    statuses: dict[str, int]
    build_size: int
    finished: int
    unfinished: int
    command_size: int
    environments: int
    used_environments: int
    environment_size: int

    def to_json(self) -> dict[str, Any]:
        """Give them as JSON values."""
        return {
            "builds": {
                "count": sum(self.statuses.values()),
                "size_bytes": self.build_size,
                "statuses": self.statuses,
            },
            "commands": {
                "count": self.finished + self.unfinished,
                "size_bytes": self.command_size,
                "finished": self.finished,
            },
            "environments": {
                "count": self.environments,
                "size_bytes": self.environment_size,
                "used": self.used_environments,
            },
        }

    def lines(self) -> list[str]:
        """Say them."""
        statuses = ", ".join(f"{count} {status}" for status, count in self.statuses.items())
        rows = [
            ("builds", sum(self.statuses.values()), self.build_size, statuses),
            (
                "commands",
                self.finished + self.unfinished,
                self.command_size,
                f"{self.finished} finished, {self.unfinished} not",
            ),
            (
                "environments",
                self.environments,
                self.environment_size,
                f"{self.used_environments} in use",
            ),
        ]
        return [
            f"  {name:12} {count:7} {format_bytes(size):>10}  {note if count else ''}".rstrip()
            for name, count, size, note in rows
        ]


def totals_of(cache: Cache) -> Totals:
    """Count what is in a cache."""
    from turnkeyml.execution.past_commands import find_commands
    from turnkeyml.worker.made_environments import find_environments

    statuses: Counter[str] = Counter()
    size = 0
    for facts in look_over(cache):
        statuses[facts.status] += 1
        size += facts.size
    commands = find_commands(cache.path)
    environments = find_environments(cache.path)
    finished = sum(command.is_finished for command in commands)
    return Totals(
        dict(statuses.most_common()),
        size,
        finished,
        len(commands) - finished,
        sum(tree_size(command.folder) for command in commands),
        len(environments),
        sum(environment.is_used for environment in environments),
        sum(tree_size(environment.path) for environment in environments),
    )


def print_totals(cache: Cache) -> None:
    """Say what is in a cache."""
    click.echo(printable(f"In the cache {cache.path}:"))
    for line in totals_of(cache).lines():
        click.echo(line)


def clean_rest(cache: Cache, before: float) -> None:
    """Take away what finished commands left, and environments that no command uses.

    Args:
        cache: The cache.
        before: Only what was last used before this, in seconds since 1970.

    Raises:
        CacheError: Something cannot be deleted.
    """
    from turnkeyml.execution.past_commands import clean_commands, find_commands
    from turnkeyml.worker.made_environments import (
        find_environments,
        remove_environment,
        remove_unfinished,
    )

    count, freed = clean_commands(cache.path, _old(find_commands(cache.path), before))
    if count:
        click.echo(
            f"Cleaned what {plural(count, 'finished command')} left, {format_bytes(freed)} freed."
        )
    sizes = [remove_environment(one) for one in _old(find_environments(cache.path), before)]
    freed = remove_unfinished(cache.path) + sum(size or 0 for size in sizes)
    count, used = sum(map(bool, sizes)), sizes.count(None)
    if count or freed:
        click.echo(f"Removed {plural(count, 'environment')}, {format_bytes(freed)} freed.")
    if used:
        click.echo(f"{plural(used, 'environment')} left, which running commands use.")


def _old(found: Iterable[T], before: float) -> list[T]:
    return [one for one in found if one.last_used < before]  # type: ignore[attr-defined]


def delete_all_commands(cache: Cache) -> None:
    """Take away all that commands left which do not run now.

    Raises:
        CacheError: Something cannot be deleted.
    """
    from turnkeyml.execution.past_commands import delete_commands, find_commands

    commands = find_commands(cache.path)
    freed = delete_commands(commands)
    if freed:
        click.echo(f"Deleted what commands left, {format_bytes(freed)} freed.")
