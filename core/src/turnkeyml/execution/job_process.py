"""Run the job of a folder in this process: ``python -m turnkeyml.execution.job_process FOLDER``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from turnkeyml.cache.layout import cache_from
from turnkeyml.errors import TurnkeyError
from turnkeyml.execution.events import EVENTS, EventFile
from turnkeyml.execution.job_folder import read_job, write_report
from turnkeyml.execution.reports import JobError, JobReport
from turnkeyml.execution.telling import run_telling
from turnkeyml.executor import JobSpec
from turnkeyml.plan import Plan, make_default_plan, make_plan
from turnkeyml.plugins.registry import Registry, load_registry
from turnkeyml.request import RunRequest


def plan_for(request: RunRequest, suffix: str, registry: Registry) -> Plan:
    """Plan a command for one kind of input.

    Raises:
        PlanError, UsageError: The chain cannot work.
    """
    if request.steps is not None:
        return make_plan(request.steps, suffix, registry, request.shorthand)
    return make_default_plan(suffix, registry, request.default_chain, request.shorthand)


def run_folder(folder: Path, registry: Registry | None = None) -> None:
    """Run the job whose folder this is, in this process, and leave its report there.

    Whatever can go wrong without ending the process is told in the report.

    Args:
        folder: Where ``job.json`` is.
        registry: What is installed; it is looked up by default.

    Raises:
        CacheError: The folder cannot be read.
    """
    job, working_directory = read_job(folder)
    os.chdir(working_directory)
    try:
        report = _run(job, load_registry() if registry is None else registry)
    except TurnkeyError as error:
        report = JobReport(job.source, error=JobError.of(error), log=job.output_file)
    write_report(folder, report)


def _run(job: JobSpec, registry: Registry) -> JobReport:
    request = job.request
    plan = plan_for(request, job.source.suffix, registry)
    for name, value in plan.environment.items():
        os.environ.setdefault(name, value)
    cache = cache_from(request.options.cache_dir)
    tell = EventFile(job.folder / EVENTS).tell
    return run_telling(job, plan, registry, cache, tell, takes_turns=True)


def main() -> None:
    """Run the job of the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m turnkeyml.execution.job_process FOLDER")
    try:
        run_folder(Path(sys.argv[1]))
    except TurnkeyError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
