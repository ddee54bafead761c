"""A stand-in with the interface that TensorRT 10 documents, of what the tool uses.

What it does is chosen by FAKE_TENSORRT: nothing (it builds), ``no-driver``, ``no-engine``.
The "engine" it gives is a JSON text of everything that it was told.
"""

from __future__ import annotations

import enum
import json
import os
from pathlib import Path

__version__ = "10.16.1"


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


class NetworkDefinitionCreationFlag(enum.IntEnum):
    EXPLICIT_BATCH = 0
    STRONGLY_TYPED = 1


class DataType(enum.Enum):
    FLOAT = 0
    HALF = 1
    INT64 = 8


class BuilderFlag(enum.Enum):
    TF32 = 7


class MemoryPoolType(enum.Enum):
    WORKSPACE = 0


class Tensor:
    def __init__(self, name, shape, dtype=DataType.FLOAT, is_shape_tensor=False):
        self.name, self.shape, self.dtype = name, shape, dtype
        self.is_shape_tensor = is_shape_tensor

    def get_dimension_name(self, index):
        return None


class Network:
    def __init__(self, flags):
        self.flags = flags
        self.inputs = [Tensor("x", (-1, 10))]
        self.outputs = [Tensor("y", (-1, 4))]
        self.num_layers = 2

    num_inputs = property(lambda self: len(self.inputs))
    num_outputs = property(lambda self: len(self.outputs))

    def get_input(self, index):
        return self.inputs[index]

    def get_output(self, index):
        return self.outputs[index]


class OnnxParser:
    num_errors = 0

    def __init__(self, network, logger):
        self.network = network

    def parse_from_file(self, model):
        return Path(model).is_file()


class Profile:
    def __init__(self):
        self.shapes = {}

    def set_shape(self, input, min, opt, max):
        self.shapes[input] = [list(min), list(opt), list(max)]


class Config:
    def __init__(self):
        self.builder_optimization_level = 3
        self.told = {"tf32": True, "workspace": None, "profiles": []}

    def clear_flag(self, flag):
        self.told[flag.name.lower()] = False

    def set_memory_pool_limit(self, pool, pool_size):
        self.told[pool.name.lower()] = pool_size

    def add_optimization_profile(self, profile):
        self.told["profiles"].append(profile.shapes)
        return len(self.told["profiles"]) - 1


class Builder:
    def __init__(self, logger):
        assert logger.is_made, "a logger must call ILogger.__init__"
        self.logger = logger
        if os.environ.get("FAKE_TENSORRT") == "no-driver":
            logger.log(Severity.WARNING, "Unable to determine GPU memory usage")
            logger.log(
                Severity.ERROR,
                "[runtime.cpp::isCudaInstalledCorrectly::41] Error Code 6: Internal Error (CUDA "
                "initialization failure with error: 35. Please check your CUDA installation)",
            )
            raise TypeError("pybind11::init(): factory function returned nullptr")

    def create_network(self, flags=0):
        return Network(flags)

    def create_builder_config(self):
        return Config()

    def create_optimization_profile(self):
        return Profile()

    def build_serialized_network(self, network, config):
        if os.environ.get("FAKE_TENSORRT") == "no-engine":
            self.logger.log(
                Severity.ERROR,
                "IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (Could not find "
                "any implementation for node product due to insufficient workspace. "
                "In computeCosts at /_src/optimizer.cpp:4059)",
            )
            return None
        told = {**config.told, "level": config.builder_optimization_level, "flags": network.flags}
        return json.dumps(told).encode()
