"""The executor `isolated`: each job in a process of its own, that can harm nobody."""

from __future__ import annotations

import importlib.util
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from turnkeyml.errors import TurnkeyError, UsageError
from turnkeyml.execution.isolated.endings import lost_end
from turnkeyml.execution.isolated.messages import JobOrder, SlotEvent, end_from_json
from turnkeyml.execution.isolated.slots import Profile, SlotProcess, Slots
from turnkeyml.execution.job_folder import REPORT
from turnkeyml.executor import (
    Ended,
    Ending,
    Executor,
    ExecutorSetup,
    JobEnd,
    JobQueue,
    JobSpec,
    Started,
    Stopping,
)

_TICK_S = 0.25


class IsolatedExecutor(Executor):
    """Runs each job in a process of its own on this machine.

    Args:
        fresh: Start a fresh interpreter for each job. Else jobs are forked from processes that
            have imported what the tools need, where that is safe.
        output_limit_mb: How long a log may get, in MB, before the job is ended.
        preload: Modules that the scripts themselves import, such as ``transformers``: imported
            once, and found imported by every job.
    """

    def __init__(
        self, fresh: bool = False, output_limit_mb: int = 256, preload: tuple[str, ...] = ()
    ) -> None:
        self._fresh = fresh
        self._output_limit_mb = output_limit_mb
        self._preload = tuple(preload)

    def check(self, setup: ExecutorSetup) -> None:
        """Refuse arguments that make no sense."""
        if self._output_limit_mb < 1:
            raise UsageError(
                f"output_limit_mb must be at least 1, not {self._output_limit_mb}.",
                hint="Correct --executor-args.",
            )
        if self._fresh and self._preload:
            raise UsageError(
                "fresh and preload exclude each other: a fresh interpreter has nothing imported.",
                hint="Leave one of them out of --executor-args.",
            )
        for module in self._preload:
            # Only the top: to find what is inside, Python imports what is around it.
            if not _is_installed(module.partition(".")[0]):
                raise UsageError(
                    f"preload: there is no module {module!r} here.",
                    hint="Give names as they are imported: preload::[transformers,timm]",
                )

    def run(
        self, queue: JobQueue, setup: ExecutorSetup, stopping: Stopping
    ) -> Generator[Started | Ended | None, None, None]:
        """Run jobs, so many side by side as the setup says; one by default."""
        with Slots(setup.folder, setup.cache_dir) as slots:
            warming = None if self._fresh else self._preload
            jobs = _Jobs(slots, setup, self._output_limit_mb * 10**6, warming)
            while True:
                while not stopping.is_set() and len(jobs) < (setup.jobs or 1):
                    job = queue.take()
                    if job is None:
                        break
                    jobs.begin(job)
                if not jobs and (stopping.is_set() or not len(queue)):
                    return
                is_quiet = True
                for event in jobs.wait(_TICK_S):
                    is_quiet = False
                    yield event
                if is_quiet:
                    yield None


@dataclass
class _Running:
    """A job and its slot.

    Args:
        job: The job.
        is_begun: Whether it runs; until then it can be given to another slot.
    """

    job: JobSpec
    is_begun: bool = False


class _Jobs:
    """The jobs that run now, and those whose slot is not ready yet."""

    def __init__(
        self,
        slots: Slots,
        setup: ExecutorSetup,
        output_limit: int,
        preload: tuple[str, ...] | None,
    ) -> None:
        self._slots = slots
        self._setup = setup
        self._output_limit = output_limit
        self._running: dict[SlotProcess, _Running] = {}
        self._preload = preload
        self._broken: set[Profile] = set()

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, job: JobSpec) -> None:
        """Give a job to a slot, now or as soon as that is ready."""
        slot = self._slots.take(self._profile(job))
        self._running[slot] = _Running(job)
        if slot.is_ready:
            self._give(slot)

    def _profile(self, job: JobSpec) -> Profile:
        plan = self._setup.plans.get(job.source.suffix)
        tools = () if plan is None else tuple(step.name for step in plan.steps)
        environment = () if plan is None else tuple(sorted(plan.environment.items()))
        profile = Profile(tuple(dict.fromkeys(tools)), environment, self._preload)
        return _cold(profile) if profile in self._broken else profile

    def _give(self, slot: SlotProcess) -> None:
        job = self._running[slot].job
        slot.send(
            JobOrder(
                str(job.folder),
                str(job.source.path),
                str(job.output_file),
                job.limits.timeout_s,
                job.limits.memory_bytes,
                self._output_limit,
            )
        )

    def wait(self, seconds: float) -> Iterator[Started | Ended]:
        """Wait until something happens, and tell it."""
        for slot, messages in self._slots.wait(seconds):
            if not messages:
                yield from self._slot_gone(slot)
            for message in messages:
                yield from self._heard(slot, message)

    def _heard(self, slot: SlotProcess, message: Mapping[str, Any]) -> Iterator[Started | Ended]:
        if message["event"] == SlotEvent.READY:
            slot.is_ready = True
            self._give(slot)
        elif message["event"] == SlotEvent.BEGUN:
            self._running[slot].is_begun = True
            yield Started(self._running[slot].job)
        else:
            yield from self._ended(slot, end_from_json(message))
            self._slots.give_back(slot)

    def _ended(self, slot: SlotProcess, end: JobEnd) -> Iterator[Started | Ended]:
        running = self._running.pop(slot)
        if not running.is_begun:
            yield Started(running.job)
        yield Ended(running.job, end)

    def _slot_gone(self, slot: SlotProcess) -> Iterator[Started | Ended]:
        """Go on without a slot: its job is lost, or is given to another if it has not begun.

        Raises:
            TurnkeyError: Slots end before they can do anything.
        """
        running = self._running.get(slot)
        if running is None:
            return
        if running.is_begun:
            done = (running.job.folder / REPORT).exists()
            yield from self._ended(slot, JobEnd(Ending.REPORTED) if done else lost_end())
            return
        del self._running[slot]
        if not slot.is_ready:
            if slot.profile.preload is None:
                words = slot.last_words()
                raise TurnkeyError(
                    f"The processes that run the jobs end at once{f': {words}' if words else '.'}",
                    hint=f"What they said is in {slot.log}",
                )
            # What it was to import may have ended it.
            self._broken.add(slot.profile)
        self.begin(running.job)


def _cold(profile: Profile) -> Profile:
    return replace(profile, preload=None)


def _is_installed(package: str) -> bool:
    with suppress(ValueError):
        return importlib.util.find_spec(package) is not None
    return False
