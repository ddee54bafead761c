"""What scripts call to build a model instead of the command line."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from turnkeyml.cache.layout import Cache, build_name_from, cache_from
from turnkeyml.console import Console
from turnkeyml.context import RunContext
from turnkeyml.device import default_device, runtimes_for
from turnkeyml.errors import BuildError, CacheError, UsageError
from turnkeyml.execution.events import EventListener
from turnkeyml.execution.job import JobResult, run_job
from turnkeyml.execution.reports import JobReport
from turnkeyml.executor import JobSpec
from turnkeyml.given import GIVEN, GivenModel, with_given
from turnkeyml.inputs import Source
from turnkeyml.npz import write_npz
from turnkeyml.options import option_specs, path_from
from turnkeyml.plan import Plan, first_tool_for, make_plan
from turnkeyml.plugins.registry import Registry, load_registry
from turnkeyml.policy import Rebuild, RunPolicy
from turnkeyml.progress import MONITOR_VARIABLE, choose_verbosity, is_off, make_progress
from turnkeyml.request import GlobalOptions, RunRequest
from turnkeyml.sequence import Sequence, Step, flatten, is_installed
from turnkeyml.state import State
from turnkeyml.status import HEADER, status_tree
from turnkeyml.tool import FirstTool
from turnkeyml.worker.arrays import raw_tensors
from turnkeyml.worker.tensors import ITEM_SIZES, RawTensor

_DEFAULT_NAME = "model"
_INPUTS_EXAMPLE = "Such as inputs={'x': numpy.zeros((1, 8), 'float32')}."


@dataclass(frozen=True)
class ModelRun:
    """How a model is taken through a chain.

    Args:
        build_name: Of the build; by default the name of the running script.
        cache_dir: Where builds are kept.
        rebuild: ``if_needed``, ``always`` or ``never``.
        monitor: Whether progress and the result are shown; None: unless the environment says no.
        output: A folder that gets a copy of the result.
        lean_cache: Whether what was built is deleted in the end.
        shorthand: Options of the stages, by the spelling that ``turnkey FILE`` has for them.
    """

    build_name: str | None = None
    cache_dir: str | Path | None = None
    rebuild: str = Rebuild.IF_NEEDED.value
    monitor: bool | None = None
    output: str | Path | None = None
    lean_cache: bool = False
    shorthand: Mapping[str, Any] = field(default_factory=dict)


def build_model(
    model: object,
    inputs: Any = None,
    *,
    sequence: str | Sequence | None = None,
    build_name: str | None = None,
    cache_dir: str | Path | None = None,
    rebuild: str = "if_needed",
    monitor: bool | None = None,
    onnx_opset: int | None = None,
    output: str | Path | None = None,
) -> State:
    """Take a model through a sequence of build stages.

    A build of the same name whose model, inputs and arguments are the same is used again.

    Args:
        model: A ``torch.nn.Module``, the path of an ``.onnx`` file, or anything that an installed
            plugin recognises.
        inputs: As the model is called: a mapping of keyword arguments, a tuple or list of
            positional ones, or one argument. For a file: arrays by the names of its inputs; by
            default they are made from its types.
        sequence: The stages, by name or as a `Sequence`. By default those that make what the
            default runtime of this machine takes; none for a file.
        build_name: Of the build in the cache; by default the name of the running script.
        cache_dir: Where builds are kept; by default ``TURNKEY_CACHE_DIR``, else
            ``~/.cache/turnkey``.
        rebuild: ``if_needed``, ``always`` or ``never``.
        monitor: Whether progress and the result are shown; by default yes, unless
            ``TURNKEY_BUILD_MONITOR`` is ``False``.
        onnx_opset: Of the ONNX files that stages make.
        output: A folder that gets a self-contained copy of the result.

    Returns:
        The state of the build: ``state.results`` is the newest artifact, ``state.file_of`` gives
        its file.

    Raises:
        UsageError: The arguments are wrong; nothing was run.
        BuildError: A stage failed; the message says which, and where its log is.
    """
    shorthand = {} if onnx_opset is None else {"--onnx-opset": onnx_opset}
    run = ModelRun(build_name, cache_dir, rebuild, monitor, output, shorthand=shorthand)
    return run_model(model, inputs, build_stages(model, sequence, load_registry()), run)


Stages = list["str | Sequence | Step"]


def build_stages(model: object, sequence: str | Sequence | None, registry: Registry) -> Stages:
    """Give the stages that build a model: those that were named, else the default ones."""
    if sequence is not None:
        return [sequence]
    return [] if isinstance(model, (str, Path)) else [_default_stages(registry)]


def run_model(model: object, inputs: Any, stages: Stages, run: ModelRun) -> State:
    """Take a model, given as an object or a file, through stages.

    Raises:
        UsageError: The arguments are wrong; nothing was run.
        BuildError: A stage failed; the message says which, and where its log is.
    """
    registry = load_registry()
    options = GlobalOptions(
        cache_dir=path_from(run.cache_dir, "cache_dir"),
        rebuild=rebuild_from(run.rebuild),
        output=path_from(run.output, "output"),
        lean_cache=run.lean_cache,
    )
    cache = cache_from(options.cache_dir)
    cache.require_writable()
    build_name = run.build_name
    if not isinstance(build_name, (str, type(None))):
        raise UsageError(f"build_name is a text, not {build_name!r}.")
    with tempfile.TemporaryDirectory(prefix="turnkey-inputs-") as folder:
        if isinstance(model, (str, Path)):
            source = _source_of(Path(model))
            first = _first_step(source, inputs, Path(folder), registry)
        else:
            source = Source(Path(_script()))
            given = _recognise(model, inputs, registry)
            # What is wrong with the stages is said before there is a step that no user knows.
            flatten(stages, registry)
            registry = with_given(registry, given, source.suffix)
            build_name = build_name or build_name_from(source.path.stem)
            first = Step(GIVEN)
        plan = make_plan([first, *stages], source.suffix, registry, run.shorthand)
        policy = options.policy(registry.settings_values({}))
        context = RunContext(registry, cache, policy=policy, build_name=build_name)
        before = None if build_name is None else _known_hash(cache, build_name)
        job = _watched(source, plan, context, run.monitor)
    _warn_of_collision(job, before, policy)
    return _only_state(job)


def rebuild_from(rebuild: object) -> str:
    """Check what is given for ``rebuild``.

    Raises:
        UsageError: It is none of the choices.
    """
    spec = next(spec for spec in option_specs(GlobalOptions) if spec.name == "rebuild")
    if rebuild not in spec.info.choices:
        raise UsageError(f"rebuild is one of {', '.join(spec.info.choices)}, not {rebuild!r}.")
    return str(rebuild)


def _script() -> str:
    main = sys.modules.get("__main__")
    return str(getattr(main, "__file__", None) or "") or str(Path.cwd() / _DEFAULT_NAME)


def _source_of(path: Path) -> Source:
    found = path.expanduser().absolute()
    if not found.is_file():
        raise UsageError(f"There is no file {str(path)!r}.")
    return Source(found)


def _first_step(source: Source, inputs: Any, folder: Path, registry: Registry) -> Step:
    """Name the tool for a file, with inputs handed over as a file if there are any."""
    record = first_tool_for(source.suffix, registry)
    if inputs is None:
        return Step(record.name)
    tool = record.ref.load_class(FirstTool)
    if "inputs" not in {spec.name for spec in option_specs(tool.Options)}:
        raise UsageError(f"{record.name}, which takes {source.suffix} files, takes no inputs.")
    if not isinstance(inputs, Mapping):
        raise UsageError(
            "The inputs of a model file are given as arrays by name.", hint=_INPUTS_EXAMPLE
        )
    try:
        raw = raw_tensors(dict(inputs), sizes=ITEM_SIZES)
    except TypeError as error:
        raise UsageError(f"The inputs cannot be used: {error}", hint=_INPUTS_EXAMPLE) from error
    write_npz(folder / "inputs.npz", {name: RawTensor(*part) for name, part in raw.items()})
    return Step(record.name, {"inputs": str(folder / "inputs.npz")})


def _recognise(model: object, inputs: Any, registry: Registry) -> GivenModel:
    found = registry.hooks.hook.turnkey_given_model(model=model, inputs=inputs)
    if isinstance(found, GivenModel):
        return found
    kind = type(model)
    raise UsageError(
        f"No installed plugin recognises a model of type {kind.__module__}.{kind.__qualname__}.",
        hint="Give a torch.nn.Module, or the path of an .onnx file.",
    )


def _known_hash(cache: Cache, name: str) -> str | None:
    """Give the hash of the model that a build is of so far, if there is one that can be read."""
    cache.named(name)
    try:
        known = cache.read_state(name).get("model")
    except CacheError:
        return None
    return str(known.get("hash")) if isinstance(known, dict) else None


def _warn_of_collision(job: JobResult, before: str | None, policy: RunPolicy) -> None:
    for state in job.states:
        if before in (None, state.model.digest) or policy.rebuild is Rebuild.ALWAYS:
            continue
        became = "is now of this one"
        if policy.rebuild is Rebuild.NEVER:
            became = "is used for this one, because rebuild is never"
        with Console() as console:
            console.progress(
                f"Warning: the build {state.name} was of another model or other inputs, and "
                f"{became}. Give each model a build_name of its own to keep both."
            )


def _default_stages(registry: Registry) -> str | Sequence:
    for record in runtimes_for(default_device(registry), registry):
        for alternative in record.default_sequence:
            if is_installed(alternative, registry):
                chosen: str | Sequence = alternative
                return chosen
    raise UsageError(
        "No sequence is given, and no installed runtime has a default one.",
        hint="Name one with sequence=..., or pip install turnkeyml-plugin-onnxrt",
    )


def _watched(source: Source, plan: Plan, context: RunContext, monitor: bool | None) -> JobResult:
    """Run the job of a model, with progress and the result on the console if they are wanted."""
    shown = not is_off(MONITOR_VARIABLE) if monitor is None else monitor
    if not shown:
        return run_job(source, plan, context)
    hooks = context.registry.hooks
    spec = JobSpec("", context.cache.path, source, RunRequest(GlobalOptions()))
    with Console() as console:
        verbosity = "auto" if monitor is None else choose_verbosity(console)
        with make_progress(console, 1, verbosity=verbosity, plans={source.suffix: plan}) as view:
            listener = EventListener(partial(view.tell, spec))
            hooks.register(listener)
            view.started(spec, "")
            try:
                job = run_job(source, plan, context)
            finally:
                hooks.unregister(listener)
        report = JobReport.of(job)
        console.print(f"\n{HEADER}\n")
        console.print_lines(status_tree(report))
        for note in report.notes:
            console.print(f"Note: {note}")
    return job


def _only_state(job: JobResult) -> State:
    if job.error is not None:
        raise job.error
    if len(job.states) > 1:
        raise UsageError(
            f"{job.source.path.name} has {len(job.states)} models, and one is taken here.",
            hint="benchmark_files takes them all.",
        )
    state = job.states[0]
    if not state.status.is_good:
        raise BuildError(
            f"{state.failed_step} failed: {state.error}",
            hint=f"Its log is {state.failed_log}." if state.failed_log else None,
        )
    return state
