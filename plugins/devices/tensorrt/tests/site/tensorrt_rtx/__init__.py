"""A stand-in for TensorRT-RTX."""

from __future__ import annotations

import enum
import os
from types import SimpleNamespace

import fake_trt
from fake_trt import *  # noqa: F403

__version__ = os.environ.get("FAKE_TRT_VERSION", "1.7.1.116")

DynamicShapesKernelSpecializationStrategy = enum.Enum("S", {"LAZY": 0, "EAGER": 1})
CudaGraphStrategy = enum.Enum("CudaGraphStrategy", {"DISABLED": 0, "WHOLE_GRAPH_CAPTURE": 1})
EngineInvalidityDiagnostics = enum.IntEnum(
    "D", {"VERSION_MISMATCH": 1, "UNSUPPORTED_CC": 2, "MALFORMED_ENGINE": 32}
)
fake_trt.Engine.create_runtime_config = lambda self: SimpleNamespace()
