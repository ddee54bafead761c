"""The command with one input, which keeps no journal while it runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from turnkeyml.errors import CacheError
from turnkeyml.execution.journal import opened_journal
from turnkeyml.execution.reports import JobReport
from turnkeyml.executor import Ending, JobSpec
from turnkeyml.report.broken_inputs import was_broken


def note_alone(
    folder: Path, job: JobSpec, report: JobReport, words: str, waiting: Callable[[str], None]
) -> None:
    """Note how the only input of a command ended, where no build tells of it.

    That is an input in which no model was found, and one in which none was found before. What
    cannot be written is not noted.

    Args:
        folder: The command's own; it is made.
        job: The input.
        report: What became of it.
        words: The command, for people.
        waiting: Called if another process runs the same command.
    """
    cache = folder.parent.parent
    is_broken = report.error is not None and not report.models
    if not is_broken and not was_broken(cache, job.source.to_json()):
        return
    with suppress(CacheError), opened_journal(folder, waiting) as journal:
        journal.command(words, 1)
        journal.job_ended(job, Ending.REPORTED, report)
        journal.finished()
