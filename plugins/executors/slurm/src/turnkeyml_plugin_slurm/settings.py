"""What a session with Slurm is told: what to ask for, and how long to wait for what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from turnkeyml_plugin_slurm.arguments import JobArguments

SCRIPT = str(Path(__file__).with_name("job.sh"))
"""The batch script: always the same text."""


@dataclass(frozen=True)
class Patience:
    """How long is waited for what, in seconds.

    Args:
        poll_s: Between two questions to Slurm.
        look_s: Between two looks at what the jobs have left.
        settle_s: For a result to be seen here, of a job that Slurm says has failed.
        completed_s: Likewise, of one that Slurm says has ended well.
        lost_s: For a job to be known again that Slurm does not know.
        retry_s: Before something is tried again that Slurm did not take.
        silent_s: For a controller to answer again.
        cancel_s: For jobs to end that were cancelled.
        watch_s: Between two looks of a running job whether it is still wanted.
    """

    poll_s: float = 5.0
    look_s: float = 0.5
    settle_s: float = 10.0
    completed_s: float = 60.0
    lost_s: float = 60.0
    retry_s: float = 10.0
    silent_s: float = 3600.0
    cancel_s: float = 20.0
    watch_s: float = 5.0


@dataclass(frozen=True)
class Settings:
    """How the jobs of a command are run.

    Args:
        arguments: What they ask of the cluster.
        chunk: How many jobs one array has at most.
        max_running: How many may run at once; None: as many as the cluster lets.
        requeues: How often a job is begun anew through no fault of its own.
        probe: See first whether a node sees the cache.
        output_limit_mb: How long a log may get, in MB.
        patience: How long is waited for what.
    """

    arguments: JobArguments = JobArguments()
    chunk: int = 200
    max_running: int | None = None
    requeues: int = 3
    probe: bool = True
    output_limit_mb: int = 256
    patience: Patience = Patience()
