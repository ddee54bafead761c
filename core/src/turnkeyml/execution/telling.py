"""Run a job in this process, and tell of it as it goes on."""

from __future__ import annotations

from dataclasses import replace

from turnkeyml.cache.layout import Cache
from turnkeyml.context import RunContext
from turnkeyml.execution.events import EventListener, Tell
from turnkeyml.execution.job import run_job
from turnkeyml.execution.reports import JobReport
from turnkeyml.executor import JobSpec
from turnkeyml.plan import Plan
from turnkeyml.plugins.registry import Registry


def run_telling(
    job: JobSpec, plan: Plan, registry: Registry, cache: Cache, tell: Tell, *, takes_turns: bool
) -> JobReport:
    """Run a job, and give what became of its models.

    Args:
        job: The job.
        plan: For its kind of input.
        registry: What is installed; whoever listens to its hooks listens meanwhile too.
        cache: Where builds are kept.
        tell: Called with each event.
        takes_turns: Whether a benchmark waits until no other job works on its device.
    """
    options = job.request.options
    policy = replace(
        options.policy(registry.settings_values(job.request.settings)),
        without=job.without,
        takes_turns=takes_turns,
    )
    context = RunContext(registry, cache, policy=policy)
    listener = EventListener(tell)
    registry.hooks.register(listener)
    try:
        return JobReport.of(run_job(job.source, plan, context))
    finally:
        registry.hooks.unregister(listener)
