"""The contract of an executor: where and how the jobs of a command are run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from turnkeyml.execution.events import JobEvent
    from turnkeyml.execution.reports import JobReport
    from turnkeyml.inputs import Source
    from turnkeyml.plan import Plan
    from turnkeyml.plugins.registry import Registry
    from turnkeyml.request import RunRequest

DEFAULT_TIMEOUT_SECONDS = 3600.0
"""What a job may take where nothing else is said, and something is there to end it."""

TIMEOUT_VARIABLE = "TURNKEY_TIMEOUT_SECONDS"


class Ending(Enum):
    """How a job's process came to its end."""

    REPORTED = "reported"
    """It ended by itself and left a report, which says how the models fared."""
    EXITED = "exited"
    """It ended with an exit code and left no report."""
    CRASHED = "crashed"
    """A signal ended it, such as a segmentation fault."""
    TIMEOUT = "timeout"
    """It took longer than it was allowed to, and was ended."""
    OUT_OF_MEMORY = "out_of_memory"
    """It was ended because it needed more memory than there is, or than it was allowed to have."""
    OUTPUT_LIMIT = "output_limit"
    """It was ended because it wrote without end into its log."""
    CANCELLED = "cancelled"
    """Somebody else ended it, such as the administrator of a cluster."""
    NODE_FAILED = "node_failed"
    """The machine that it ran on went away."""
    PREEMPTED = "preempted"
    """A cluster ended it in favour of another one, and does not start it again."""
    LOST = "lost"
    """Nobody knows what became of it."""
    INTERRUPTED = "interrupted"
    """The user stopped the command, so it is to be run by the next one."""

    @property
    def is_final(self) -> bool:
        """Whether it says something about the job, and not only that it was not done yet."""
        return self is not Ending.INTERRUPTED


@dataclass(frozen=True)
class Limits:
    """What one job may use.

    Args:
        timeout_s: Wall time in seconds; None: no limit.
        memory_bytes: Resident memory of all its processes; None: no limit.
    """

    timeout_s: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True)
class JobSpec:
    """One job: an input, and what is to be done with its models.

    Args:
        key: Tells it from the others of the command; the same when the command is repeated.
        folder: Its own, in the cache, with ``job.json`` in it, from which
            ``python -m turnkeyml.execution.job_process FOLDER`` does it anywhere.
        source: The input.
        request: The command.
        limits: What it may use.
        without: Builds that an earlier attempt has ended with, and that are left out.
        attempt: 1, and one more each time it was begun anew because it died.
    """

    key: str
    folder: Path
    source: Source
    request: RunRequest
    limits: Limits = field(default_factory=Limits)
    without: tuple[str, ...] = ()
    attempt: int = 1

    @property
    def title(self) -> str:
        """What users see of it."""
        return self.source.title

    @property
    def output_file(self) -> Path:
        """What its process prints besides what its steps print, which goes into their logs."""
        return self.folder / "output.txt"


@dataclass(frozen=True)
class JobEnd:
    """How a job ended.

    Args:
        ending: In one word.
        message: What happened, as a sentence; empty if it left a report.
        hint: What to do about it.
        peak_memory_bytes: The most memory that its processes had at once, where it is known.
        report: What became of its models, where the executor has it at hand; by default it is read
            from the job's folder.
    """

    ending: Ending
    message: str = ""
    hint: str | None = None
    peak_memory_bytes: int | None = None
    report: JobReport | None = None


@dataclass(frozen=True)
class Started:
    """A job was begun, or handed to whoever will begin it; it may be told again with a place.

    Args:
        job: Which.
        where: Where it runs, if that is worth saying, such as ``Slurm job 12 on node3``.
    """

    job: JobSpec
    where: str = ""


@dataclass(frozen=True)
class Ended:
    """A job has ended."""

    job: JobSpec
    end: JobEnd


class JobQueue(Protocol):
    """The jobs that wait. Jobs may be added whenever one has ended."""

    def take(self) -> JobSpec | None:
        """Give the next job, whose folder is ready; None if none waits now."""

    def __len__(self) -> int:
        """How many wait."""


@dataclass(frozen=True)
class ExecutorSetup:
    """What an executor is told of the command whose jobs it runs.

    Args:
        registry: What is installed here.
        plans: By suffix of the input.
        cache_dir: The cache, an absolute path.
        folder: The command's own, in the cache; the same when the command is repeated. What an
            executor needs to find its jobs again is kept here.
        jobs: How many may run side by side; None: the executor decides.
        tell: What happens in a job that runs in this process; of others the command reads the
            file of events in their folders.
    """

    registry: Registry
    plans: Mapping[str, Plan]
    cache_dir: Path
    folder: Path
    jobs: int | None = None
    tell: Callable[[JobSpec, JobEvent], None] = lambda job, event: None


class Executor(ABC):
    """Runs jobs. One instance is made for each command.

    ``--executor-args key::value`` arrive as keyword arguments of ``__init__``, converted by its
    annotations as ``--rt-args`` are.
    """

    isolates: ClassVar[bool] = True
    """Whether a job that crashes or hangs harms nobody, so that limits can be kept."""

    is_remote: ClassVar[bool] = False
    """Whether jobs run on other machines, so that what is there is not known here."""

    can_reattach: ClassVar[bool] = False
    """Whether jobs live on when the command dies. A job that the same command had begun then comes
    from the queue again with its folder untouched: it may still run, or have ended meanwhile. An
    executor that begins it anew calls `turnkeyml.execution.job_folder.write_job` before."""

    def check(self, setup: ExecutorSetup) -> None:
        """Look whether jobs can be run at all; called once, before the first one.

        Raises:
            UsageError: They cannot, with what to do about it.
        """
        return

    @abstractmethod
    def run(
        self, queue: JobQueue, setup: ExecutorSetup, stopping: Stopping
    ) -> Generator[Started | Ended | None, None, None]:
        """Run jobs until none waits and none runs.

        Every job that was taken from the queue is told of as `Started` and later as `Ended`; in
        between, None is given at least every half second, so that the command can show how far it
        has come. After an `Ended` the queue may have grown. Once ``stopping`` is set, no job is
        taken any more, and those that run are waited for. If the generator is closed, or anything
        is raised in it (`KeyboardInterrupt`, for one), it ends all that it started, and leaves no
        process behind.

        Raises:
            TurnkeyError: No job can be run any more.
        """


class Stopping(Protocol):
    """Whether the user wants the command to end after the jobs that run."""

    def is_set(self) -> bool:
        """Tell whether it was said."""
