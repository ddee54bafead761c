"""The words with which sbatch is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from turnkeyml.errors import UsageError
from turnkeyml_plugin_slurm.slurm import SlurmRefusedError, escape_pattern
from turnkeyml_plugin_slurm.submission import Submission


def submit_words(
    submission: Submission,
    asked: Sequence[str],
    script: str,
    throttle: int | None = None,
    *,
    output: str | None = None,
) -> list[str]:
    """Give the options and arguments that make an array of a submission.

    Args:
        submission: With one entry for each task.
        asked: What is asked of the cluster.
        script: The batch script.
        throttle: How many tasks may run at once; None: no limit.
        output: Where what is printed goes, by default a file for each task.
    """
    limit = "" if throttle is None else f"%{throttle}"
    count = max(1, len(submission.entries))
    return [
        f"--job-name={submission.name}",
        f"--array=0-{count - 1}{limit}",
        # Jobs go into their own directory themselves; in this one patterns would be replaced.
        "--chdir=/",
        f"--output={output or escape_pattern(submission.folder) + '/%a.log'}",
        "--export=ALL",
        # A job that is begun anew is submitted anew, so that it is known how often.
        "--no-requeue",
        *asked,
        script,
        sys.executable,
        str(submission.folder),
    ]


def refusal(error: SlurmRefusedError) -> UsageError:
    """Say that Slurm does not take a job, and what to do about it."""
    return UsageError(
        f"Slurm does not take the jobs: {error.message}",
        hint="Correct --executor-args, --timeout or --memory-limit.",
    )
