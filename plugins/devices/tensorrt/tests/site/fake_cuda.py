"""A GPU that is made up: memory, streams that do nothing before somebody waits, events, graphs.

The memory is the process's own; copies and kernels take the time of a clock that is made up. What
is wrong in a program of CUDA's is an AssertionError here.
"""

from __future__ import annotations

import ctypes
import enum
from types import SimpleNamespace

COPY_UP_MS, COPY_DOWN_MS = 0.25, 0.125
TOTAL = 1 << 34


class cudaError_t(enum.IntEnum):
    cudaSuccess = 0
    cudaErrorMemoryAllocation = 2
    cudaErrorInsufficientDriver = 35
    cudaErrorNoDevice = 100
    cudaErrorIllegalAddress = 700
    cudaErrorStreamCaptureInvalidated = 901


TEXTS = {2: b"out of memory", 35: b"CUDA driver version is insufficient", 700: b"illegal access"}


class cudaMemcpyKind(enum.IntEnum):
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2


class cudaStreamCaptureMode(enum.IntEnum):
    cudaStreamCaptureModeThreadLocal = 1


class Handle:
    def __init__(self, number):
        self.number = number

    def __int__(self):
        return self.number


class Stream(Handle):
    def __init__(self, number, cuda):
        super().__init__(number)
        self.cuda = cuda
        self.waiting = []
        self.recorded = None

    def push(self, ms, do):
        (self.waiting if self.recorded is None else self.recorded).append((ms, do))

    def run(self):
        waiting, self.waiting = self.waiting, []
        for ms, do in waiting:
            self.cuda.now_ms += ms
            do()


class Event(Handle):
    at_ms = None


class FakeCuda:
    """Functions by CUDA's names, with constants and types.

    Args:
        gpus: UUIDs of the GPUs; empty for none.
        driver: The CUDA that the driver serves, as a number; 0 for no driver.
        own: The CUDA of the bindings.
        fail: Functions to the numbers of the errors that they give.
        fail_late: Likewise, for all calls but the first.
    """

    cudaError_t = cudaError_t
    cudaMemcpyKind = cudaMemcpyKind
    cudaStreamCaptureMode = cudaStreamCaptureMode
    cudaHostAllocDefault = 0
    cudaStreamNonBlocking = 1
    cudaEventDefault = 0

    def __init__(self, gpus=("11" * 16,), driver=13000, own=13040, fail=None, fail_late=None):
        self.gpus, self.driver, self.own = list(gpus), driver, own
        self.fail, self.fail_late = fail or {}, fail_late or {}
        self.calls = []
        self.memory, self.handles = {}, {}
        self.index = None
        self.now_ms = 0.0
        self.number = 100

    def __getattribute__(self, name):
        found = object.__getattribute__(self, name)
        if not (name.startswith("cuda") and callable(found)) or isinstance(found, type):
            return found

        def call(*arguments):
            again = name in self.calls
            self.calls.append(name)
            late = self.fail_late.get(name) if again else None
            if name in self.fail or late:
                return cudaError_t(self.fail.get(name, late)), None
            if self.driver < self.own // 1000 * 1000 and "Version" not in name:
                assert name.startswith(("cudaGetError", "cudaGetDeviceCount")), name
            given = found(*arguments)
            return (cudaError_t(0), *(given if isinstance(given, tuple) else (given,)))

        return call

    def cudaGetErrorName(self, status):
        return status.name.encode()

    def cudaGetErrorString(self, status):
        return TEXTS.get(int(status), b"something else")

    def cudaDriverGetVersion(self):
        return self.driver

    def cudaRuntimeGetVersion(self):
        return self.own

    def cudaGetDeviceCount(self):
        return len(self.gpus)

    def cudaSetDevice(self, index):
        assert index in range(len(self.gpus))
        self.index = index
        return ()

    def cudaGetDeviceProperties(self, index):
        raw = bytes.fromhex(self.gpus[index])
        return SimpleNamespace(
            uuid=SimpleNamespace(bytes=raw), name=f"Fake GPU {index}".encode() + b"\0" * 9,
            major=9, minor=0,
        )  # fmt: skip

    def cudaMemGetInfo(self):
        return TOTAL - sum(len(block) for kind, block in self.memory.values() if kind), TOTAL

    def _take(self, size, kind):
        assert size > 0
        assert self.index is not None, "memory was taken before the GPU was chosen"
        block = ctypes.create_string_buffer(b"\xee" * size, size)
        self.memory[ctypes.addressof(block)] = (kind, block)
        return ctypes.addressof(block)

    def cudaMalloc(self, size):
        return self._take(size, "device")

    def cudaHostAlloc(self, size, flags):
        return self._take(size, "")

    def cudaFree(self, address):
        if address:
            assert self.memory.pop(address)[0] == "device"
        return ()

    def cudaFreeHost(self, address):
        assert self.memory.pop(address)[0] == ""
        return ()

    def _make(self, kind, *more):
        self.number += 1
        self.handles[self.number] = kind(self.number, *more)
        return self.handles[self.number]

    def _end(self, handle):
        del self.handles[int(handle)]
        return ()

    def cudaStreamCreateWithFlags(self, flags):
        return self._make(Stream, self)

    def cudaEventCreateWithFlags(self, flags):
        return self._make(Event)

    cudaStreamDestroy = cudaEventDestroy = cudaGraphDestroy = cudaGraphExecDestroy = _end

    def cudaStreamSynchronize(self, stream):
        assert stream.recorded is None, "a stream was waited for while it is recorded"
        stream.run()
        return ()

    def cudaEventRecord(self, event, stream):
        stream.push(0.0, lambda: setattr(event, "at_ms", self.now_ms))
        return ()

    def cudaEventElapsedTime(self, begin, end):
        return end.at_ms - begin.at_ms

    def _block_of(self, address, size):
        for start, (kind, block) in self.memory.items():
            if start <= address and address + size <= start + len(block):
                return kind
        raise AssertionError(f"{size} bytes at {address} are in no memory that was taken")

    def cudaMemcpyAsync(self, to, source, size, kind, stream):
        up = kind == cudaMemcpyKind.cudaMemcpyHostToDevice
        assert (self._block_of(to, size), self._block_of(source, size)) == (
            ("device", "") if up else ("", "device")
        )
        ms = COPY_UP_MS if up else COPY_DOWN_MS
        stream.push(ms, lambda: ctypes.memmove(to, source, size))
        return ()

    def cudaStreamBeginCapture(self, stream, mode):
        stream.recorded = []
        return ()

    def cudaStreamEndCapture(self, stream):
        graph = self._make(Handle)
        graph.recorded, stream.recorded = stream.recorded, None
        return graph

    def cudaGraphInstantiate(self, graph, flags):
        ready = self._make(Handle)
        ready.recorded = list(graph.recorded)
        return ready

    def cudaGraphUpload(self, ready, stream):
        return ()

    def cudaGraphLaunch(self, ready, stream):
        for ms, do in ready.recorded:
            stream.push(ms, do)
        return ()
