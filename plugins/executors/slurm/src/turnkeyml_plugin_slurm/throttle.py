"""How many jobs may run at once, where they are spread over several arrays."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from turnkeyml_plugin_slurm.slurm import Slurm, SlurmAwayError, SlurmRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from turnkeyml_plugin_slurm.background import Background
    from turnkeyml_plugin_slurm.submission import Submission
    from turnkeyml_plugin_slurm.tasks import Task

_ARRAYS = 5
"""How many full arrays wait or run at once where nothing else limits them: clusters do not let one
user submit without end."""


class Throttle:
    """Slurm limits how many tasks of one array run. All arrays together must not run more.

    A new array is made when the older ones have fewer tasks left than may run; it gets the places
    that are free, and more of them when tasks of the others end.

    Args:
        limit: How many may run at once; None: as many as the cluster lets.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._set: dict[str, int] = {}

    def room(self, count: int, chunk: int) -> int:
        """Say how many jobs may be submitted now.

        Args:
            count: How many wait or run.
            chunk: How many one array has at most.
        """
        if self._limit is not None:
            return chunk if count < self._limit else 0
        return max(0, min(chunk, _ARRAYS * chunk - count))

    def for_new(self, count: int) -> int | None:
        """Say how many tasks of a new array may run; None: no limit.

        Args:
            count: How many wait or run in others.
        """
        return None if self._limit is None else max(1, self._limit - count)

    def keep(self, submission: Submission, places: int | None) -> None:
        """Note what an array was given."""
        if places is not None:
            self._set[submission.name] = places

    def widen(self, tasks: Iterable[Task], slurm: Slurm, background: Background) -> None:
        """Give the newest array the places that others do not need any more."""
        if self._limit is None or not self._set:
            return
        name = list(self._set)[-1]
        listed = list(tasks)
        counts = Counter(task.submission.name for task in listed)
        number = next((t.submission.number for t in listed if t.submission.name == name), None)
        before = self._set[name]
        wanted = max(1, self._limit - (len(listed) - counts[name]))
        if number is None or wanted <= before or before >= counts[name]:
            return
        self._set[name] = wanted

        def update() -> None:
            try:
                slurm.set_throttle(number, wanted)
            except (SlurmAwayError, SlurmRefusedError):
                # It is tried again with the next look.
                with suppress(KeyError):
                    self._set[name] = before

        background.begin(update)
