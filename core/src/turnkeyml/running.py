"""Run a command: resolve its inputs, plan the chain, run every input."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from turnkeyml.cache.layout import Cache, cache_from
from turnkeyml.console import Console, plural
from turnkeyml.errors import CacheError, ExitCode, UsageError
from turnkeyml.execution.alone import note_alone
from turnkeyml.execution.choosing import (
    Execution,
    choose_execution,
    parse_sweep,
    with_parameters,
)
from turnkeyml.execution.command import CommandRun, Ends, Telling, make_job
from turnkeyml.execution.interruption import Interruption
from turnkeyml.execution.job_process import plan_for
from turnkeyml.execution.journal import COMMANDS, Journal, command_digest, opened_journal
from turnkeyml.execution.reports import JobReport, ModelReport
from turnkeyml.executor import ExecutorSetup, JobSpec
from turnkeyml.inputs import Source, find_sources
from turnkeyml.labels import parse_labels
from turnkeyml.plan import Plan
from turnkeyml.plugins.registry import Registry
from turnkeyml.policy import Skip
from turnkeyml.progress import View, is_off, make_progress
from turnkeyml.request import RunRequest
from turnkeyml.status import HEADER, status_tree

TRACEBACK_VARIABLE = "TURNKEY_TRACEBACK"
_GO_ON = "The same command goes on from here."


@dataclass(frozen=True)
class RunResult:
    """What became of a command.

    Args:
        jobs: One for each input that has ended, in an earlier command that this one went on with,
            too.
        exit_code: As the command ends.
    """

    jobs: tuple[JobReport, ...]
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
        raise UsageError(
            "The lists given as inputs name no file.", hint="Write one file in each line of them."
        )
    inputs = with_parameters(sources, parse_sweep(request.execution.sweep), registry)
    execution = choose_execution(request.execution, registry)
    plans = _make_plans(request, inputs, registry)
    registry.settings_values(request.settings)
    if options.dry_run:
        _print_plans(plans, inputs, console)
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
    return _Command(request, registry, console, plans, execution).run(inputs, cache)


def _make_plans(
    request: RunRequest, sources: Sequence[Source], registry: Registry
) -> dict[str, Plan]:
    suffixes = dict.fromkeys(source.suffix for source in sources)
    return {suffix: plan_for(request, suffix, registry) for suffix in suffixes}


def _print_plans(plans: Mapping[str, Plan], sources: Sequence[Source], console: Console) -> None:
    for suffix, plan in plans.items():
        count = sum(source.suffix == suffix for source in sources)
        console.print(f"Plan for {plural(count, f'{suffix} file')}:")
        console.print_lines(plan.describe())


class _Command:
    """A command that was checked, and what it prints as it goes on."""

    def __init__(
        self,
        request: RunRequest,
        registry: Registry,
        console: Console,
        plans: dict[str, Plan],
        execution: Execution,
    ) -> None:
        self._request = request
        self._registry = registry
        self._console = console
        self._plans = plans
        self._execution = execution
        self._shown = 0

    def run(self, inputs: Sequence[Source], cache: Cache) -> RunResult:
        """Run all jobs, and say how they have ended."""
        request, executor = self._request, self._execution.executor
        digest = command_digest(_identity(request), [_identity_of(s) for s in inputs])
        folder = cache.path / COMMANDS / digest
        jobs = [make_job(source, request, folder, self._execution) for source in inputs]
        setup = ExecutorSetup(self._registry, self._plans, cache.path, folder, self._execution.jobs)
        is_kept = len(jobs) > 1 or executor.isolates
        with ExitStack() as stack:
            journal = self._open(stack, folder, jobs) if is_kept else None
            executor.check(setup)
            ends = self._run_jobs(jobs, setup, journal)
        if not is_kept and jobs[0].key in ends.reports:
            report = ends.reports[jobs[0].key]
            note_alone(folder, jobs[0], report, request.title, self._waiting)
        reports = tuple(ends.reports[job.key] for job in jobs if job.key in ends.reports)
        return self._conclude(reports, ends)

    def _waiting(self, owner: str) -> None:
        self._console.progress(f"Waiting for {owner}, which runs the same command.")

    def _open(self, stack: ExitStack, folder: Path, jobs: Sequence[JobSpec]) -> Journal | None:
        """Open the journal; where there can be none, the command runs all the same."""
        try:
            journal = stack.enter_context(opened_journal(folder, self._waiting))
            self._read(journal, jobs)
            journal.command(self._request.title, len(jobs))
        except CacheError as error:
            self._console.progress(f"Warning: {error} What has ended is not noted.")
            return None
        return journal

    def _read(self, journal: Journal, jobs: Sequence[JobSpec]) -> None:
        policy = self._request.options.skip_policy
        if policy == Skip.NONE.value:
            return
        journal.read()
        if policy == Skip.SUCCESSFUL.value:
            journal.forget_failed()
        done = sum(job.key in journal.ended for job in jobs)
        if journal.is_continued and done:
            self._console.progress(
                f"Going on where the same command was stopped: {done} of "
                f"{plural(len(jobs), 'input')} have ended. --skip-policy none begins anew."
            )

    def _run_jobs(
        self, jobs: Sequence[JobSpec], setup: ExecutorSetup, journal: Journal | None
    ) -> Ends:
        done = 0 if journal is None else sum(job.key in journal.ended for job in jobs)
        view: View = make_progress(
            self._console,
            len(jobs),
            done,
            verbosity=self._request.execution.verbosity,
            plans=self._plans,
        )
        several = len(jobs) > 1
        with Interruption(self._console, watched=several) as stopping, view:
            telling = Telling(view, self._show, self._console.progress)
            command = CommandRun(self._execution, setup, journal, telling)
            try:
                return command.run(jobs, stopping)
            except KeyboardInterrupt:
                if not several:
                    raise
                left = sum(job.key not in command.reports for job in jobs)
                return Ends(command.reports, left)

    def _show(self, report: JobReport) -> None:
        console = self._console
        if report.models:
            console.print(f"\n{HEADER}\n" if not self._shown else "")
            console.print_lines(status_tree(report))
        self._shown += 1
        lines = [] if report.log is None else _last_lines(report.log)
        if lines:
            console.print_lines([*lines, ""])
        for trace in _tracebacks(report):
            console.print_lines([*trace, ""])
        for note in report.notes:
            console.print(f"Note: {note}")
        if report.error is not None:
            console.error(f"{report.source.title}: {report.error.message}", report.error.hint)

    def _conclude(self, reports: tuple[JobReport, ...], ends: Ends) -> RunResult:
        console = self._console
        failed = [model for report in reports for model in report.models if model.failed]
        broken = [report for report in reports if report.error is not None]
        if failed or broken:
            self._tell_failures(reports, failed, broken)
        if ends.left:
            console.error(
                f"Stopped with {plural(ends.left, 'input')} of {ends.left + len(reports)} not run.",
                _GO_ON,
            )
            return RunResult(reports, ExitCode.INTERRUPTED)
        if failed or broken:
            return RunResult(reports, ExitCode.FAILED)
        console.print(f"Woohoo! The {self._request.title!r} command is complete.")
        return RunResult(reports, ExitCode.OK)

    def _tell_failures(
        self,
        reports: Sequence[JobReport],
        failed: Sequence[ModelReport],
        broken: Sequence[JobReport],
    ) -> None:
        console = self._console
        selected = sum(model.selected for report in reports for model in report.models)
        console.error(
            f"{plural(len(failed), 'model')} failed, {selected - len(failed)} went well, "
            f"{plural(len(broken), 'input')} broke:"
        )
        for model in failed:
            for failure in model.failures:
                console.progress(f"  {model.name}: {failure.step}: {failure.error}")
                if failure.log is not None:
                    console.progress(f"    log: {failure.log}")
        for report in broken:
            console.progress(f"  {report.source.title}: {report.error}")
            if report.log is not None:
                console.progress(f"    log: {report.log}")


def _identity(request: RunRequest) -> dict[str, object]:
    """Give what decides the results of a command, so that the same one is known again."""
    data = request.to_json()
    del data["title"]
    # The cache is where the journal is; a moved one is still the same.
    for name in ("input_files", "cache_dir", "dry_run", "explain", "skip_policy"):
        del data["options"][name]
    return data


def _identity_of(source: Source) -> str:
    data = source.to_json()
    del data["labels"]
    return json.dumps(data)


def _last_lines(log: Path, limit: int = 40, size: int = 1 << 16) -> list[str]:
    """Give the end of a log, which may be of any length, and say where the rest is."""
    try:
        if not log.is_file():
            return []
        with log.open("rb") as file:
            skipped = max(0, log.stat().st_size - size)
            file.seek(skipped)
            lines = file.read(size).decode("utf-8", "replace").rstrip().splitlines()
    except (OSError, ValueError):
        # The script that the log is of may have done anything to it.
        return []
    if skipped or len(lines) > limit:
        return [f"(what comes before these lines is in {log})", *lines[-limit:]]
    return lines


def _tracebacks(report: JobReport) -> list[list[str]]:
    """Give the tracebacks of what tools did not expect, unless the user does not want them."""
    if is_off(TRACEBACK_VARIABLE):
        return []
    traces = Counter(f.traceback for model in report.models for f in model.failures if f.traceback)
    return [trace.rstrip().splitlines()[-40:] for trace in traces]
