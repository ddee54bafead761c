"""A runtime under test: its class, its arguments, and runs of it that several rules look at."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from turnkeyml.artifacts import Artifact
from turnkeyml.device import Device, DeviceInfo, resolve_device
from turnkeyml.errors import PlanError
from turnkeyml.execution.capture import output_to
from turnkeyml.plugins.records import RuntimeRecord
from turnkeyml.plugins.registry import Registry
from turnkeyml.rt_args import convert_rt_args, parse_rt_args
from turnkeyml.runtime import (
    BaseRT,
    MeasuredPerformance,
    ModelInputs,
    RuntimeContext,
    RuntimeOutputs,
    RuntimeStats,
    check_performance,
    opened,
)
from turnkeyml.state import State
from turnkeyml.testing.feeding import ToolInputs, make_state
from turnkeyml.testing.rules import NotApplicable
from turnkeyml.testing.surroundings import differences, look
from turnkeyml.testing.tool_subject import files_in, inside, variables_set

WAYS = ("infer", "_execute", "benchmark")
"""The methods of `BaseRT` of which a runtime overrides at least one, or names a worker."""


_PRINTED = "printed.txt"


class Sabotage(Exception):  # noqa: N818 - it is made on purpose
    """Raised in the middle of a benchmark, to see what is left."""


@dataclass
class RuntimeJournal:
    """What the core called, in order.

    Args:
        fail_in: The method after which the benchmark is made to fail, if any.
        calls: Names of methods.
        undone: What came out of ``_teardown``.
    """

    fail_in: str | None = None
    calls: list[str] = field(default_factory=list)
    undone: list[BaseException] = field(default_factory=list)


@dataclass(frozen=True)
class RuntimeRun:
    """One use of the runtime under test.

    Args:
        context: What it was told.
        journal: What was called.
        result: What `benchmark` or `outputs` gave, if they ended well.
        error: What was raised instead.
        seconds: What it took, from making the object to its teardown.
        changed: What it left changed in this process.
        strays: Files that it left outside its folder.
    """

    context: RuntimeContext
    journal: RuntimeJournal
    result: Any
    error: BaseException | None
    seconds: float
    changed: tuple[str, ...]
    strays: tuple[str, ...]

    @property
    def found(self) -> MeasuredPerformance:
        """What was measured.

        Raises:
            NotApplicable: Nothing was.
        """
        if not isinstance(self.result, MeasuredPerformance):
            raise NotApplicable("It does not measure its model.")
        return self.result

    @property
    def stats(self) -> Mapping[str, Any]:
        """What it left as statistics of its own."""
        return self.context.stats.values


@dataclass(frozen=True)
class RuntimeSubject:
    """A runtime that is installed.

    Args:
        record: As it is registered.
        registry: Everything that is installed.
        scratch: A folder for what checking needs.
        inputs: The model that it runs.
        rt_args: Lists of words as after ``--rt-args`` to try it with; at least one.
        device: The device, as after ``--device``; by default the first that is present.
        iterations: Timed iterations.
    """

    record: RuntimeRecord
    registry: Registry
    scratch: Path
    inputs: ToolInputs
    rt_args: tuple[tuple[str, ...], ...] = ((),)
    device: str | None = None
    iterations: int = 12

    @property
    def name(self) -> str:
        """The runtime's name."""
        return self.record.name

    @cached_property
    def runtime(self) -> type[BaseRT]:
        """Its class."""
        return self.record.ref.load_class(BaseRT)

    def overrides(self, method: str) -> bool:
        """Tell whether the class has a method of its own instead of that of `BaseRT`."""
        return getattr(self.runtime, method) is not getattr(BaseRT, method)

    @property
    def hands_over_samples(self) -> bool:
        """Whether the core measures it, here or in a worker."""
        in_core = not self.overrides("benchmark")
        return in_core and (self.runtime.worker is not None or self.overrides("infer"))

    def arguments(self, words: tuple[str, ...]) -> dict[str, Any]:
        """Convert words as after ``--rt-args``."""
        return convert_rt_args(self.name, self.runtime, parse_rt_args(words))

    @cached_property
    def chosen(self) -> tuple[Device, type[DeviceInfo] | None]:
        """The device that it is run on, and what is known of it.

        Raises:
            NotApplicable: This machine has none that it supports, or its own check says so.
        """
        families = [self.device] if self.device is not None else list(self.record.devices)
        for text in families:
            device = resolve_device(Device.parse(text), self.record, self.registry)
            ref = self.registry.devices[device.family].ref
            info = ref.load_class(DeviceInfo) if ref is not None else None
            if info is None or info.is_present():
                break
        else:
            raise NotApplicable(f"This machine has no {' or '.join(families)}.")
        if self.record.requirement_check is not None:
            try:
                self.record.requirement_check.load()()
            # It is foreign code, and says by raising that the runtime cannot be used here.
            except Exception as error:
                raise NotApplicable(f"Its requirement_check says: {error}") from error
        return device, info

    @cached_property
    def runs(self) -> list[RuntimeRun]:
        """A benchmark for each list of arguments."""
        return [self.use(words) for words in self.rt_args]

    @cached_property
    def broken_off(self) -> RuntimeRun:
        """A benchmark that is made to fail in the middle."""
        return self.use(self.rt_args[0], fail_in=self._middle())

    @cached_property
    def refused(self) -> RuntimeRun:
        """A benchmark of a model that cannot be loaded."""
        return self.use(self.rt_args[0], broken=True)

    @cached_property
    def computed(self) -> RuntimeRun:
        """What it computes, in the folder ``outputs`` of its own folder."""

        def once(runtime: BaseRT) -> RuntimeOutputs:
            return runtime.outputs(Path(runtime.output_dir) / "outputs")

        return self.use(self.rt_args[0], task=once)

    def _middle(self) -> str:
        for method in WAYS:
            if self.overrides(method) and self.runtime.worker is None:
                return method
        return "benchmark"

    def use(
        self,
        words: tuple[str, ...],
        *,
        broken: bool = False,
        fail_in: str | None = None,
        task: Callable[[BaseRT], Any] | None = None,
    ) -> RuntimeRun:
        """Make a runtime, set it up, let it do something and tear it down.

        Args:
            words: Its arguments.
            broken: Whether its model cannot be loaded.
            fail_in: The method after which it is made to fail.
            task: What it does; by default it measures.

        Raises:
            NotApplicable: It cannot be used here.
        """
        arguments = self.arguments(words)
        folder = self.scratch / f"use-{secrets.token_hex(4)}"
        work = folder / "work"
        work.mkdir(parents=True)
        state = self._state(folder, broken=broken)
        context = self.context(state)
        journal = RuntimeJournal(fail_in)
        watched = watch_runtime(self.runtime, journal)
        kept = files_in(folder)
        result, error = None, None
        with variables_set(self.record.environment), inside(work):
            before = look()
            start = time.perf_counter()
            with output_to(folder / _PRINTED):
                try:
                    with opened(watched, context, arguments) as runtime:
                        result = (task or self._measure)(runtime)
                # Whatever a runtime raises is what is looked at; Ctrl-C passes.
                except (Exception, SystemExit) as raised:  # noqa: BLE001
                    error = raised
            seconds = time.perf_counter() - start
            changed = differences(before)
        own = context.output_dir.relative_to(folder).as_posix()
        now = files_in(folder)
        strays = tuple(
            name
            for name in sorted({*kept, *now} - {_PRINTED})
            if kept.get(name) != now.get(name) and not name.startswith(f"{own}/")
        )
        return RuntimeRun(context, journal, result, error, seconds, tuple(changed), strays)

    def _measure(self, runtime: BaseRT) -> MeasuredPerformance:
        return check_performance(runtime.benchmark(), self.name)

    def _state(self, folder: Path, *, broken: bool) -> State:
        kinds = (self.record.consumes,)
        feed = self.inputs.broken_feed(kinds) if broken else self.inputs.feed(kinds)
        state = make_state(folder, self.registry)
        feed(state)
        state.begin_step("benchmark", "1" * 8, kinds)
        return state

    def context(self, state: State) -> RuntimeContext:
        """Tell the runtime what it is to do, as the tool `benchmark` does."""
        artifact = state.input
        device, info = self.chosen
        model: Any
        inputs: Any
        if artifact.is_file:
            model, inputs = state.file_of(artifact), _inputs_of(state, artifact)
        else:
            model, inputs = artifact.live.module, artifact.live.arguments()
        return RuntimeContext(
            cache_dir=state.context.cache.path,
            build_name=state.name,
            stats=RuntimeStats(),
            iterations=self.iterations,
            model=model,
            inputs=inputs,
            device=device,
            device_info=info,
            runtime=self.name,
            output_dir=state.folder(f"benchmark/{self.name}"),
            environment=self.record.environment,
        )

    def without_model(self) -> RuntimeContext:
        """Give a context whose model is a file that is not there."""
        folder = self.scratch / f"init-{secrets.token_hex(4)}"
        context = self.context(self._state(folder, broken=False))
        missing = ModelInputs(folder / "nothing", {"x": "x"})
        return replace(context, model=folder / "nothing.onnx", inputs=missing)


def _inputs_of(state: State, artifact: Artifact) -> ModelInputs:
    names, place = artifact.info.get("inputs", {}), artifact.info.get("inputs_folder", "inputs")
    return ModelInputs(state.build.path / place, names)


def watch_runtime(runtime: type[BaseRT], journal: RuntimeJournal) -> type[BaseRT]:
    """Give a class that does the same, and notes what is called."""

    def note(name: str) -> Callable[..., Any]:
        original = getattr(runtime, name)

        def call(self: BaseRT, *args: Any, **kwargs: Any) -> Any:
            journal.calls.append(name)
            result = original(self, *args, **kwargs)
            if journal.fail_in == name:
                raise Sabotage("made to fail by the conformance kit")
            return result

        return call

    def undo(self: BaseRT) -> None:
        journal.calls.append("_teardown")
        try:
            runtime._teardown(self)
        except BaseException as error:
            journal.undone.append(error)
            raise

    # The core sees from what is overridden how to measure, so only that is overridden here.
    own = [name for name in WAYS if getattr(runtime, name) is not getattr(BaseRT, name)]
    if journal.fail_in == "benchmark":
        own.append("benchmark")
    methods = {name: note(name) for name in ("_setup", *own)}
    place = {"__module__": runtime.__module__, "__qualname__": runtime.__qualname__}
    return type(runtime.__name__, (runtime,), {**methods, "_teardown": undo, **place})


@contextmanager
def quietly(folder: Path) -> Iterator[None]:
    """Send what is printed into a file of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with output_to(folder / _PRINTED):
        yield


def unknown_argument(runtime: type[BaseRT], name: str) -> PlanError | None:
    """Give the error for a runtime argument that no runtime has, if it is refused."""
    try:
        convert_rt_args(name, runtime, {"no_such_argument_at_all": "1"})
    except PlanError as error:
        return error
    return None
