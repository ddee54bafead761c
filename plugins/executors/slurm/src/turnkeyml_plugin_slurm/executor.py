"""The executor `slurm`."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

from turnkeyml.errors import UsageError
from turnkeyml.executor import (
    Ended,
    Executor,
    ExecutorSetup,
    JobQueue,
    Limits,
    Started,
    Stopping,
)
from turnkeyml_plugin_slurm.arguments import JobArguments, join_values, refuse_ours
from turnkeyml_plugin_slurm.session import Session
from turnkeyml_plugin_slurm.settings import SCRIPT, Patience, Settings
from turnkeyml_plugin_slurm.slurm import Slurm, SlurmAwayError, SlurmRefusedError


@dataclass(frozen=True)
class _Minimum:
    name: str
    value: float
    least: float


class SlurmExecutor(Executor):
    """Runs each input as a job of a Slurm cluster.

    Args:
        partition: Where the jobs go; by default where the cluster sends them.
        account: Whom they are counted to.
        memory: What each may have, such as ``16G``; by default it follows from ``--memory-limit``.
        sbatch: More options for sbatch: ``sbatch::[--exclusive,--gres=gpu:1]``.
        chunk: How many jobs one array has at most.
        poll_s: How often Slurm is asked, in seconds.
        max_running: How many jobs may run at once; by default as ``--jobs`` says, else no limit.
        requeues: How often a job is begun anew whose node failed, or that was preempted.
        probe: See first whether a node sees the cache as this host does.
        output_limit_mb: How long a log may get, in MB, before its job is ended.
    """

    is_remote: ClassVar[bool] = True
    can_reattach: ClassVar[bool] = True

    def __init__(
        self,
        *,
        partition: str | None = None,
        account: str | None = None,
        memory: str | None = None,
        sbatch: list[str] | None = None,
        chunk: int = 200,
        poll_s: float = 5.0,
        max_running: int | None = None,
        requeues: int = 3,
        probe: bool = True,
        output_limit_mb: int = 256,
    ) -> None:
        self._arguments = JobArguments(partition, account, memory, tuple(sbatch or ()))
        self._chunk = chunk
        self._max_running = max_running
        self._requeues = requeues
        self._probe = probe
        self._output_limit_mb = output_limit_mb
        self._patience = Patience(poll_s=poll_s)

    def check(self, setup: ExecutorSetup) -> None:
        """See that Slurm is there, answers, and takes such jobs."""
        settings = self._settings(setup)
        slurm = Slurm()
        missing = slurm.missing_commands()
        if missing:
            raise UsageError(
                f"Slurm's command {missing[0]} is not on the PATH.",
                hint="Run turnkey on a host from which jobs can be submitted, or load Slurm's "
                "module there.",
            )
        try:
            slurm.test([*settings.arguments.of(Limits()), SCRIPT])
        except SlurmAwayError as error:
            raise UsageError(
                f"Slurm does not answer: {error.message}",
                hint="Look whether its controller runs: scontrol ping",
            ) from error
        except SlurmRefusedError as error:
            raise UsageError(
                f"Slurm does not take such jobs: {error.message}",
                hint="Correct --executor-args, or look what the cluster has: sinfo",
            ) from error

    def run(
        self, queue: JobQueue, setup: ExecutorSetup, stopping: Stopping
    ) -> Generator[Started | Ended | None, None, None]:
        """Submit jobs in arrays, and collect what they leave.

        A job is told of as `Started` when it is handed to Slurm, and once more when it runs.
        """
        settings = self._settings(setup)
        yield from Session(Slurm(), settings, queue, setup, stopping).run()

    def _settings(self, setup: ExecutorSetup) -> Settings:
        running = self._max_running
        for minimum in (
            _Minimum("chunk", self._chunk, 1),
            _Minimum("poll_s", self._patience.poll_s, 0.1),
            _Minimum("requeues", self._requeues, 0),
            _Minimum("max_running", 1 if running is None else running, 1),
            _Minimum("output_limit_mb", self._output_limit_mb, 1),
        ):
            if minimum.value < minimum.least:
                raise UsageError(
                    f"{minimum.name} must be at least {minimum.least:g}, not {minimum.value:g}.",
                    hint="Correct --executor-args.",
                )
        more = join_values(self._arguments.more)
        refuse_ours(more)
        limits = [n for n in (setup.jobs, running) if n is not None]
        return Settings(
            JobArguments(
                self._arguments.partition, self._arguments.account, self._arguments.memory, more
            ),
            self._chunk,
            min(limits, default=None),
            self._requeues,
            self._probe,
            self._output_limit_mb,
            self._patience,
        )
