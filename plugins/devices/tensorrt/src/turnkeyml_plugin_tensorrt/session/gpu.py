"""CUDA on one GPU: every call's status is checked, and what was taken is given back."""

from __future__ import annotations

import ctypes
import importlib
import uuid
from collections.abc import Callable
from typing import Any

from .refusal import RefusalError

_DRIVER = "Check with nvidia-smi that NVIDIA's driver is installed and works."
_NO_DRIVER = "cudaErrorInsufficientDriver"
_NO_GPU = "cudaErrorNoDevice"
_HINTS = {
    "cudaErrorMemoryAllocation": "Stop other programs on the GPU, or use a smaller batch.",
    "cudaErrorDevicesUnavailable": "Another program has the GPU for itself; nvidia-smi shows it.",
    "cudaErrorSystemDriverMismatch": "The driver was updated: restart the machine.",
    "cudaErrorStubLibrary": "LD_LIBRARY_PATH leads to CUDA's stubs instead of the driver.",
}
_FAULTS = ("cudaErrorIllegalAddress", "cudaErrorLaunchFailure", "cudaErrorAssert")


class Gpu:
    """CUDA's runtime with one GPU chosen.

    Args:
        api: The module ``cuda.bindings.runtime``.
        index: CUDA's number of the GPU.
    """

    def __init__(self, api: Any, index: int = 0) -> None:
        self.api = api
        self.index = index
        self._undo: list[tuple[str, Any]] = []

    def call(self, function: str, *arguments: Any) -> Any:
        """Call a function of CUDA.

        Args:
            function: Such as ``cudaMalloc``.
            arguments: Its arguments.

        Returns:
            What it gives besides its status: nothing, one value, or a tuple of several.

        Raises:
            RefusalError: It failed; names the function.
        """
        status, *given = getattr(self.api, function)(*arguments)
        if status:
            raise self.failure(function, status)
        return given[0] if len(given) == 1 else tuple(given) or None

    def failure(self, function: str, status: Any) -> RefusalError:
        """Make the error for a call that failed."""
        name = self._text("cudaGetErrorName", status)
        hint = _HINTS.get(name, "")
        if name in _FAULTS:
            hint = "A kernel of the engine is at fault: build it anew, or with other options."
        text = self._text("cudaGetErrorString", status)
        return RefusalError(f"CUDA's {function} failed: {text} ({name}).", hint)

    def device_memory(self, size: int) -> int:
        """Take memory on the GPU, of at least one byte; give its address."""
        address = int(self.call("cudaMalloc", max(1, size)))
        self._undo.append(("cudaFree", address))
        return address

    def host_memory(self, size: int) -> int:
        """Take page-locked memory, from and to which the GPU copies by itself; give its address."""
        flags = self.api.cudaHostAllocDefault
        address = int(self.call("cudaHostAlloc", max(1, size), flags))
        self._undo.append(("cudaFreeHost", address))
        return address

    def give_back(self, address: int) -> None:
        """Give back memory of either kind."""
        for undo in [each for each in self._undo if each[1] == address]:
            self._undo.remove(undo)
            self.call(*undo)

    def stream(self) -> Any:
        """Make a stream that waits for no other."""
        stream = self.call("cudaStreamCreateWithFlags", self.api.cudaStreamNonBlocking)
        self._undo.append(("cudaStreamDestroy", stream))
        return stream

    def event(self) -> Any:
        """Make an event that notes the GPU's time."""
        event = self.call("cudaEventCreateWithFlags", self.api.cudaEventDefault)
        self._undo.append(("cudaEventDestroy", event))
        return event

    def record_graph(self, stream: Any, launch: Callable[[], None]) -> Any:
        """Record what is launched on a stream, and give it as a graph that can be launched.

        Args:
            stream: The stream; nothing is computed meanwhile.
            launch: Launches on that stream.

        Raises:
            RefusalError: It cannot be recorded.
        """
        mode = self.api.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self.call("cudaStreamBeginCapture", stream, mode)
        try:
            launch()
        finally:
            # A stream that is being recorded can do nothing else, so it ends in any case.
            status, graph = self.api.cudaStreamEndCapture(stream)
        if status:
            raise self.failure("cudaStreamEndCapture", status)
        self._undo.append(("cudaGraphDestroy", graph))
        ready = self.call("cudaGraphInstantiate", graph, 0)
        self._undo.append(("cudaGraphExecDestroy", ready))
        self.call("cudaGraphUpload", ready, stream)
        return ready

    def properties(self) -> tuple[str, str]:
        """Give the GPU's name and its compute capability, such as ``9.0``."""
        found = self.call("cudaGetDeviceProperties", self.index)
        name = bytes(found.name).split(b"\0")[0].decode("utf-8", "replace")
        return name, f"{found.major}.{found.minor}"

    def free_bytes(self) -> int:
        """Give how much memory of the GPU nobody uses."""
        return int(self.call("cudaMemGetInfo")[0])

    def close(self) -> None:
        """Give everything back, the newest first; what fails now was told before."""
        while self._undo:
            function, what = self._undo.pop()
            getattr(self.api, function)(what)

    def _text(self, function: str, status: Any) -> str:
        _, text = getattr(self.api, function)(status)
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


def open_gpu(wanted: str | None, load: Callable[[str], Any] = importlib.import_module) -> Gpu:
    """Choose the GPU and start CUDA on it.

    Nothing else of CUDA or TensorRT may be called before: some of it crashes without a driver.

    Args:
        wanted: Its UUID as NVML gives it; None: the first that CUDA shows.
        load: Imports a module.

    Raises:
        RefusalError: There is no driver, one that is too old, or no such GPU; says which.
    """
    try:
        api = load("cuda.bindings.runtime")
    # What is half installed raises whatever its loader meets.
    except Exception as error:
        raise RefusalError(
            f"CUDA's Python bindings cannot be imported: {type(error).__name__}: {error}.",
            "Run pip install cuda-python.",
        ) from error
    gpu = Gpu(api)
    status, count = api.cudaGetDeviceCount()
    if status:
        raise _without_gpu(gpu, status)
    gpu.index = _find(gpu, count, wanted)
    gpu.call("cudaSetDevice", gpu.index)
    # Starts CUDA: its memory would otherwise be counted as the engine's.
    gpu.call("cudaFree", 0)
    return gpu


def _without_gpu(gpu: Gpu, status: Any) -> RefusalError:
    name = gpu._text("cudaGetErrorName", status)
    if name == _NO_GPU:
        return RefusalError(
            "NVIDIA's driver shows no GPU to this process.",
            "See CUDA_VISIBLE_DEVICES, and in a container whether it was given one.",
        )
    if name != _NO_DRIVER:
        failure = gpu.failure("cudaGetDeviceCount", status)
        return RefusalError(failure.message, failure.hint or _DRIVER)
    driver, own = versions(gpu)
    if driver is None:
        return RefusalError("NVIDIA's driver is not installed: CUDA does not find it.", _DRIVER)
    return RefusalError(
        f"NVIDIA's driver is too old: it serves CUDA up to {driver}, and the installed CUDA "
        f"bindings are of CUDA {own}.",
        f"Update the driver, or run pip install 'cuda-python<{str(own).partition('.')[0]}'.",
    )


def versions(gpu: Gpu) -> tuple[str | None, str | None]:
    """Give the newest CUDA that the driver serves, and that of the bindings; None if unknown."""
    found = []
    for function in ("cudaDriverGetVersion", "cudaRuntimeGetVersion"):
        status, number = getattr(gpu.api, function)()
        known = not status and number
        found.append(f"{number // 1000}.{number % 1000 // 10}" if known else None)
    return found[0], found[1]


def _find(gpu: Gpu, count: int, wanted: str | None) -> int:
    """Find a GPU by its UUID; CUDA and NVML count them in different orders."""
    # The only one may be a part of a GPU, whose UUID CUDA does not tell.
    if wanted is None or count == 1:
        return 0
    for index in range(count):
        raw = bytes(gpu.call("cudaGetDeviceProperties", index).uuid.bytes)
        if wanted.lower() == f"gpu-{uuid.UUID(bytes=raw)}":
            return index
    raise RefusalError(
        f"The GPU {wanted} is not among the {count} that CUDA shows to this process.",
        "See CUDA_VISIBLE_DEVICES.",
    )


def view_of(address: int, size: int) -> memoryview:
    """Look at memory of the host by its address."""
    if not size:
        return memoryview(bytearray())
    return memoryview((ctypes.c_char * size).from_address(address)).cast("B")
