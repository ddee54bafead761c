"""The tool `benchmark`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from turnkeyml.artifacts import Artifact
from turnkeyml.cache.atomic import open_replaced
from turnkeyml.device import Device, DeviceInfo, default_device, resolve_device, runtimes_for
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.plugins.records import RuntimeRecord
from turnkeyml.plugins.registry import Registry
from turnkeyml.rt_args import convert_rt_args, parse_rt_args
from turnkeyml.runtime import (
    BaseRT,
    MeasuredPerformance,
    ModelInputs,
    RuntimeContext,
    RuntimeStats,
    check_performance,
    opened,
)
from turnkeyml.state import State
from turnkeyml.tool import HOST, Contract, Tool
from turnkeyml.worker.environments import Environment, check_version, python_in
from turnkeyml_plugin_benchmark.choices import (
    CURRENT,
    arguments_for,
    check_own_environment,
    names_in,
    open_environment,
    percent_from,
    with_threads,
)
from turnkeyml_plugin_benchmark.options import BenchmarkOptions
from turnkeyml_plugin_benchmark.repeats import combine

_SAMPLES_SCHEMA = 2


class Benchmark(Tool):
    """Measure a model's latency and throughput on a device with a runtime.

    Reported are the mean latency of one inference in milliseconds, transfers between host and
    device included, and the throughput in inferences per second (a batch is one inference).
    Beside them the statistics of the build keep the median, spread, percentiles where there are
    enough samples, load time, first inference, and a verdict on whether the numbers can be
    trusted. The raw samples are kept in the folder benchmark/ of the build directory.

    --iterations are timed exactly, unless --min-duration or --until-ci ask for more. Several
    runtimes, as in --runtime ort,torch-eager, are measured one after the other; one that fails does
    not end the others. So are several versions of one, as in --rt-version 1.20.1,current.

    If the chain has not made what the runtime needs, the runtime's default sequence is put in.
    """

    name = "benchmark"
    Options = BenchmarkOptions
    ends_chain = False

    @classmethod
    def expand(cls, options: BenchmarkOptions, registry: Registry) -> tuple[BenchmarkOptions, ...]:
        """Make a step of each runtime, or each version of one, that is named."""
        names = names_in(options.runtime)
        versions = names_in(options.rt_version)
        if len(names) > 1 and versions:
            raise PlanError(
                "--rt-version is for one runtime, and several are named.",
                hint="Give benchmark once for each of them.",
            )
        steps = [
            replace(options, runtime=name, rt_args=arguments_for(name, names, options.rt_args))
            for name in names
        ] or [options]
        return tuple(
            replace(step, rt_version=None if version == CURRENT else version)
            for step in steps
            for version in versions or (step.rt_version,)
        )

    @classmethod
    def resolve(cls, options: BenchmarkOptions, registry: Registry) -> BenchmarkOptions:
        """Choose device and runtime, and check that they and the arguments go together."""
        device = Device.parse(options.device) if options.device else default_device(registry)
        if options.runtime is not None:
            record = registry.runtime(options.runtime)
        else:
            candidates = runtimes_for(device, registry)
            if not candidates:
                known = device.family in registry.devices
                if not known:
                    raise registry.unknown("device", device.family, registry.devices)
                raise PlanError(
                    f"No installed runtime supports the device {device.family!r}.",
                    hint="Install one, for example: pip install turnkeyml-plugin-onnxrt",
                )
            record = candidates[0]
        device = resolve_device(device, record, registry)
        percent_from(options.until_ci)
        runtime_class = _runtime_class(record)
        words = with_threads(record.name, runtime_class, options.threads, options.rt_args)
        convert_rt_args(record.name, runtime_class, parse_rt_args(words))
        return replace(
            options,
            device=str(device),
            runtime=record.name,
            rt_args=words,
            threads=None,
            rt_env=_environment_path(options, record.name, runtime_class),
        )

    @classmethod
    def contract(cls, options: BenchmarkOptions, registry: Registry) -> Contract:
        """Take what the runtime runs, and have its device for itself unless that is shared."""
        record = registry.runtime(str(options.runtime))
        device = Device.parse(str(options.device))
        info = _device_info(device, registry)
        alone_on = HOST if info is None or info.is_host else device.family
        return Contract(
            (record.consumes,),
            default_sequence=record.default_sequence,
            environment=record.environment,
            alone_on=None if options.share_device else alone_on,
        )

    def run(self, state: State, options: BenchmarkOptions) -> State:
        """Measure the newest artifact that the runtime takes."""
        registry = state.context.registry
        record = registry.runtime(str(options.runtime))
        device = Device.parse(str(options.device))
        info = _device_info(device, registry)
        if info is not None and not info.is_present():
            raise BuildError(f"This machine has no {device.family} device.", hint=_why_absent(info))
        runtime_class = _runtime_class(record)
        cache = state.context.cache.path
        environment = open_environment(runtime_class, options.rt_env, options.rt_version, cache)
        if record.requirement_check is not None and environment is None:
            record.requirement_check.load()()
        stats = RuntimeStats()
        given = parse_rt_args(options.rt_args)
        state_before = dict(info.state()) if info is not None else {}
        arguments = convert_rt_args(record.name, runtime_class, given)
        context = replace(
            _context(state, options, record, stats),
            threads=arguments.get("threads"),
            python=environment.python if environment is not None else None,
        )
        runs = []
        for _ in range(options.repeat):
            with opened(runtime_class, context, arguments) as runtime:
                runs.append(check_performance(runtime.benchmark(), record.name))
        state_after = dict(info.state()) if info is not None else {}
        _save(
            state,
            options,
            record,
            runs,
            {
                **stats.values,
                **_chosen(context, environment),
                "device_state_before": state_before,
                "device_state_after": state_after,
            },
        )
        return state


def _environment_path(
    options: BenchmarkOptions, runtime: str, runtime_class: type[BaseRT]
) -> str | None:
    """Check the choice of an environment, and give the path of one that exists."""
    if options.rt_env is None and options.rt_version is None:
        return None
    check_own_environment(runtime, runtime_class)
    if options.rt_version is not None:
        check_version(options.rt_version)
        if options.rt_env is not None:
            raise PlanError("--rt-env and --rt-version each choose an environment; give one.")
        return None
    return str(python_in(Path(str(options.rt_env))))


def _chosen(context: RuntimeContext, environment: Environment | None) -> dict[str, Any]:
    """Give what decides the numbers besides model, device and runtime."""
    found: dict[str, Any] = {}
    if context.threads is not None:
        found["threads"] = context.threads
    if environment is not None:
        found["environment"] = {
            "python": str(environment.python),
            "python_version": environment.python_version,
            "packages": dict(environment.packages),
        }
    return found


def _runtime_class(record: RuntimeRecord) -> type[BaseRT]:
    return record.ref.load_class(BaseRT)


def _why_absent(info: type[DeviceInfo]) -> str | None:
    """Give what a device's own package says of its absence, such as a driver that is missing."""
    try:
        info.full_name()
    except BuildError as error:
        return str(error)
    return None


def _device_info(device: Device, registry: Registry) -> type[DeviceInfo] | None:
    ref = registry.devices[device.family].ref
    return ref.load_class(DeviceInfo) if ref is not None else None


def _context(
    state: State,
    options: BenchmarkOptions,
    record: RuntimeRecord,
    stats: RuntimeStats,
) -> RuntimeContext:
    artifact = state.input
    device = Device.parse(str(options.device))
    if artifact.is_file:
        model: Any = state.file_of(artifact)
        inputs: Any = _inputs_of(state, artifact)
    else:
        model, inputs = artifact.live.module, artifact.live.arguments()
    return RuntimeContext(
        cache_dir=state.context.cache.path,
        build_name=state.name,
        stats=stats,
        iterations=options.iterations,
        model=model,
        inputs=inputs,
        device=device,
        device_info=_device_info(device, state.context.registry),
        runtime=record.name,
        output_dir=state.folder(f"benchmark/{record.name}"),
        environment=record.environment,
        schedule={
            "min_duration_s": options.min_duration,
            "until_ci": percent_from(options.until_ci),
            "warm_up": options.warm_up,
        },
    )


def _inputs_of(state: State, artifact: Artifact) -> ModelInputs:
    folder = artifact.info.get("inputs_folder")
    names = artifact.info.get("inputs")
    if not isinstance(folder, str) or not isinstance(names, dict):
        raise BuildError(
            f"The {artifact.kind} of {state.name} comes without inputs.",
            hint="Start from its file with load-onnx, which makes inputs.",
        )
    return ModelInputs(state.build.path / folder, names)


def _unusual(options: BenchmarkOptions) -> dict[str, Any]:
    """Give the options of measuring that are not at their defaults: they make another result."""
    defaults = BenchmarkOptions()
    names = (
        *("warm_up", "min_duration", "until_ci", "repeat"),
        *("share_device", "rt_version", "rt_env"),
    )
    return {
        name: getattr(options, name)
        for name in names
        if getattr(options, name) != getattr(defaults, name)
    }


def _per_item(state: State, throughput: float) -> dict[str, Any]:
    """Tell the throughput also per item of the batch, where a sweep says how large that is."""
    text = state.source.parameters.get("batch_size", "")
    if not (text.isascii() and text.isdigit()):
        return {}
    return {"batch_size": int(text), "throughput_items_per_s": throughput * int(text)}


def _save(
    state: State,
    options: BenchmarkOptions,
    record: RuntimeRecord,
    runs: Sequence[MeasuredPerformance],
    more: dict[str, Any],
) -> None:
    found = combine(runs)
    artifact = state.input
    identity = {
        "artifact": artifact.files[0].sha256 if artifact.is_file else state.model.digest,
        "artifact_kind": artifact.kind,
        "artifact_step": artifact.step,
        "device": options.device,
        "runtime": record.name,
        "rt_args": list(options.rt_args),
        "iterations": options.iterations,
        **_unusual(options),
    }
    if options.rt_env is not None:
        # What is in it may become another version.
        identity["rt_version"] = found.runtime_version
    shown = {key: more[key] for key in record.status_stats if key in more}
    values = {
        "device_name": found.device,
        "runtime_version": found.runtime_version,
        "mean_latency_ms": found.mean_latency,
        "throughput_ips": found.throughput,
        **_per_item(state, found.throughput),
        "verdict": found.verdict,
        "verdict_reasons": list(found.verdict_reasons),
        **found.statistics,
        "facts": dict(found.facts),
        **more,
        "status_stats": shown,
        "measured_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    key = state.stats.save_result(identity, values)
    state.shown_results.append(key)
    samples = [dict(run.samples) for run in runs]
    if any(samples):
        path = state.folder("benchmark") / f"samples-{key}.json"
        with open_replaced(path) as file:
            json.dump({"schema": _SAMPLES_SCHEMA, "unit": "ns", "runs": samples}, file)
        state.stats.results[key]["samples_file"] = f"benchmark/{path.name}"
