"""The tool `discover`."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from turnkeyml.artifacts import PYTORCH_MODEL
from turnkeyml.console import plural
from turnkeyml.context import RunContext
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.inputs import Source
from turnkeyml.options import option
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import ModelInfo, State
from turnkeyml.tool import FirstTool

if TYPE_CHECKING:
    from turnkeyml_torch import FoundModel, Invocation, Recorder
    from turnkeyml_torch.script import ScriptEnd


_TORCHRUN = re.compile(r"\b(LOCAL_RANK|RANK|WORLD_SIZE|MASTER_ADDR|MASTER_PORT)\b")
"""Variables that torchrun sets; a script that misses one says its name."""


@dataclass(frozen=True)
class DiscoverOptions:
    """The options of `discover`."""

    script_args: str | None = option(
        None,
        metavar="ARGS",
        help='Command line of the script, in one word: --script-args="--batch_size 8".',
        shorthand="--script-args",
    )
    max_depth: int = option(
        0,
        metavar="N",
        minimum=0,
        help="How many levels of modules inside the models are taken as models of their own.",
        shorthand="--max-depth",
    )
    max_invocations: int = option(
        10,
        metavar="N",
        minimum=1,
        help="How many calls of one model with different inputs are taken; more are counted.",
    )
    keep_inputs: bool = option(
        True, help="Keep what the models were called with; else random values of the same kind."
    )
    seed: bool = option(True, help="Seed torch with 0 before the script; its own seeds prevail.")


class Discover(FirstTool):
    """Find the PyTorch models that a Python script calls, with their inputs.

    The script is run as plain Python would run it, with PyTorch's own call path watched: every
    module that is called is found, whatever variable, list or object holds it. Each model goes on
    with the inputs of its call; a model called with several input shapes goes on once for each.
    Modules that are only called inside another model belong to it, unless --max-depth says so.

    The script is run in this process: run only scripts that you trust.
    """

    name = "discover"
    Options = DiscoverOptions
    produces = PYTORCH_MODEL
    suffixes = (".py",)
    takes_parameters = True

    @classmethod
    def resolve(cls, options: DiscoverOptions, registry: Registry) -> DiscoverOptions:
        """Check that the script's arguments can be split into words."""
        split_words(options.script_args)
        return options

    def start(
        self, source: Source, options: DiscoverOptions, context: RunContext
    ) -> Iterator[State]:
        """Run the script, and give a state for each invocation of each model."""
        from turnkeyml_torch import Recorder, run_script

        recorder = Recorder(
            max_depth=options.max_depth,
            max_invocations=options.max_invocations,
            keep_inputs=options.keep_inputs,
            seed=0 if options.seed else None,
        )
        children, graphs = _children_time(), _compiled_graphs()
        with recorder:
            end = run_script(source.path, _words_for(source, options))
        compiled = _compiled_graphs() > graphs
        if end.traceback_text:
            print(end.traceback_text)  # noqa: T201 - goes into the log of this step
        if _children_time() > children and not recorder.models:
            context.note("The script ran other processes; models called only there are not seen.")
        yield from _states(source, recorder, context)
        _tell(recorder, end, context, compiled=compiled)


def _words_for(source: Source, options: DiscoverOptions) -> tuple[str, ...]:
    """Give the script's command line; what a sweep sets stands last, so that it counts."""
    swept = [f"--{name}={value}" for name, value in source.parameters.items()]
    return (*split_words(options.script_args), *swept)


def _children_time() -> float:
    """Give the processor time of all processes that this one started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _compiled_graphs() -> int:
    """Give how many graphs torch.compile has made in this process, which may not have torch."""
    dynamo: Any = sys.modules.get("torch._dynamo.utils")
    return int(dynamo.counters["stats"]["unique_graphs"]) if dynamo is not None else 0


def split_words(text: str | None) -> tuple[str, ...]:
    """Split the script's command line into words.

    Raises:
        PlanError: A quotation mark is not closed.
    """
    try:
        return tuple(shlex.split(text or ""))
    except ValueError as error:
        raise PlanError(f"--script-args {text!r} cannot be split into words: {error}.") from error


def _states(source: Source, recorder: Recorder, context: RunContext) -> Iterator[State]:
    from turnkeyml_torch import weights_hash

    groups = {id(model): number for number, model in enumerate(recorder.models)}
    seen: Counter[str] = Counter()
    for model in recorder.models:
        weights = weights_hash(model.module)
        for invocation in model.invocations:
            info = _model_info(model, invocation, groups, weights)
            state = context.new_state(
                source,
                info,
                selected=source.selects(info.digest),
                ordinal=seen[info.digest],
            )
            seen[info.digest] += 1
            if state.selected:
                _hand_over(state, model, invocation)
            yield state
        if model.dropped:
            context.note(
                f"{model.name} was called {model.dropped} more times with other inputs, "
                "which were counted only; see --max-invocations."
            )


def _model_info(
    model: FoundModel, invocation: Invocation, groups: dict[int, int], weights: str
) -> ModelInfo:
    from turnkeyml_torch import model_hash, parameters
    from turnkeyml_torch.given import MODEL_TYPE

    size = parameters(model.module)
    return ModelInfo(
        name=model.name,
        digest=model_hash(model.module, invocation.signature, weights=weights),
        model_type=MODEL_TYPE,
        class_name=f"{model.class_name} ({model.class_qualified})",
        location=model.file if model.depth == 0 else "",
        line=model.line if model.depth == 0 else None,
        parameter_count=size.count,
        parameter_bytes=size.bytes,
        input_shapes=invocation.signature.shapes(),
        executions=invocation.count,
        seconds=invocation.seconds,
        depth=model.depth,
        group=groups[id(model)],
        parent=None if model.parent is None else groups[id(model.parent)],
    )


def _hand_over(state: State, model: FoundModel, invocation: Invocation) -> None:
    from turnkeyml_torch import LiveModel
    from turnkeyml_torch.given import hand_over

    live = LiveModel(model.module, invocation.args, invocation.kwargs, invocation.signature)
    hand_over(state, live, training=model.training)


def _tell(recorder: Recorder, end: ScriptEnd, context: RunContext, *, compiled: bool) -> None:
    """Say what the user would wonder about.

    Args:
        recorder: What was seen.
        end: How the script ended.
        context: Takes the notes.
        compiled: Whether torch.compile made something of the script's code.

    Raises:
        BuildError: The script raised, ended itself as failed, or called no model.
    """
    from turnkeyml_torch import EndKind

    if recorder.skipped:
        context.note(
            f"{plural(recorder.skipped, 'activation or loss module')} called alone "
            "without parameters: not taken as models."
        )
    if recorder.parts:
        names = ", ".join(recorder.parts)
        context.note(f"Called only while the model was made, so no models of their own: {names}.")
    training = [m.name for m in recorder.models if m.training and m.depth == 0]
    if training:
        context.note(
            f"The script calls {', '.join(dict.fromkeys(training))} in training mode; "
            "what goes on is in evaluation mode."
        )
    found = bool(recorder.models)
    on = " What was found before goes on." if found else ""
    if end.kind is EndKind.RAISED:
        raise BuildError(f"The script raised {_what(end)}.{on}", hint=_advice(end))
    if end.code != 0:
        raise BuildError(
            f"The script ended itself with exit code {end.code!r}.{on}",
            hint="Run it with Python alone to see why; --script-args gives it a command line.",
        )
    if not found:
        raise BuildError(f"The script calls no PyTorch model.{_why(recorder, compiled)}")
    if end.kind is not EndKind.FINISHED:
        how = "sys.exit" if end.kind is EndKind.EXITED else "os._exit"
        context.note(f"The script ended itself with {how}.")


def _advice(end: ScriptEnd) -> str:
    """Say what to do about the exception that ended a script."""
    if isinstance(end.exception, EOFError):
        return (
            "If it reads standard input, give it what it reads: turnkey passes its own on, "
            "as in turnkey -i FILE discover < answers.txt."
        )
    if _TORCHRUN.search(f"{type(end.exception).__name__} {end.exception}"):
        return (
            "It looks meant for torchrun; to run it as a single process, set RANK=0 LOCAL_RANK=0 "
            "WORLD_SIZE=1 MASTER_ADDR=localhost MASTER_PORT=29500 in the environment."
        )
    return "Its traceback is in the log."


def _what(end: Any) -> str:
    name = type(end.exception).__name__
    lines = str(end.exception).strip().splitlines()
    return f"{name}: {lines[0]}" if lines else name


def _why(recorder: Recorder, compiled: bool) -> str:
    if "torch" not in sys.modules:
        return " It does not import torch."
    if recorder.failed:
        return f" {plural(recorder.failed, 'module')} raised whenever called."
    if compiled:
        return (
            " What is called only inside a function that torch.compile compiles is not seen: take "
            "torch.compile off the function, or compile the model instead."
        )
    if recorder.skipped:
        return " It only calls modules without parameters."
    return (
        " It calls no torch.nn.Module; one that is made but never called is no model: call it with "
        "its inputs."
    )
