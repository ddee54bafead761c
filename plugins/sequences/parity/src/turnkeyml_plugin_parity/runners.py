"""Which installed runtime can say what an artifact computes, and letting it do so."""

from __future__ import annotations

import functools
import re
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.device import (
    Device,
    DeviceInfo,
    default_device,
    resolve_device,
    runtimes_for,
)
from turnkeyml.errors import TurnkeyError, UsageError
from turnkeyml.execution.chain import describe
from turnkeyml.rt_args import convert_rt_args, parse_rt_args
from turnkeyml.runtime import (
    BaseRT,
    ModelInputs,
    RuntimeContext,
    RuntimeOutputs,
    RuntimeStats,
    opened,
    returns_outputs,
)
from turnkeyml_plugin_parity.results import Unable

if TYPE_CHECKING:
    from turnkeyml.artifacts import Artifact
    from turnkeyml.plan import Plan
    from turnkeyml.plugins.records import RuntimeRecord
    from turnkeyml.plugins.registry import Registry
    from turnkeyml.state import State


class RefusedError(Exception):
    """A runtime could not run an artifact; says why, as a sentence."""


class ArgumentsRefusedError(Unable):
    """A runtime can run an artifact, but not with the arguments that the user gives it."""


@dataclass(frozen=True)
class Runner:
    """A runtime that is here and able.

    Args:
        record: The runtime.
        runtime_class: Its class.
        device: What it runs on.
        device_info: What is known of that device, if a package describes it.
        rt_args: Its arguments, as words of ``--rt-args``.
    """

    record: RuntimeRecord
    runtime_class: type[BaseRT]
    device: Device
    device_info: type[DeviceInfo] | None
    rt_args: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The runtime's name."""
        return self.record.name

    def identity(self) -> list[Any]:
        """Give what decides its outputs: its versions, device and arguments."""
        return [self.name, software_of(self.record), str(self.device), list(self.rt_args)]


@dataclass(frozen=True)
class _Wish:
    """A runtime as a chain names it, or as the machine offers it."""

    record: RuntimeRecord
    device: Device
    rt_args: tuple[str, ...] = ()


def find_runner(kind: str, registry: Registry, plan: Plan | None) -> Runner:
    """Choose the runtime that the chain benchmarks with, else the first that is able.

    Args:
        kind: What it has to run.
        registry: What is installed.
        plan: The chain, if it is known.

    Raises:
        Unable: None can; says why.
    """
    reasons: dict[str, str] = {}
    for wish in _wishes(registry, plan):
        where = f"{wish.record.name} on {wish.device.family}"
        if wish.record.consumes != kind or where in reasons:
            continue
        try:
            return _runner_from(wish, registry)
        except Unable as why:
            reasons[where] = str(why)
    if not reasons:
        raise Unable(f"No installed runtime takes {kind}.")
    told = "; ".join(f"{where}: {why}" for where, why in reasons.items())
    raise Unable(f"No installed runtime can say what it computes ({told}).")


def _wishes(registry: Registry, plan: Plan | None) -> Iterator[_Wish]:
    for step in plan.steps if plan is not None else ():
        runtime = getattr(step.options, "runtime", None)
        device = getattr(step.options, "device", None)
        if isinstance(device, str) and isinstance(runtime, str) and runtime in registry.runtimes:
            given = getattr(step.options, "rt_args", ())
            with suppress(TurnkeyError):
                yield _Wish(registry.runtimes[runtime], Device.parse(device), tuple(given))
    with suppress(TurnkeyError):
        here = default_device(registry)
        for record in runtimes_for(here, registry):
            yield _Wish(record, here)
    for record in sorted(registry.runtimes.values(), key=lambda r: r.name):
        for family in record.devices:
            if registry.devices[family].ref is not None:
                yield _Wish(record, Device(family))


def _runner_from(wish: _Wish, registry: Registry) -> Runner:
    """Check that a runtime is able here.

    Raises:
        Unable: It is not.
    """
    record = wish.record
    try:
        runtime_class = record.ref.load_class(BaseRT)
        if not returns_outputs(runtime_class):
            raise Unable("it measures, and returns no outputs")
        device = resolve_device(wish.device, record, registry)
        ref = registry.devices[device.family].ref
        info = ref.load_class(DeviceInfo) if ref is not None else None
        if info is not None and not info.is_present():
            raise Unable(f"this machine has no {device.family} device")
        if record.requirement_check is not None:
            record.requirement_check.load()()
    except Unable:
        raise
    except TurnkeyError as error:
        raise Unable(error.message.rstrip(".")) from error
    # Checks of a plugin are foreign code, which may raise anything.
    except Exception as error:
        raise Unable(describe(error)) from error
    return Runner(record, runtime_class, device, info, wish.rt_args)


def run(runner: Runner, artifact: Artifact, state: State, folder: Path) -> RuntimeOutputs:
    """Run an artifact once on its captured inputs.

    Args:
        runner: What runs it.
        artifact: A file, or a live model with its inputs.
        state: The build that it belongs to.
        folder: Where the outputs are to be; it may not exist yet.

    Raises:
        RefusedError: The runtime could not.
        ArgumentsRefusedError: It could not with its arguments, and could without them.
        Unable: It gives no outputs, or the artifact comes without inputs.
    """
    try:
        return _run(runner, artifact, state, folder)
    except RefusedError as refusal:
        if not runner.rt_args:
            raise
        # Which of the two is at fault, only running it without the arguments can tell.
        plain = replace(runner, rt_args=())
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=folder.parent) as other:
            try:
                _run(plain, artifact, state, Path(other, "outputs"))
            except Unable:
                raise refusal from None
        words, reason = " ".join(runner.rt_args), str(refusal).rstrip(".")
        raise ArgumentsRefusedError(
            f"{runner.name} can run it, but not with --rt-args {words}: {reason}."
        ) from refusal


def _run(runner: Runner, artifact: Artifact, state: State, folder: Path) -> RuntimeOutputs:
    scratch = folder.with_name(f"{folder.name}-runtime")
    scratch.mkdir(parents=True, exist_ok=True)
    context = _context(runner, artifact, state, scratch)
    try:
        given = parse_rt_args(runner.rt_args)
        arguments = convert_rt_args(runner.name, runner.runtime_class, given)
        with opened(runner.runtime_class, context, arguments) as runtime:
            found = runtime.outputs(folder)
    # What is wrong with the command or the runtime's package says nothing of the artifact.
    except UsageError as error:
        raise Unable(error.message) from error
    except TurnkeyError as error:
        raise RefusedError(error.message) from error
    # A runtime is foreign code, which may raise anything.
    except Exception as error:
        traceback.print_exc()
        raise RefusedError(describe(error)) from error
    if found.unavailable:
        raise Unable(f"{runner.name} returns no outputs: {found.unavailable}.")
    return found


def _context(runner: Runner, artifact: Artifact, state: State, scratch: Path) -> RuntimeContext:
    model: Any
    inputs: Any
    if artifact.is_file:
        folder, names = artifact.info.get("inputs_folder"), artifact.info.get("inputs")
        if not isinstance(folder, str) or not isinstance(names, Mapping):
            raise Unable("The artifact comes without inputs to run it with.")
        model = state.file_of(artifact)
        inputs = ModelInputs(state.build.path / folder, names)
    else:
        model, inputs = artifact.live.module, artifact.live.arguments()
    return RuntimeContext(
        cache_dir=state.build.cache,
        build_name=state.name,
        stats=RuntimeStats(),
        iterations=1,
        model=model,
        inputs=inputs,
        device=runner.device,
        device_info=runner.device_info,
        runtime=runner.name,
        output_dir=scratch,
        environment=runner.record.environment,
    )


def software_of(record: RuntimeRecord) -> tuple[str, ...]:
    """Name the versions of a runtime's package and of all that it requires.

    They are read from what is installed, so that nothing heavy is imported to know them.
    """
    return (str(record.provider), *_requirements(record.provider.distribution))


@functools.lru_cache(maxsize=64)
def _requirements(distribution: str) -> tuple[str, ...]:
    try:
        required = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return ()
    found = []
    for text in required:
        match = re.match(r"[A-Za-z0-9._-]+", text)
        if match is not None:
            with suppress(metadata.PackageNotFoundError):
                found.append(f"{match[0]} {metadata.version(match[0])}")
    return tuple(found)
