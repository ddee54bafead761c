"""What a runtime must keep when it is used, on what it can load and on what it cannot."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from turnkeyml.runtime import RuntimeOutputs, returns_outputs
from turnkeyml.testing.rules import NotApplicable, Rule, Violation, rule
from turnkeyml.testing.runtime_subject import RuntimeRun, RuntimeSubject, Sabotage
from turnkeyml.testing.tiny_model import Y
from turnkeyml.worker.tensors import RawTensor, read_tensors

_WAYS = "docs/writing_a_plugin.md, 'Three ways to be measured'"
_CONTEXT = "docs/adr/0004-runtime-context.md"
_PERFORMANCE = "the docstring of turnkeyml.runtime.MeasuredPerformance"
_VERDICTS = ("valid", "noisy", "invalid", "unverified")
_TOLERANCE = 0.02

RUNTIME_RUN_RULES: list[Rule[RuntimeSubject]] = []


@rule(RUNTIME_RUN_RULES, where=_WAYS, runs=True)
def it_measures_its_model(subject: RuntimeSubject) -> None:
    """With each list of arguments, benchmark() gives a MeasuredPerformance with a mean latency and
    a throughput above zero."""
    for words, run in zip(subject.rt_args, subject.runs, strict=True):
        if run.error is not None:
            said = f"{type(run.error).__name__}: {run.error}"
            raise Violation(f"With --rt-args {' '.join(words) or '(none)'} it raised {said}")


def _measured(subject: RuntimeSubject) -> list[RuntimeRun]:
    for run in subject.runs:
        _ = run.found
    return subject.runs


@rule(RUNTIME_RUN_RULES, where=_PERFORMANCE, runs=True)
def its_latency_is_in_ms_and_its_throughput_per_second(subject: RuntimeSubject) -> None:
    """The mean latency is in milliseconds and the throughput in inferences per second: the timed
    inferences cannot have taken longer than the benchmark did, and a throughput is at least one
    inference after the other."""
    for run in _measured(subject):
        found = run.found
        claimed_s = found.mean_latency / 1000 * run.context.iterations
        if claimed_s > run.seconds * 1.05:
            raise Violation(
                f"{run.context.iterations} inferences of {found.mean_latency:g} ms each take "
                f"{claimed_s:.3g} s, and the whole benchmark took {run.seconds:.3g} s."
            )
        if run.context.iterations / found.throughput > run.seconds * 1.05:
            raise Violation(
                f"{run.context.iterations} inferences at {found.throughput:g} per second take "
                f"longer than the whole benchmark, which took {run.seconds:.3g} s."
            )
        if found.throughput < 0.5 * 1000 / found.mean_latency:
            raise Violation(
                f"At {found.mean_latency:g} ms an inference, one after the other, the throughput "
                f"is not {found.throughput:g} inferences per second."
            )


@rule(RUNTIME_RUN_RULES, where="docs/writing_a_plugin.md", runs=True)
def its_samples_are_positive_and_as_many_as_asked_for(subject: RuntimeSubject) -> None:
    """A runtime that the core measures hands over a sample for each iteration, in nanoseconds."""
    if not subject.hands_over_samples:
        raise NotApplicable("It measures by itself, so its verdict is 'unverified'.")
    for run in _measured(subject):
        timed = run.found.samples.get("timed_ns")
        if not isinstance(timed, (list, tuple)) or len(timed) != run.context.iterations:
            count = len(timed) if isinstance(timed, (list, tuple)) else 0
            raise Violation(f"There are {count} samples of {run.context.iterations} iterations.")
        if not all(isinstance(sample, int) and sample > 0 for sample in timed):
            raise Violation("A sample is no positive whole number.")


@rule(RUNTIME_RUN_RULES, where=_PERFORMANCE, runs=True)
def its_performance_is_complete(subject: RuntimeSubject) -> None:
    """A MeasuredPerformance names build, device, runtime and verdict; what else it has are JSON
    values."""
    for run in _measured(subject):
        found, context = run.found, run.context
        expected = {
            "build_name": context.build_name,
            "device_type": str(context.device),
            "runtime": context.runtime,
        }
        for name, value in expected.items():
            if getattr(found, name) != value:
                raise Violation(f"{name} is {getattr(found, name)!r}, and must be {value!r}.")
        if found.verdict not in _VERDICTS:
            raise Violation(f"The verdict is {found.verdict!r}, which is none.")
        if found.verdict != "valid" and not found.verdict_reasons:
            raise Violation(f"There is no reason for the verdict {found.verdict!r}.")
        for name in ("statistics", "facts", "samples"):
            _require_json(name, getattr(found, name))


def _require_json(name: str, value: Any) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Violation(
            f"{name} is {str(value)[:200]}, which is no JSON value: {error}."
        ) from error


@rule(RUNTIME_RUN_RULES, where=_WAYS, runs=True)
def it_names_its_device_and_its_version(subject: RuntimeSubject) -> None:
    """device_name() gives the full name of the device, and version() the version of the software
    that ran the model, or nothing; both are one line of text."""
    for run in _measured(subject):
        name: object = run.found.device
        if not isinstance(name, str) or not name.strip() or "\n" in name:
            raise Violation(f"device_name() gives {name!r}.")
        version: object = run.found.runtime_version
        if not isinstance(version, str) or "\n" in version:
            raise Violation(f"The version is {version!r}.")


@rule(RUNTIME_RUN_RULES, where="docs/writing_a_plugin.md, 'The mapping'", runs=True)
def its_status_stats_are_there(subject: RuntimeSubject) -> None:
    """Every key in status_stats is saved by the runtime with stats.save_model_eval_stat(), as a
    JSON value."""
    for run in _measured(subject):
        missing = [key for key in subject.record.status_stats if key not in run.stats]
        if missing:
            raise Violation(f"It saves no {', '.join(missing)}, which status_stats names.")
        _require_json("one of its statistics", dict(run.stats))


@rule(RUNTIME_RUN_RULES, where=_CONTEXT, runs=True)
def it_is_set_up_once_before_its_first_use(subject: RuntimeSubject) -> None:
    """_setup() is called by the core, once, after __init__ and before the first use; a runtime does
    not call it."""
    for run in _measured(subject):
        calls = run.journal.calls
        if calls.count("_setup") != 1:
            raise Violation(f"_setup() was called {calls.count('_setup')} times.")
        if calls[0] != "_setup":
            raise Violation(f"{calls[0]}() was called before _setup().")


@rule(RUNTIME_RUN_RULES, where=_CONTEXT, runs=True)
def it_is_torn_down_once_also_after_a_failure(subject: RuntimeSubject) -> None:
    """_teardown() is called by the core, once, also when the benchmark or _setup() failed, and then
    does not raise: what _setup() did not come to make may be missing."""
    runs = {"a benchmark": _measured(subject)[0], "a benchmark that fails": subject.broken_off}
    if not isinstance(subject.broken_off.error, Sabotage):
        raise Violation("A benchmark that fails in the middle is reported as one that went well.")
    with suppress(NotApplicable):
        runs["a model that cannot be loaded"] = subject.refused
    for when, run in runs.items():
        count = run.journal.calls.count("_teardown")
        if count != 1:
            raise Violation(f"After {when}, _teardown() was called {count} times.")
        for error in run.journal.undone:
            raise Violation(
                f"After {when}, _teardown() raised {type(error).__name__}: {error}"
            ) from error


@rule(RUNTIME_RUN_RULES, where=_WAYS, runs=True)
def a_model_that_it_cannot_load_gives_no_numbers(subject: RuntimeSubject) -> None:
    """On a file that is no model, a runtime raises; it never reports numbers."""
    _measured(subject)
    run = subject.refused
    if run.error is None:
        raise Violation("It measured a file that is no model.")


@rule(RUNTIME_RUN_RULES, where="docs/writing_a_plugin.md", runs=True)
def it_writes_only_into_its_folder(subject: RuntimeSubject) -> None:
    """A runtime writes into output_dir only, and changes neither the model nor its inputs."""
    for run in _measured(subject):
        if run.strays:
            raise Violation(f"It wrote or changed {', '.join(run.strays)}.")


@rule(RUNTIME_RUN_RULES, runs=True)
def it_leaves_the_process_as_it_was(subject: RuntimeSubject) -> None:
    """After a runtime, working directory, environment, umask, sys.path, signal handlers and logging
    are what they were, and no thread or process of it runs on; also after a failure."""
    for run in [*_measured(subject), subject.broken_off]:
        if run.changed:
            raise Violation(f"After it was used, {'; '.join(run.changed)}.")


@rule(RUNTIME_RUN_RULES, where="the docstring of BaseRT.outputs", runs=True)
def its_outputs_are_right_and_can_be_read(subject: RuntimeSubject) -> None:
    """A runtime that can say what a model computes writes it as tensors, or says why it cannot; for
    the kit's own model it is what that computes."""
    _measured(subject)
    if not returns_outputs(subject.runtime):
        raise NotApplicable("It does not say what a model computes.")
    run = subject.computed
    if run.error is not None:
        raise Violation(f"outputs() raised {type(run.error).__name__}: {run.error}") from run.error
    told = run.result
    if not isinstance(told, RuntimeOutputs):
        raise Violation(f"outputs() gives {told!r}, which is no RuntimeOutputs.")
    if told.unavailable:
        raise NotApplicable(f"It says: {told.unavailable}")
    try:
        tensors = read_tensors(told.folder)
    except (OSError, ValueError) as error:
        raise Violation(f"What outputs() wrote cannot be read: {error}.") from error
    if subject.inputs.make_input is None:
        _compare(tensors)


def _compare(tensors: Mapping[str, RawTensor]) -> None:
    if len(tensors) != 1:
        raise Violation(f"The model has one output, and it gives {', '.join(tensors) or 'none'}.")
    (tensor,) = tensors.values()
    if tensor.dtype != "float32":
        raise Violation(f"The model's output is float32, and it gives {tensor.dtype}.")
    found = tuple(tensor.data.cast("B").cast("f"))
    if len(found) != len(Y) or not all(
        math.isclose(one, right, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        for one, right in zip(found, Y, strict=False)
    ):
        raise Violation(f"The model computes {Y}, and it gives {found}.")
