"""What is known of a job that ended without a report, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from turnkeyml.cache.cleaning import clean_build
from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA, BuildDirectory, cache_from
from turnkeyml.cache.locks import build_lock_if_free
from turnkeyml.cache.stats import Stats
from turnkeyml.errors import CacheError, NewerSchemaError
from turnkeyml.execution.events import EVENTS, EventReader, JobEvent, StepEvent, What
from turnkeyml.execution.job import input_log
from turnkeyml.execution.reports import JobError, JobReport, ModelReport
from turnkeyml.executor import Ending, JobEnd, JobSpec
from turnkeyml.outcomes import Failure, Status


@dataclass(frozen=True)
class Trace:
    """What a job's events say.

    Args:
        found: Its models by build, in order.
        ended: Those that have ended.
        step: The step that was running when the events stopped; or, while one model was being
            worked on, the one that had just ended.
        is_over: Whether that step had ended.
    """

    found: Mapping[str, ModelReport] = field(default_factory=dict)
    ended: Mapping[str, ModelReport] = field(default_factory=dict)
    step: StepEvent | None = None
    is_over: bool = False


def trace_of(events: Iterable[JobEvent]) -> Trace:
    """Follow events to where they stop."""
    found: dict[str, ModelReport] = {}
    ended: dict[str, ModelReport] = {}
    step: StepEvent | None = None
    is_over = False
    for event in events:
        if event.what is What.MODELS_FOUND:
            found = {model.name: model for model in event.models}
        elif event.what is What.STEP_STARTED:
            step, is_over = event.step, False
        elif event.what is What.STEP_FINISHED:
            # After the step that finds the models nothing is worked on for a while.
            step = event.step if event.step is not None and event.step.build is not None else None
            is_over = step is not None
        elif event.what is What.MODEL_FINISHED:
            ended |= {model.name: model for model in event.models}
            step, is_over = None, False
    return Trace(found, ended, step, is_over)


@dataclass(frozen=True)
class Verdict:
    """What comes of a death.

    Args:
        known: How models fared that have ended, one of them perhaps by this death.
        again: The job as it is to be run again, for the models that are left.
        report: What became of the input, if it is not run again.
    """

    known: Mapping[str, ModelReport]
    again: JobSpec | None
    report: JobReport | None


def judge(job: JobSpec, end: JobEnd, known: Mapping[str, ModelReport]) -> Verdict:
    """Say which model a job died of, and whether the others can go on without it.

    Args:
        job: The job.
        end: How it ended; it left no report.
        known: How models fared in earlier attempts.
    """
    trace = trace_of(EventReader(job.folder / EVENTS).read())
    ended = {**known, **trace.ended}
    if not trace.found:
        # It died before it had models: nothing but the input itself is to blame.
        log = job.output_file
        if trace.step is not None:
            # What the input's own code printed last is there, its traceback too.
            log = input_log(job.source, cache_from(job.request.options.cache_dir).path)
        report = JobReport(job.source, tuple(ended.values()), _error(trace, end), log=log)
        return Verdict(ended, None, report)
    victim = trace.found.get(trace.step.build or "") if trace.step is not None else None
    if victim is not None and trace.step is not None:
        ended[victim.name] = _victim(victim, trace, end)
        is_ours = record_death(victim.build, trace, end)
        if is_ours and job.request.options.lean_cache:
            # Its own process cannot do so any more.
            with suppress(CacheError):
                clean_build(victim.build)
    left = [m for m in trace.found.values() if m.selected and m.name not in ended]
    if left and len(ended) > len(known):
        again = replace(job, without=tuple(ended), attempt=job.attempt + 1)
        return Verdict(ended, again, None)
    error = None
    if left or victim is None:
        # Nothing tells which model it was; trying again would end in the same way.
        error = _error(trace, end)
    # Those that are left count as running from the moment in which they were found.
    models = tuple(replace(m, status=Status.NOT_STARTED) for m in trace.found.values())
    report = JobReport(job.source, models, error, log=job.output_file).with_models(ended)
    return Verdict(ended, None, report)


def _error(trace: Trace, end: JobEnd) -> JobError:
    message = end.message if trace.step is None else f"{trace.step.name}: {end.message}"
    return JobError(message, end.hint, end.ending.value)


def _victim(model: ModelReport, trace: Trace, end: JobEnd) -> ModelReport:
    step = trace.step
    if step is None:
        return model
    text = f"{_sentence(trace, end)} {end.hint}" if end.hint else _sentence(trace, end)
    failure = Failure(step.name, text, model.build.log_file(step.name, step.occurrence))
    return replace(model, status=Status.FAILED, has_built=True, failures=(failure,))


def _sentence(trace: Trace, end: JobEnd) -> str:
    return f"After this step had ended: {end.message}" if trace.is_over else end.message


def record_death(build: BuildDirectory, trace: Trace, end: JobEnd) -> bool:
    """Write into a build's files that its process died, which the process itself could not do.

    If another process works on the build by now, the files are its own and are left alone.

    Args:
        build: The build.
        trace: The step that ran.
        end: How its process ended.

    Returns:
        Whether the files were still those of the process that died, and say so now.
    """
    with suppress(CacheError, OSError), build_lock_if_free(build.cache, build.name) as is_held:
        if is_held and trace.step is not None:
            return _write_death(build, trace, trace.step, end)
    return False


def _write_death(build: BuildDirectory, trace: Trace, step: StepEvent, end: JobEnd) -> bool:
    content = read_document(build.state_file, STATE_SCHEMA)
    if content.get("status") != Status.RUNNING.value:
        return False
    error = _sentence(trace, end)
    content |= {"status": Status.FAILED.value, "failed_step": step.name, "error": error}
    try:
        stats = Stats.load(build)
    except NewerSchemaError:
        raise
    except CacheError:
        # Writing puts what is there aside.
        stats = Stats(build)
    facts: dict[str, Any] = {"ending": end.ending.value, "peak_job_bytes": end.peak_memory_bytes}
    entry = stats.steps.get(step.identity)
    if not trace.is_over:
        entry = entry or {"tool": step.name, "number": step.number}
        facts |= {"status": Status.FAILED.value, "error": error}
    if entry is not None:
        stats.steps[step.identity] = {**entry, **facts}
    for chain in stats.chains.values():
        if chain.get("status") == Status.RUNNING.value:
            chain["status"] = Status.FAILED.value
    stats.write()
    write_document(build.state_file, STATE_SCHEMA, content)
    return True


def is_death(end: JobEnd) -> bool:
    """Tell whether a job ended without a report, and not because the user wanted it."""
    return end.ending not in (Ending.REPORTED, Ending.INTERRUPTED)
