"""What scripts call to benchmark models instead of the command line."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as List
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, overload

from turnkeyml.api import ModelRun, Stages, build_stages, rebuild_from, run_model
from turnkeyml.benchmark_results import BenchmarkResults, performance_from
from turnkeyml.console import Console
from turnkeyml.errors import UsageError
from turnkeyml.inputs import find_sources
from turnkeyml.labels import parse_labels
from turnkeyml.options import path_from
from turnkeyml.performance import MeasuredPerformance
from turnkeyml.plan import first_tool_for
from turnkeyml.plugins.registry import Registry, load_registry
from turnkeyml.request import DefaultChainOptions, ExecutionOptions, GlobalOptions, RunRequest
from turnkeyml.running import run
from turnkeyml.sequence import Sequence, Step

_BENCHMARK = "benchmark"


def benchmark_files(
    input_files: str | Path | List[str | Path],
    *,
    device: str | None = None,
    runtime: str | List[str] | None = None,
    sequence: str | Sequence | None = None,
    iterations: int | None = None,
    rt_args: Mapping[str, Any] | None = None,
    cache_dir: str | Path | None = None,
    labels: Mapping[str, str | List[str]] | List[str] | None = None,
    rebuild: str = "if_needed",
    script_args: str | None = None,
    max_depth: int | None = None,
    onnx_opset: int | None = None,
    analyze_only: bool = False,
    build_only: bool = False,
    lean_cache: bool = False,
    process_isolation: bool = False,
    use_slurm: bool = False,
    timeout: float | None = None,
    monitor: bool = True,
) -> BenchmarkResults:
    """Benchmark the models of scripts and model files, as ``turnkey FILE...`` does.

    Args:
        input_files: Scripts and model files; also patterns, ``.txt`` lists and ``FILE::HASH``.
        device: What runs the models; by default the processor of this machine.
        runtime: The software that runs them, or several; by default the device's first.
        sequence: The stages before it, by name or as a `Sequence`; by default the runtime's.
        iterations: How many inferences are timed; by default 100.
        rt_args: Arguments of the runtime, by name.
        cache_dir: Where builds are kept; by default ``TURNKEY_CACHE_DIR``, else
            ``~/.cache/turnkey``.
        labels: Keep only scripts with these labels: values by key, or ``key::value`` texts.
        rebuild: ``if_needed``, ``always`` or ``never``.
        script_args: What the scripts are given, as one text.
        max_depth: How deep modules inside models are models, too; by default 0, not at all.
        onnx_opset: Of the ONNX files that stages make.
        analyze_only: Only find the models.
        build_only: Find and build, but do not benchmark.
        lean_cache: Delete what was built when a model is done.
        process_isolation: Run each input in a process of its own.
        use_slurm: Run each input as a Slurm job.
        timeout: What one input may take in seconds, with one of the two before; by default
            ``TURNKEY_TIMEOUT_SECONDS``, else 3600.
        monitor: Whether progress and results are printed.

    Returns:
        The results in order; ``failures`` says what went wrong, ``models`` what was found.

    Raises:
        UsageError: The arguments are wrong; nothing was run.
    """
    registry = load_registry()
    words = _files_from(input_files)
    given = {
        "--device": device,
        "--runtime": _runtime_from(runtime),
        "--iterations": iterations,
        "--rt-args": _words_from(rt_args),
        "--script-args": script_args,
        "--max-depth": max_depth,
        "--onnx-opset": onnx_opset,
    }
    name = _sequence_name(sequence)
    request = RunRequest(
        GlobalOptions(
            tuple(map(str, words)),
            path_from(cache_dir, "cache_dir"),
            _labels_from(labels),
            rebuild=rebuild_from(rebuild),
            lean_cache=lean_cache,
        ),
        shorthand={key: value for key, value in given.items() if value not in (None, ())},
        title="benchmark_files",
        default_chain=DefaultChainOptions(name, analyze_only, build_only),
        execution=ExecutionOptions(
            process_isolation=process_isolation,
            use_slurm=use_slurm,
            timeout=timeout,
            verbosity="auto" if monitor else "quiet",
        ),
    )
    requests = [request]
    silent = Console(io.StringIO(), io.StringIO())
    if isinstance(sequence, Sequence):
        requests = _with_stages(request, sequence, registry)
        for one in requests:
            # All are checked before the first one runs.
            run(replace(one, options=replace(one.options, dry_run=True)), registry, silent)
    with Console() if monitor else silent as console:
        reports = [job for one in requests for job in run(one, registry, console).jobs]
    return BenchmarkResults(reports)


def _with_stages(request: RunRequest, stages: Sequence, registry: Registry) -> list[RunRequest]:
    """Write the chain out, which begins differently for each kind of file."""
    labels = parse_labels(request.options.labels)
    sources = find_sources(request.options.input_files, labels=labels)
    chain = request.default_chain
    last: Stages = [] if chain.build_only else [Step(_BENCHMARK)]
    rest: Stages = [] if chain.analyze_only else [stages, *last]
    found = []
    for suffix in dict.fromkeys(source.suffix for source in sources):
        words = tuple(
            "::".join([str(s.path), *([",".join(s.hashes)] if s.hashes else [])])
            for s in sources
            if s.suffix == suffix
        )
        first = Step(first_tool_for(suffix, registry).name)
        options = replace(request.options, input_files=words)
        found.append(replace(request, options=options, steps=[first, *rest]))
    return found


@overload
def benchmark_model(
    model: object,
    inputs: Any = None,
    *,
    device: str | None = ...,
    runtime: str | None = ...,
    sequence: str | Sequence | None = ...,
    iterations: int | None = ...,
    rt_args: Mapping[str, Any] | None = ...,
    build_name: str | None = ...,
    cache_dir: str | Path | None = ...,
    rebuild: str = ...,
    onnx_opset: int | None = ...,
    build_only: Literal[False] = False,
    lean_cache: bool = ...,
    monitor: bool | None = ...,
) -> MeasuredPerformance: ...


@overload
def benchmark_model(
    model: object,
    inputs: Any = None,
    *,
    device: str | None = ...,
    runtime: str | None = ...,
    sequence: str | Sequence | None = ...,
    iterations: int | None = ...,
    rt_args: Mapping[str, Any] | None = ...,
    build_name: str | None = ...,
    cache_dir: str | Path | None = ...,
    rebuild: str = ...,
    onnx_opset: int | None = ...,
    build_only: bool,
    lean_cache: bool = ...,
    monitor: bool | None = ...,
) -> MeasuredPerformance | None: ...


def benchmark_model(
    model: object,
    inputs: Any = None,
    *,
    device: str | None = None,
    runtime: str | None = None,
    sequence: str | Sequence | None = None,
    iterations: int | None = None,
    rt_args: Mapping[str, Any] | None = None,
    build_name: str | None = None,
    cache_dir: str | Path | None = None,
    rebuild: str = "if_needed",
    onnx_opset: int | None = None,
    build_only: bool = False,
    lean_cache: bool = False,
    monitor: bool | None = None,
) -> MeasuredPerformance | None:
    """Benchmark a model that a script has made.

    Args:
        model: A ``torch.nn.Module``, the path of an ``.onnx`` file, or anything that an installed
            plugin recognises.
        inputs: As the model is called: a mapping of keyword arguments, a tuple or list of
            positional ones, or one argument.
        device: What runs the model; by default the processor of this machine.
        runtime: The software that runs it; by default the device's first.
        sequence: The stages before it, by name or as a `Sequence`; by default the runtime's.
        iterations: How many inferences are timed; by default 100.
        rt_args: Arguments of the runtime, by name.
        build_name: Of the build in the cache; by default the name of the running script.
        cache_dir: Where builds are kept; by default ``TURNKEY_CACHE_DIR``, else
            ``~/.cache/turnkey``.
        rebuild: ``if_needed``, ``always`` or ``never``.
        onnx_opset: Of the ONNX files that stages make.
        build_only: Build, but do not benchmark.
        lean_cache: Delete what was built in the end.
        monitor: Whether progress and the result are shown; by default yes, unless
            ``TURNKEY_BUILD_MONITOR`` is ``False``.

    Returns:
        What was measured: ``mean_latency`` in ``latency_units``, ``throughput`` in
        ``throughput_units``, and more; None with ``build_only``.

    Raises:
        UsageError: The arguments are wrong; nothing was run.
        BuildError: A stage or the benchmark failed; the message says why.
    """
    given = {
        "--device": device,
        "--runtime": runtime,
        "--iterations": iterations,
        "--rt-args": _words_from(rt_args),
        "--onnx-opset": onnx_opset,
    }
    shorthand = {key: value for key, value in given.items() if value not in (None, ())}
    how = ModelRun(
        build_name, cache_dir, rebuild, monitor, lean_cache=lean_cache, shorthand=shorthand
    )
    if build_only:
        run_model(model, inputs, build_stages(model, sequence, load_registry()), how)
        return None
    benchmark = Step(_BENCHMARK)
    stages: Stages = [benchmark] if sequence is None else [sequence, benchmark]
    state = run_model(model, inputs, stages, how)
    return performance_from(state.stats.results[state.shown_results[-1]], state.name)


def _files_from(given: Any) -> list[str | Path]:
    if isinstance(given, (str, Path)):
        return [given]
    files = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(file, (str, Path)) for file in files):
        raise UsageError(f"input_files is a path or a list of paths, not {given!r}.")
    return files


def _runtime_from(given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    if not isinstance(given, (list, tuple)) or not given:
        raise UsageError(f"runtime is a name or a list of names, not {given!r}.")
    return ",".join(map(str, given))


def _sequence_name(given: Any) -> str | None:
    if given is None or isinstance(given, Sequence):
        return None
    if not isinstance(given, str):
        raise UsageError(
            f"sequence is a name or a Sequence, not {given!r}.",
            hint="Several steps: Sequence('export-pytorch', 'optimize-onnx').",
        )
    return given


def _labels_from(given: Any) -> tuple[str, ...]:
    """Write labels as ``--labels`` has them."""
    words = [given] if isinstance(given, str) else given
    if isinstance(given, Mapping):
        words = [f"{key}::{_joined(value)}" for key, value in given.items()]
    if words is None:
        return ()
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise UsageError(
            f"labels is a mapping of names to values, not {given!r}.",
            hint="For example: labels={'task': 'text_generation'}, or ['task::text_generation']",
        )
    return tuple(words)


def _joined(values: Any) -> str:
    return ",".join(map(str, values if isinstance(values, (list, tuple)) else [values]))


def _words_from(rt_args: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Write runtime arguments as ``--rt-args`` has them."""
    words = []
    if not isinstance(rt_args, (Mapping, type(None))):
        raise UsageError(
            f"rt_args is a mapping of names to values, not {rt_args!r}.",
            hint="For example: rt_args={'threads': 1}",
        )
    for key, value in (rt_args or {}).items():
        if value is True:
            words.append(key)
        elif isinstance(value, (list, tuple)):
            words.append(f"{key}::[{','.join(map(str, value))}]")
        elif value is not None:
            words.append(f"{key}::{value}")
    return tuple(words)
