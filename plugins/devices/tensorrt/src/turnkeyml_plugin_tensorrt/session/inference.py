"""One inference, ready to be called again and again: upload, compute, download, wait."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol

from .blocks import Block, Growing, bytes_for, make_allocator
from .engine import (
    Origin,
    Raw,
    Tensor,
    choose_profile,
    load_engine,
    make_context,
    read_tensors,
    shown,
)
from .gpu import open_gpu, versions
from .library import load_library, make_log, reason_from
from .refusal import RefusalError

PARTS = ("host_to_device_ms", "compute_ms", "device_to_host_ms")
_MAX_PART_RUNS = 50
_GRAPH_HINT = "Leave cuda_graph out of --rt-args."


class Request(Protocol):
    """What is to be run: see ``Request`` in ``turnkeyml/worker/main.py``."""

    model: Path
    inputs: dict[str, Any]
    arguments: dict[str, Any]


class Wish(NamedTuple):
    """What the runtime's class wants of its worker.

    Args:
        module: The library's module.
        title: The library, as messages call it.
        built_with: The version that built the engine; None if it is not known.
        cuda_graph: Whether the computation is launched as a CUDA graph.
        profile: The optimization profile; None: the first that takes the inputs.
        gpu: The GPU's UUID; None: the first that CUDA shows.
        run_on_s: How long the model is run on after it was timed, so that the GPU can be watched.
        part_runs: In how many runs the parts of an inference are timed; 0: they are not.
    """

    module: str
    title: str
    built_with: str | None = None
    cuda_graph: bool = False
    profile: int | None = None
    gpu: str | None = None
    run_on_s: float = 0.0
    part_runs: int = 0


class Session:
    """An engine on a GPU with its inputs.

    ``infer`` is made of calls of CUDA and TensorRT and their checks only, because what is added
    here is added to the latency. Inputs are uploaded and outputs downloaded each time, from and to
    page-locked memory.

    Raises:
        RefusalError: There is no GPU, or the engine cannot be run on it; says why.
    """

    def __init__(self, request: Request) -> None:
        self._wish = Wish(**request.arguments)
        # The driver comes first: without one the libraries below crash.
        self._gpu = open_gpu(self._wish.gpu)
        try:
            self._load(request)
        except BaseException:
            self.close()
            raise

    def _load(self, request: Request) -> None:
        wish, gpu = self._wish, self._gpu
        self._gpu_name, self._capability = gpu.properties()
        self._free_before = gpu.free_bytes()
        self._trt = load_library(wish.module, wish.title)
        self._log = make_log(self._trt)
        origin = Origin(wish.module, wish.title, wish.built_with)
        here = (self._gpu_name, self._capability)
        self._engine = load_engine(self._trt, self._log, request.model, origin, here)
        tensors = read_tensors(self._trt, self._engine)
        inputs = [tensor for tensor in tensors if tensor.is_input]
        self._profile = choose_profile(self._engine, inputs, request.inputs, wish.profile)
        self._context, self._own_graphs = make_context(
            self._trt, self._log, self._engine, cuda_graph=wish.cuda_graph
        )
        self._stream = gpu.stream()
        self._handle = int(self._stream)
        if not self._context.set_optimization_profile_async(self._profile, self._handle):
            raise self._refused(f"use profile {self._profile}")
        gpu.call("cudaStreamSynchronize", self._stream)
        self._upload = self._place_inputs(inputs, request.inputs)
        self._place_outputs([tensor for tensor in tensors if not tensor.is_input])
        self._copies = self._make_copies()
        self._launch = self._make_launch()
        self.infer: Callable[[], None] = self._make_infer()
        self._loaded_bytes = self._free_before - gpu.free_bytes()

    def _place_inputs(self, inputs: list[Tensor], given: Mapping[str, Raw]) -> Block:
        block = Block(self._gpu, {tensor: given[tensor.name].shape for tensor in inputs})
        for tensor in inputs:
            block.view(tensor.name)[:] = bytes_for(tensor, given[tensor.name])
            shape = given[tensor.name].shape
            if tensor.shape != shape and not self._context.set_input_shape(tensor.name, shape):
                raise self._refused(f"take {tensor.name} as {shown(shape)}")
            self._bind(tensor.name, block.address(tensor.name))
        return block

    def _place_outputs(self, outputs: list[Tensor]) -> None:
        try:
            unknown = self._context.infer_shapes()
        except RuntimeError as error:
            self._log.texts.append(str(error))
            raise self._refused("tell its outputs' shapes") from error
        if unknown:
            raise RefusalError(f"The engine is not told enough about {', '.join(unknown)}.")
        self.outputs = [tensor.name for tensor in outputs]
        shapes = {t: tuple(self._context.get_tensor_shape(t.name)) for t in outputs}
        fixed = {tensor: shape for tensor, shape in shapes.items() if min(shape, default=0) >= 0}
        self._download = Block(self._gpu, fixed)
        for tensor in fixed:
            self._bind(tensor.name, self._download.address(tensor.name))
        self._growing = {t.name: Growing(self._gpu, t) for t in outputs if t not in fixed}
        # TensorRT does not keep them alive.
        self._allocators = []
        for name, growing in self._growing.items():
            allocator = make_allocator(self._trt, growing)
            self._allocators.append(allocator)
            if not self._context.set_output_allocator(name, allocator):
                raise self._refused(f"give {name} memory")

    def _bind(self, name: str, address: int) -> None:
        if not self._context.set_tensor_address(name, address):
            raise self._refused(f"take the memory of {name}")

    def _make_launch(self) -> Callable[[], None]:
        """Give what starts the computation: the engine's own launches, or one graph of them."""
        execute, handle = self._context.execute_async_v3, self._handle

        def launch() -> None:
            if not execute(handle):
                raise self._failed()

        if not self._wish.cuda_graph:
            return launch
        if self._growing:
            raise RefusalError(
                f"A CUDA graph is for fixed shapes, and that of the output "
                f"{next(iter(self._growing))} depends on values.",
                _GRAPH_HINT,
            )
        if self._own_graphs:
            return launch
        # TensorRT prepares itself in the first run after shapes were set, which no graph can have;
        # that run needs inputs too, as indices that are anything would reach anywhere.
        self._copies[0]()
        launch()
        self._gpu.call("cudaStreamSynchronize", self._stream)
        try:
            graph = self._gpu.record_graph(self._stream, launch)
        except RefusalError as error:
            reason = error.message.rstrip(".")
            raise RefusalError(
                f"The engine cannot be launched as a CUDA graph: {reason}.", _GRAPH_HINT
            ) from error
        gpu, stream, start = self._gpu, self._stream, self._gpu.api.cudaGraphLaunch

        def launch_graph() -> None:
            status = start(graph, stream)[0]
            if status:
                raise gpu.failure("cudaGraphLaunch", status)

        return launch_graph

    def _make_infer(self) -> Callable[[], None]:
        (upload, download), launch = self._copies, self._launch
        gpu, stream, synchronize = self._gpu, self._stream, self._gpu.api.cudaStreamSynchronize

        def infer() -> None:
            upload()
            launch()
            download()
            status = synchronize(stream)[0]
            if status:
                raise gpu.failure("cudaStreamSynchronize", status)

        return infer

    def _make_copies(self) -> tuple[Callable[[], None], Callable[[], None]]:
        gpu, stream, copy = self._gpu, self._stream, self._gpu.api.cudaMemcpyAsync
        to_device = gpu.api.cudaMemcpyKind.cudaMemcpyHostToDevice
        to_host = gpu.api.cudaMemcpyKind.cudaMemcpyDeviceToHost
        sent, received, growing = self._upload, self._download, tuple(self._growing.values())
        # Looked up here once, and not in each inference.
        to, source, size = sent.device, sent.host, sent.size
        back, result, result_size = received.host, received.device, received.size

        def upload() -> None:
            if size:
                status = copy(to, source, size, to_device, stream)[0]
                if status:
                    raise gpu.failure("cudaMemcpyAsync", status)

        def download() -> None:
            if result_size:
                status = copy(back, result, result_size, to_host, stream)[0]
                if status:
                    raise gpu.failure("cudaMemcpyAsync", status)
            for output in growing:
                if output.size and not output.tensor.on_host:
                    gpu.call(
                        "cudaMemcpyAsync", output.host, output.device, output.size, to_host, stream
                    )

        return upload, download

    def tensors(self, outputs: Any) -> dict[str, Any]:
        """Give the outputs of the last inference by name."""
        found = {}
        for name in self.outputs:
            growing = self._growing.get(name)
            if growing is not None:
                dtype, shape, data = growing.tensor.dtype, growing.shape, growing.view()
            else:
                place = self._download.places[name]
                dtype, shape = place.tensor.dtype, place.shape
                data = self._download.view(name)
            found[name] = SimpleNamespace(dtype=dtype, shape=shape, data=data)
        return found

    def describe(self) -> dict[str, Any]:
        """Give the facts that explain the numbers.

        Where the parts are asked for, ``numbers`` has them, and ``ran_until_s`` is when the model
        was run on until, by `time.perf_counter`.
        """
        driver, bindings = versions(self._gpu)
        facts: dict[str, Any] = {
            "version": f"{self._trt.__version__} of {self._wish.title}",
            "gpu": self._gpu_name,
            "compute_capability": self._capability,
            "cuda_driver_version": driver,
            "cuda_bindings_version": bindings,
            "cuda_graph": self._graphs(),
            "profile": self._profile,
            "profiles": int(self._engine.num_optimization_profiles),
            "layers": int(self._engine.num_layers),
        }
        if self._wish.part_runs:
            until = time.perf_counter() + self._wish.run_on_s
            while time.perf_counter() < until:
                self.infer()
            facts["ran_until_s"] = time.perf_counter()
            facts["numbers"] = {**self._memory(), **self._parts(self._wish.part_runs)}
        return facts

    def _graphs(self) -> str:
        if not self._wish.cuda_graph:
            return "none"
        return f"made by {self._wish.title}" if self._own_graphs else "recorded once"

    def _memory(self) -> dict[str, int]:
        sizes = {
            "device_memory_bytes": max(0, self._free_before - self._gpu.free_bytes()),
            "loaded_device_memory_bytes": max(0, self._loaded_bytes),
            "input_bytes": sum(place.size for place in self._upload.places.values()),
            "output_bytes": sum(len(value.data) for value in self.tensors(None).values()),
        }
        # Not all versions tell these.
        activations = getattr(self._engine, "get_device_memory_size_for_profile_v2", None)
        if activations is not None:
            sizes["activation_memory_bytes"] = int(activations(self._profile))
        stat = getattr(self._trt, "EngineStat", None)
        if stat is not None:
            sizes["weight_bytes"] = int(self._engine.get_engine_stat(stat.TOTAL_WEIGHTS_SIZE))
        return sizes

    def _parts(self, count: int) -> dict[str, float]:
        """Time what an inference consists of: medians, in ms.

        Args:
            count: In how many runs; at most `_MAX_PART_RUNS`.
        """
        gpu, (upload, download) = self._gpu, self._copies
        events = [gpu.event() for _ in range(len(PARTS) + 1)]
        found: dict[str, list[float]] = {name: [] for name in (*PARTS, "enqueue_ms")}
        for _ in range(min(count, _MAX_PART_RUNS)):
            gpu.call("cudaEventRecord", events[0], self._stream)
            upload()
            gpu.call("cudaEventRecord", events[1], self._stream)
            start = time.perf_counter_ns()
            self._launch()
            found["enqueue_ms"].append((time.perf_counter_ns() - start) / 1e6)
            gpu.call("cudaEventRecord", events[2], self._stream)
            download()
            gpu.call("cudaEventRecord", events[3], self._stream)
            gpu.call("cudaStreamSynchronize", self._stream)
            for name, begin, end in zip(PARTS, events, events[1:], strict=False):
                found[name].append(float(gpu.call("cudaEventElapsedTime", begin, end)))
        return {name: statistics.median(times) for name, times in found.items()}

    def close(self) -> None:
        """Give everything back: what TensorRT holds first, as it uses the rest."""
        for name in ("infer", "_launch", "_copies", "_context", "_allocators", "_engine"):
            self.__dict__.pop(name, None)
        self._gpu.close()

    def _refused(self, what: str) -> RefusalError:
        return RefusalError(f"The engine does not {what}: {reason_from(self._log.texts)}.")

    def _failed(self) -> RefusalError:
        for growing in self._growing.values():
            if growing.error is not None:
                return growing.error
        return RefusalError(
            f"The engine does not run: {reason_from(self._log.texts)}.",
            "The log has the library's whole report.",
        )
