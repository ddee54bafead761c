"""The jobs that an earlier command submitted, and that nobody has collected."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from turnkeyml.executor import JobSpec
from turnkeyml_plugin_slurm.slurm import TaskName, TaskState
from turnkeyml_plugin_slurm.submission import Submission, earlier_submissions, fingerprint


class EarlierJobs:
    """What is written down in a command's folder."""

    def __init__(self) -> None:
        self._submissions: list[Submission] = []
        self._tasks: dict[str, tuple[Submission, int]] = {}

    def read(self, root: Path) -> list[Path]:
        """Read what is there, and give the folders of submissions that were given up.

        Args:
            root: The folder of all submissions.
        """
        self._submissions, given_up = earlier_submissions(root)
        return given_up

    @property
    def names(self) -> list[str]:
        """The names of the submissions whose jobs may still be wanted."""
        return [submission.name for submission in self._submissions]

    def compare(self, known: Mapping[TaskName, TaskState]) -> None:
        """Keep the jobs that have left a result, or that Slurm knows; `unclaimed` has the others.

        Args:
            known: By Slurm.
        """
        for submission in self._submissions:
            ended = submission.ended()
            for index, entry in enumerate(submission.entries):
                state = known.get((submission.name, index))
                if submission.is_revoked(index) or (index not in ended and state is None):
                    continue
                if submission.number is None and state is not None:
                    submission.keep_number(state.array_id)
                # The newest counts, if a job was begun anew.
                self._tasks[entry.key] = (submission, index)

    def claim(self, job: JobSpec) -> tuple[Submission, int] | None:
        """Give a job's submission and index, if it is still what is wanted."""
        found = self._tasks.pop(job.key, None)
        if found is None:
            return None
        submission, index = found
        if submission.entries[index].fingerprint == fingerprint(job):
            return found
        submission.revoke(index)
        return None

    def is_awaited(self, name: str) -> bool:
        """Tell whether a submission has jobs that may yet be claimed."""
        return any(submission.name == name for submission, _ in self._tasks.values())

    def unclaimed(self, in_use: set[str]) -> list[Submission]:
        """Give the submissions of which nothing is wanted.

        Args:
            in_use: Names of those of which something was claimed.
        """
        return [
            submission
            for submission in self._submissions
            if submission.name not in in_use and not self.is_awaited(submission.name)
        ]

    def forget(self) -> list[Submission]:
        """Give up what was not claimed: nobody wants it any more."""
        self._tasks.clear()
        return self._submissions
