"""What sbatch is told: limits, and what the user asks of the cluster."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from turnkeyml.errors import UsageError
from turnkeyml.executor import Limits

MARGIN_S = 60.0
"""What a job may take besides what it is for: to start Python, and to say how it has ended."""

MARGIN_BYTES = 128 << 20
"""The memory that watching over a job takes, with room for the pages of files."""

_OURS = {
    "--array": "-a",
    "--chdir": "-D",
    "--clusters": "-M",
    "--error": "-e",
    "--export": "",
    "--export-file": "",
    "--input": "-i",
    "--job-name": "-J",
    "--no-requeue": "",
    "--output": "-o",
    "--parsable": "",
    "--requeue": "",
    "--test-only": "",
    "--wait": "-W",
    "--wrap": "",
}
"""Options that are turnkey's to set, because it finds its jobs and their results by them."""

_MINUTE_S = 60
_MIB = 1 << 20


@dataclass(frozen=True)
class JobArguments:
    """What all jobs of a command ask of the cluster.

    Args:
        partition: As ``sbatch --partition``.
        account: As ``sbatch --account``.
        memory: As ``sbatch --mem``, such as ``16G``; else it follows from the limit of the jobs.
        more: Options for sbatch, a word each.
    """

    partition: str | None = None
    account: str | None = None
    memory: str | None = None
    more: tuple[str, ...] = ()

    def of(self, limits: Limits) -> list[str]:
        """Give the options for jobs with these limits.

        Slurm counts in whole minutes, and ends jobs late; the exact time is kept in the job.
        """
        found = ["--nodes=1", "--ntasks=1"]
        if limits.timeout_s is not None:
            found.append(f"--time={math.ceil((limits.timeout_s + MARGIN_S) / _MINUTE_S)}")
        if limits.memory_bytes is not None and self.memory is None:
            found.append(f"--mem={math.ceil((limits.memory_bytes + MARGIN_BYTES) / _MIB)}M")
        named = {
            "--partition": self.partition,
            "--account": self.account,
            "--mem": self.memory,
        }
        found += [f"{name}={value}" for name, value in named.items() if value is not None]
        return [*found, *self.more]


def join_values(words: Sequence[str]) -> tuple[str, ...]:
    """Put options back together that were cut at the commas in their values.

    ``[--exclude=n1,n2]`` arrives as ``--exclude=n1`` and ``n2``.

    Raises:
        UsageError: The list does not begin with an option.
    """
    found: list[str] = []
    for word in words:
        if word.startswith("-"):
            found.append(word)
        elif found:
            found[-1] += f",{word}"
        else:
            raise UsageError(
                f"--executor-args sbatch: {word!r} is no option of sbatch.",
                hint="Write them as sbatch::[--exclusive,--constraint=a100]",
            )
    return tuple(found)


def refuse_ours(words: Sequence[str]) -> None:
    """See that no option is among them that turnkey sets itself.

    Raises:
        UsageError: One is.
    """
    short = tuple(flag for flag in _OURS.values() if flag)
    for word in words:
        name = word.partition("=")[0]
        # sbatch takes any beginning of a long option that is clear.
        is_ours = any(len(name) > 3 and option.startswith(name) for option in _OURS)
        if is_ours or (not word.startswith("--") and word.startswith(short)):
            raise UsageError(
                f"--executor-args sbatch: {word!r} is turnkey's to set, or would keep it from "
                "finding its jobs.",
                hint="Leave it out.",
            )
