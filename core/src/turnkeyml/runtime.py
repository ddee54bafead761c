"""The contract of a runtime: software that runs a model on a device and is measured doing it."""

from __future__ import annotations

import inspect
import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from turnkeyml import conditions, measure
from turnkeyml.device_watch import DeviceWatch
from turnkeyml.errors import PluginError
from turnkeyml.performance import (
    LATENCY_UNITS,
    THROUGHPUT_UNITS,
    UNVERIFIED_REASON,
    VERDICT_UNVERIFIED,
    MeasuredPerformance,
    check_performance,
)
from turnkeyml.worker.arrays import raw_tensors
from turnkeyml.worker.process import WorkerOrder, run_worker, run_worker_once
from turnkeyml.worker.tensors import ITEM_SIZES, RawTensor, read_tensors, write_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from turnkeyml.device import Device, DeviceInfo

__all__ = (
    "CONTEXT_NAMES", "LATENCY_UNITS", "THROUGHPUT_UNITS", "UNVERIFIED_REASON", "VERDICT_UNVERIFIED",
    "BaseRT", "MeasuredPerformance", "ModelInputs", "RuntimeContext", "RuntimeOutputs",
    "RuntimeStats", "check_performance", "opened", "returns_outputs",
)  # fmt: skip

CONTEXT_NAMES = (
    "cache_dir", "build_name", "stats", "iterations", "model", "inputs", "device_type", "runtime",
    "output_dir",
)  # fmt: skip
"""What is attached to a runtime before its ``__init__``, and passed to it where it asks."""


@dataclass(frozen=True)
class RuntimeOutputs:
    """What a runtime computed for the captured inputs.

    Args:
        folder: Where the outputs are, by name and in order; see `turnkeyml.worker.tensors`.
        version: Of the software that ran the model, if it says so.
        unavailable: Why there are no outputs, in words; empty if there are.
    """

    folder: Path
    version: str = ""
    unavailable: str = ""


class RuntimeStats:
    """Where a runtime leaves numbers of its own; ``status_stats`` names those to be shown."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def save_model_eval_stat(self, key: str, value: Any) -> None:
        """Keep a number or text under a name of the runtime's choice."""
        self.values[key] = value


@dataclass(frozen=True)
class ModelInputs:
    """The captured inputs of a model that is a file.

    Args:
        folder: Where ``inputs.json`` and ``inputs.bin`` are.
        names: The model file's input names, to the names of captured tensors.
    """

    folder: Path
    names: Mapping[str, str]

    def tensors(self) -> dict[str, RawTensor]:
        """Read the tensors by the model file's input names: dtype, shape and bytes.

        Raises:
            ValueError: The captured inputs are damaged.
        """
        raw = read_tensors(self.folder)
        return {name: raw[leaf] for name, leaf in self.names.items()}


@dataclass(frozen=True)
class RuntimeContext:
    """What a runtime is told about its task.

    Args:
        cache_dir: The cache directory.
        build_name: The build.
        stats: Where it leaves numbers of its own.
        iterations: Timed iterations.
        model: The model's file, or the live object where no build is required.
        inputs: `ModelInputs` for a file; arguments by name for a live object.
        device: The device as chosen and completed.
        device_info: What is known of the device, if a package describes it.
        runtime: The runtime's name.
        output_dir: A folder for the runtime's own files; it exists.
        environment: Variables that the runtime's record asks for.
        schedule: More about how often is timed, by the names of `turnkeyml.measure.Schedule`.
        threads: How many threads compute on the processor, where the user has said so.
        python: The interpreter of another environment in which the worker runs; None: this one's.
    """

    cache_dir: Path
    build_name: str
    stats: RuntimeStats
    iterations: int
    model: Any
    inputs: Any
    device: Device
    device_info: type[DeviceInfo] | None
    runtime: str
    output_dir: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    schedule: Mapping[str, Any] = field(default_factory=dict)
    threads: int | None = None
    python: Path | None = None


class BaseRT(ABC):
    """A runtime. The smallest complete one::

        class ExampleRT(BaseRT):
            def _setup(self):
                import example

                self.session = example.load(self.model)

            def infer(self):
                return self.session.run()

            def device_name(self):
                return "Example NPU"

    There are three ways to write one, from short to long; which one applies is seen from what is
    overridden:

    1. ``infer()`` does one inference, and turnkey measures it. With ``worker = "worker.py"``, a
       file beside the class's module, a fresh process does so (see `turnkeyml.worker.main`).
    2. ``_execute()`` runs an outside program; ``mean_latency()`` and ``throughput()`` read its
       results.
    3. ``benchmark()`` does everything and returns `MeasuredPerformance`.

    ``__init__`` may take keyword arguments: they are what ``--rt-args`` accepts, converted by their
    annotations (text without one). The names in `CONTEXT_NAMES` are attributes already when it
    runs, and are passed to it as far as its signature asks for them. One called ``threads`` is what
    ``--threads`` sets.
    """

    worker: ClassVar[str | None] = None
    worker_packages: ClassVar[tuple[str, ...]] = ()
    """Distributions that ``worker`` imports, the runtime itself first. With them its worker can run
    in an environment of its own, with another version of the first one."""

    cache_dir: Path
    build_name: str
    stats: RuntimeStats
    iterations: int
    model: Any
    inputs: Any
    device_type: str
    runtime: str
    output_dir: Path
    context: RuntimeContext

    def __init__(self, **context: Any) -> None:
        """Take and ignore the context, which is attached already."""

    def _setup(self) -> None:
        """Prepare: called once, before the first use."""

    def _teardown(self) -> None:
        """Undo ``_setup``: called once, also after a failure."""

    def infer(self) -> Any:
        """Run one inference with the captured inputs; give the outputs by name."""
        raise PluginError(f"{type(self).__name__} has no infer().")

    def _execute(self, output_dir: str, onnx_file: str, outputs_file: str, iterations: int) -> None:
        """Run the model ``iterations`` times in a program of its own.

        Args:
            output_dir: Where benchmarking artifacts are.
            onnx_file: The model.
            outputs_file: Where the program's results are expected.
            iterations: How often the model is to be run.
        """
        raise PluginError(f"{type(self).__name__} has no _execute().")

    def mean_latency(self) -> float:
        """Give the mean latency in ms, after ``_execute``."""
        raise PluginError(f"{type(self).__name__} has no mean_latency().")

    def throughput(self) -> float:
        """Give the throughput in inferences per second, after ``_execute``."""
        raise PluginError(f"{type(self).__name__} has no throughput().")

    @abstractmethod
    def device_name(self) -> str:
        """Give the full name of the device that was used."""

    def version(self) -> str:
        """Give the version of the software that runs the model; shown beside its name."""
        return ""

    def worker_arguments(self) -> Mapping[str, Any]:
        """Give what ``worker.py`` needs to know; JSON values."""
        return {}

    def benchmark(self) -> MeasuredPerformance:
        """Measure the model on the device; called between ``_setup`` and ``_teardown``."""
        if self.worker is not None:
            return self._benchmark_in_worker(self.worker)
        if type(self).infer is not BaseRT.infer:
            return self.timed(self.infer)
        outputs_file = Path(self.output_dir) / "outputs.json"
        self._execute(str(self.output_dir), str(self.model), str(outputs_file), self.iterations)
        return self._performance(float(self.mean_latency()), float(self.throughput()))

    def outputs(self, folder: Path) -> RuntimeOutputs:
        """Run the model once and keep what it computes; called as `benchmark` is, instead of it.

        Nothing need be written for it where ``infer()`` gives arrays of NumPy or tensors of
        PyTorch. Other runtimes may override it, with `write_tensors` into the folder.

        Args:
            folder: Where the outputs are to be, by name and in order; it may not exist yet.

        Raises:
            BuildError: The runtime cannot run the model.
        """
        if self.worker is not None:
            order = self._worker_order(self.worker)
            context = self.context
            told = run_worker_once(
                order, folder, environment=context.environment, python=context.python
            )
            version = str(told.facts.get("version", "")) or self.version()
            return RuntimeOutputs(folder, version, told.unavailable)
        given = self.infer()
        try:
            found = raw_tensors(given, sizes=ITEM_SIZES)
        except TypeError as error:
            return RuntimeOutputs(folder, self.version(), str(error))
        write_tensors(folder, {name: RawTensor(*raw) for name, raw in found.items()})
        return RuntimeOutputs(folder, self.version())

    def _benchmark_in_worker(self, worker: str) -> MeasuredPerformance:
        context = self.context
        order = self._worker_order(worker)
        with DeviceWatch(context.device_info) as device:
            device.begin()
            result = run_worker(order, environment=context.environment, python=context.python)
            device.end(*result.window_s)
        return self._measured(device.judged(result.summary), result.facts, result.samples)

    def _worker_order(self, worker: str) -> WorkerOrder:
        module = sys.modules[type(self).__module__]
        return WorkerOrder(
            Path(str(module.__file__)).parent / worker,
            self.model,
            self.inputs.folder,
            self.inputs.names,
            self.iterations,
            self.worker_arguments(),
            self.context.schedule,
        )

    def timed(self, call: Callable[[], Any], *, first_ns: int | None = None) -> MeasuredPerformance:
        """Time a call in this process, as `benchmark` does with ``infer``.

        For a ``benchmark`` of one's own that times something else, and adds what it knows.

        Args:
            call: One inference; its result is dropped.
            first_ns: The time of the first inference, if that was another call already.
        """
        schedule = measure.Schedule(self.iterations, **self.context.schedule)
        with DeviceWatch(self.context.device_info) as device:
            samples = measure.measure(call, schedule, watch=device.with_machine)
        if first_ns is not None:
            earlier = (samples.first_ns, *samples.warm_up_ns)
            samples = replace(samples, first_ns=first_ns, warm_up_ns=earlier)
        summary = measure.summarize(samples, clock_step_ns=conditions.clock_step_ns())
        raw = {
            "first_ns": samples.first_ns,
            "warm_up_ns": samples.warm_up_ns,
            "timed_ns": samples.timed_ns,
        }
        return self._measured(device.judged(summary), {}, raw)

    def _measured(
        self, summary: Mapping[str, Any], facts: Mapping[str, Any], samples: Mapping[str, Any]
    ) -> MeasuredPerformance:
        numbers = dict(summary)
        return self._performance(
            numbers.pop("mean_latency_ms"),
            numbers.pop("throughput_ips"),
            verdict=numbers.pop("verdict"),
            verdict_reasons=tuple(numbers.pop("verdict_reasons")),
            statistics=numbers,
            facts=facts,
            samples=samples,
        )

    def _performance(self, latency: float, throughput: float, **more: Any) -> MeasuredPerformance:
        facts = more.get("facts", {})
        return MeasuredPerformance(
            latency,
            throughput,
            self.device_name(),
            self.device_type,
            self.runtime,
            runtime_version=str(facts.get("version", "")) or self.version(),
            build_name=self.build_name,
            **more,
        )


def returns_outputs(runtime_class: type[BaseRT]) -> bool:
    """Tell whether runtimes of this class can say what a model computes, not only how fast.

    Those that run an outside program, or measure by themselves, cannot unless they override
    `BaseRT.outputs`.
    """
    ways = ("infer", "worker", "outputs")
    return any(getattr(runtime_class, way) is not getattr(BaseRT, way) for way in ways)


@contextmanager
def opened(
    runtime_class: type[BaseRT], context: RuntimeContext, rt_args: Mapping[str, Any]
) -> Iterator[BaseRT]:
    """Make a runtime with its context, set it up, and tear it down whatever happens.

    Args:
        runtime_class: The runtime.
        context: Attached before ``__init__`` runs.
        rt_args: Checked and converted by `turnkeyml.rt_args`.
    """
    runtime = runtime_class.__new__(runtime_class)
    runtime.context = context
    values = {
        **{name: getattr(context, name) for name in CONTEXT_NAMES if name != "device_type"},
        "device_type": str(context.device),
    }
    for name, value in values.items():
        setattr(runtime, name, value)
    parameters = inspect.signature(runtime_class.__init__).parameters.values()
    anything = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
    named = {p.name for p in parameters}
    asked = {name: value for name, value in values.items() if anything or name in named}
    runtime_class.__init__(runtime, **{**asked, **rt_args})
    try:
        runtime._setup()
        yield runtime
    except BaseException:
        # What went wrong first is what counts, also if it leaves nothing that can be torn down.
        try:
            runtime._teardown()
        except Exception:  # noqa: BLE001
            traceback.print_exc()
        raise
    runtime._teardown()
