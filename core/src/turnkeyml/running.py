"""Run a command: resolve its inputs, plan the chain, run every input."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from turnkeyml.cache.layout import cache_from
from turnkeyml.console import Console, plural
from turnkeyml.context import RunContext
from turnkeyml.errors import ExitCode, UsageError
from turnkeyml.execution.job import JobResult, run_job
from turnkeyml.inputs import Source, find_sources
from turnkeyml.labels import parse_labels
from turnkeyml.plan import Plan, make_default_plan, make_plan
from turnkeyml.plugins.registry import Registry
from turnkeyml.progress import LiveProgress, make_progress
from turnkeyml.request import RunRequest
from turnkeyml.status import HEADER, status_tree


@dataclass(frozen=True)
class RunResult:
    """What became of a command.

    Args:
        jobs: One for each input that was run.
        exit_code: As the command ends.
    """

    jobs: tuple[JobResult, ...]
    exit_code: ExitCode


def run(request: RunRequest, registry: Registry, console: Console) -> RunResult:
    """Run a chain over inputs; one that fails does not end the others.

    Raises:
        UsageError: The command is wrong; nothing was run.
    """
    options = request.options
    if not options.input_files:
        raise UsageError(
            "No input is given.", hint="Name files with -i FILE..., before the first tool."
        )
    names = [*registry.tools, *registry.aliases, *registry.sequences]
    labels = parse_labels(options.labels)
    sources = find_sources(options.input_files, labels=labels, tool_names=names)
    if not sources:
        raise UsageError("The lists given as inputs name no file.")
    plans = _make_plans(request, sources, registry)
    settings = registry.settings_values(request.settings)
    if options.dry_run:
        _print_plans(plans, sources, console)
        return RunResult((), ExitCode.OK)
    cache = cache_from(options.cache_dir)
    cache.require_writable()
    for plan in plans.values():
        registry.hooks.hook.turnkey_plan_made(plan=plan)
        # Threading libraries read these when they are loaded, so it is now or never; what the
        # user has set stands.
        for name, value in plan.environment.items():
            os.environ.setdefault(name, value)
    for broken in registry.broken:
        console.progress(f"Warning: {broken.reason} It is left out; see: turnkey plugins")
    context = RunContext(registry, cache, policy=options.policy(settings))
    jobs = _run_jobs(sources, plans, context, console)
    return _conclude(request, jobs, console)


def _make_plans(
    request: RunRequest, sources: Sequence[Source], registry: Registry
) -> dict[str, Plan]:
    plans = {}
    for suffix in dict.fromkeys(source.suffix for source in sources):
        if request.steps is not None:
            plans[suffix] = make_plan(request.steps, suffix, registry, request.shorthand)
        else:
            chain = request.default_chain
            plans[suffix] = make_default_plan(suffix, registry, chain, request.shorthand)
    return plans


def _print_plans(plans: Mapping[str, Plan], sources: Sequence[Source], console: Console) -> None:
    for suffix, plan in plans.items():
        count = sum(source.suffix == suffix for source in sources)
        console.print(f"Plan for {plural(count, f'{suffix} file')}:")
        console.print_lines(plan.describe())


def _run_jobs(
    sources: Sequence[Source], plans: Mapping[str, Plan], context: RunContext, console: Console
) -> list[JobResult]:
    jobs: list[JobResult] = []
    hooks = context.registry.hooks
    with make_progress(console, len(sources)) as view:
        hooks.register(view)
        try:
            for source in sources:
                job = run_job(source, plans[source.suffix], context)
                if isinstance(view, LiveProgress):
                    view.pause()
                _print_job(job, console, first=not jobs)
                jobs.append(job)
                if isinstance(view, LiveProgress) and len(jobs) < len(sources):
                    view.resume()
        finally:
            hooks.unregister(view)
    return jobs


def _print_job(job: JobResult, console: Console, *, first: bool) -> None:
    if job.states:
        console.print(f"\n{HEADER}\n" if first else "")
        console.print_lines(status_tree(job))
    lines = _last_lines(job.log)
    if lines:
        console.print_lines([*lines, ""])
    for note in job.notes:
        console.print(f"Note: {note}")
    if job.error is not None:
        console.error(f"{job.source.path.name}: {job.error.message}", job.error.hint)


def _last_lines(log: Path, limit: int = 40, size: int = 1 << 16) -> list[str]:
    """Give the end of a log, which may be of any length, and say where the rest is."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        skipped = max(0, log.stat().st_size - size)
        file.seek(skipped)
        lines = file.read(size).decode("utf-8", "replace").rstrip().splitlines()
    if skipped or len(lines) > limit:
        return [f"(what comes before these lines is in {log})", *lines[-limit:]]
    return lines


def _conclude(request: RunRequest, jobs: list[JobResult], console: Console) -> RunResult:
    selected = [state for job in jobs for state in job.states if state.selected]
    failed = [state for state in selected if not state.status.is_good]
    broken = [job for job in jobs if job.error is not None]
    if not failed and not broken:
        console.print(f"Woohoo! The {request.title!r} command is complete.")
        return RunResult(tuple(jobs), ExitCode.OK)
    good = len(selected) - len(failed)
    console.error(
        f"{plural(len(failed), 'model')} failed, {good} went well, "
        f"{plural(len(broken), 'input')} broke:"
    )
    for state in failed:
        for failure in state.failures:
            console.progress(f"  {state.name}: {failure.step}: {failure.error}")
            if failure.log is not None:
                console.progress(f"    log: {failure.log}")
    for job in broken:
        console.progress(f"  {job.source.path.name}: {job.error}")
        console.progress(f"    log: {job.log}")
    return RunResult(tuple(jobs), ExitCode.FAILED)
