"""A library with TensorRT's interface that runs engines which are descriptions in JSON.

An engine is the four bytes that the real ones begin with, and a JSON text: ``version``, ``tensors``
(lists of name, dtype, shape, mode and, if they are something special, ``host`` or ``values``),
``profiles`` (names to smallest, usual and largest shape) and ``computes``, a name in `COMPUTE`.
What is not of that form is described by the file that FAKE_ENGINE names.
"""

from __future__ import annotations

import ctypes
import enum
import json
import os
import struct
from math import prod
from pathlib import Path
from types import SimpleNamespace

from cuda.bindings import runtime as cuda

KERNEL_MS = 1.0
SIZES = {"FLOAT": 4, "HALF": 2, "INT64": 8, "INT32": 4, "BOOL": 1, "INT4": 1}


class Severity(enum.Enum):
    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2
    INFO = 3
    VERBOSE = 4


class ILogger:
    Severity = Severity

    def __init__(self):
        self.is_made = True


class IOutputAllocator:
    def __init__(self):
        self.is_made = True


TensorFormat = enum.Enum("TensorFormat", {"LINEAR": 0, "CHW2": 1})
TensorIOMode = enum.Enum("TensorIOMode", {"INPUT": 1, "OUTPUT": 2})
TensorLocation = enum.Enum("TensorLocation", {"DEVICE": 0, "HOST": 1})
EngineStat = enum.Enum("EngineStat", {"TOTAL_WEIGHTS_SIZE": 0})


class Runtime:
    def __init__(self, logger):
        assert logger.is_made, "a logger must call ILogger.__init__"
        assert "cudaGetDeviceCount" in cuda.CUDA.calls, "the driver must be looked for first"
        self.logger = logger

    def deserialize_cuda_engine(self, content):
        told = describe(content)
        self.logger.log(Severity.INFO, f"Loaded engine size: {len(content)}")
        if told.get("crashes"):
            os.abort()
        if told["version"] != os.environ.get("FAKE_TRT_VERSION", told["version"]):
            text = f"the plan is of {told['version']}. In read at /_src/x.cpp:12"
            self.logger.log(Severity.ERROR, f"IRuntime::x: Error Code 1: Serialization ({text})")
            self.logger.log(Severity.ERROR, "and again")
            return None
        return Engine(told, self.logger) if "tensors" in told else None

    def get_engine_validity(self, content):
        return 2, describe(content).get("invalid", 0)


def describe(content):
    raw = bytes(content)
    if raw[4:5] == b"{":
        return json.loads(raw[4:])
    if "FAKE_ENGINE" in os.environ:
        return json.loads(Path(os.environ["FAKE_ENGINE"]).read_text("utf-8"))
    return {"version": "", "invalid": 32}


class Engine:
    num_layers = 3

    def __init__(self, told, logger):
        self.told, self.logger = told, logger
        self.tensors = {name: tuple(what) for name, *what in told["tensors"]}
        self.names = list(self.tensors)
        self.num_io_tensors = len(self.names)
        self.num_optimization_profiles = max(1, len(told.get("profiles", ())))

    def get_tensor_name(self, index):
        return self.names[index]

    def get_tensor_dtype(self, name):
        return SimpleNamespace(name=self.tensors[name][0])

    def get_tensor_shape(self, name):
        return list(self.tensors[name][1])

    def get_tensor_mode(self, name):
        return TensorIOMode[self.tensors[name][2]]

    def get_tensor_location(self, name):
        return TensorLocation.HOST if "host" in self.tensors[name][3] else TensorLocation.DEVICE

    def is_shape_inference_io(self, name):
        return "values" in self.tensors[name][3]

    def get_tensor_format(self, name):
        return TensorFormat.CHW2 if "chw2" in self.tensors[name][3] else TensorFormat.LINEAR

    def get_tensor_format_desc(self, name):
        return "two wide"

    def get_tensor_profile_shape(self, name, index):
        return self.told["profiles"][index][name]

    def get_tensor_profile_values(self, index, name):
        return self.told["profiles"][index][name]

    def get_device_memory_size_for_profile_v2(self, index):
        return 4096 + index

    def get_engine_stat(self, stat):
        return 24

    def create_execution_context(self, config=None):
        if self.told.get("no_context"):
            self.logger.log(Severity.ERROR, "x.cpp:7: the GPU is full")
            return None
        return Context(self, config)


class Context:
    def __init__(self, engine, config):
        self.engine, self.config = engine, config
        self.shapes, self.addresses, self.allocators = {}, {}, {}
        self.profile = None
        self.runs = 0

    def set_optimization_profile_async(self, index, stream):
        assert index in range(self.engine.num_optimization_profiles)
        self.profile = index
        return True

    def set_input_shape(self, name, shape):
        low, _, high = self.engine.told["profiles"][self.profile][name]
        self.shapes[name] = tuple(shape)
        return all(a <= b <= c for a, b, c in zip(low, shape, high, strict=True))

    def set_tensor_address(self, name, address):
        kind = cuda.CUDA._block_of(address, 1)
        assert kind == ("" if "host" in self.engine.tensors[name][3] else "device")
        self.addresses[name] = address
        return address != 0

    def set_output_allocator(self, name, allocator):
        assert allocator.is_made
        self.allocators[name] = allocator
        return True

    def infer_shapes(self):
        if self.engine.told.get("shapes_fail"):
            raise RuntimeError("the shapes of a and b differ")
        return [n for n, (_, shape, mode, _) in self.engine.tensors.items()
                if mode == "INPUT" and -1 in shape and n not in self.shapes]  # fmt: skip

    def get_tensor_shape(self, name):
        _, shape, mode, what = self.engine.tensors[name]
        if mode == "OUTPUT" and -1 in shape and "growing" not in what:
            return self.shape_of(self.engine.names[0])
        return list(shape)

    def shape_of(self, name):
        return self.shapes.get(name, tuple(self.engine.tensors[name][1]))

    def read(self, name):
        size = prod(self.shape_of(name)) * SIZES[self.engine.tensors[name][0]]
        return ctypes.string_at(self.addresses[name], size)

    def execute_async_v3(self, handle):
        stream = cuda.CUDA.handles[handle]
        sent = any(kind == "device" for kind, _ in cuda.CUDA.memory.values())
        assert not sent or "cudaMemcpyAsync" in cuda.CUDA.calls, "it ran before its inputs came"
        if self.engine.told.get("run_fails") and self.runs:
            text = "IExecutionContext::enqueueV3: Error Code 1: Myelin (no kernel)"
            self.engine.logger.log(Severity.ERROR, text)
            return False
        if stream.recorded is not None and not self.runs:
            raise AssertionError("an engine was recorded before it ran once")
        if self.engine.told.get("not_recordable") and stream.recorded is not None:
            cuda.CUDA.fail["cudaStreamEndCapture"] = 901
        self.runs += 1
        if self.allocators:
            # Such outputs are computed at once here: their shape must be known when this returns.
            stream.run()
            return COMPUTE[self.engine.told["computes"]](self)
        stream.push(KERNEL_MS, lambda: COMPUTE[self.engine.told["computes"]](self))
        return True


def add_relu(context):
    """The conformance kit's model: all of its tensors are float32."""
    x = struct.unpack("<6f", context.read("x"))
    weights = (0.5, -1.0, 1.5, 2.0, 0.0, 1.0)
    y = struct.pack("<6f", *(max(0.0, a + b) for a, b in zip(x, weights, strict=True)))
    ctypes.memmove(context.addresses["y"], y, len(y))


def copy(context):
    """Each output is what the input in its place is."""
    names = [n for n, t in context.engine.tensors.items() if t[2] == "INPUT"]
    outputs = [n for n, t in context.engine.tensors.items() if t[2] == "OUTPUT"]
    for source, to in zip(names, outputs, strict=True):
        raw = context.read(source)
        ctypes.memmove(context.addresses[to], raw, len(raw))


def nonzero(context):
    """The places of what is not 0 among float32 numbers."""
    raw = context.read("x")
    numbers = struct.unpack(f"<{len(raw) // 4}f", raw)
    places = [place for place, number in enumerate(numbers) if number]
    (allocator,) = context.allocators.values()
    address = allocator.reallocate_output_async("places", 0, 8 * len(numbers), 256, 0)
    if not address:
        return False
    allocator.notify_shape("places", [1, len(places)])
    found = struct.pack(f"<{len(places)}q", *places)
    ctypes.memmove(address, found, len(found))
    return True


COMPUTE = {"add_relu": add_relu, "copy": copy, "nonzero": nonzero}
