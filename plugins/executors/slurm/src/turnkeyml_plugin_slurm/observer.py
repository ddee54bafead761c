"""What Slurm last said of the jobs, asked for now and then without waiting for the answer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING

from turnkeyml.errors import TurnkeyError
from turnkeyml_plugin_slurm.slurm import Slurm, SlurmAwayError, TaskName, TaskState

if TYPE_CHECKING:
    from turnkeyml_plugin_slurm.background import Background
    from turnkeyml_plugin_slurm.settings import Patience


class SlurmSilentError(TurnkeyError):
    """The controller has not answered for so long that nobody should wait any more."""


class Observer:
    """Asks Slurm how the jobs are.

    Args:
        slurm: Its commands.
        background: Where they are called.
        patience: How often it is asked, and how long its silence is borne.
    """

    def __init__(self, slurm: Slurm, background: Background, patience: Patience) -> None:
        self._slurm = slurm
        self._background = background
        self._patience = patience
        self._asked: Future[Mapping[TaskName, TaskState]] | None = None
        self._asked_at = float("-inf")
        self._heard_at = time.monotonic()
        self.states: Mapping[TaskName, TaskState] = {}
        self.taken_at = float("-inf")

    def look(self, names: Iterable[str]) -> bool:
        """Take in an answer that has come, and ask again when it is time.

        Args:
            names: Of the submissions that are of interest.

        Returns:
            Whether there is news.

        Raises:
            SlurmSilentError: There has been no answer for too long.
        """
        is_new = self._take_in()
        now = time.monotonic()
        if self._asked is None and now - self._asked_at >= self._patience.poll_s:
            wanted = tuple(names)
            self._asked_at = now
            self._asked = self._background.begin(lambda: self._slurm.tasks(wanted))
        return is_new

    def _take_in(self) -> bool:
        if self._asked is None or not self._asked.done():
            return False
        asked, self._asked = self._asked, None
        try:
            self.states = asked.result()
        except SlurmAwayError as error:
            self.bear_silence(error)
            return False
        # What it says was true when it was asked, or a little later.
        self.taken_at = self._asked_at
        self._heard_at = time.monotonic()
        return True

    def heard(self) -> None:
        """Note that the controller has answered something else."""
        self._heard_at = time.monotonic()

    def bear_silence(self, error: SlurmAwayError) -> None:
        """Note that the controller did not answer.

        Raises:
            SlurmSilentError: That has gone on for too long.
        """
        silent_s = time.monotonic() - self._heard_at
        if silent_s > self._patience.silent_s:
            raise SlurmSilentError(
                f"Slurm has not answered for {silent_s / 60:.0f} minutes: {error.message}",
                hint="Jobs that run go on; the same command finds them again.",
            ) from error
