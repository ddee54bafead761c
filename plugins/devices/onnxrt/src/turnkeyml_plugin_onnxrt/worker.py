"""What runs in the worker process of `ort`: load an ONNX file, run it with all inputs and outputs.

Loaded by path, in any environment that has onnxruntime and numpy; nothing of turnkey is imported.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import numpy as np
import onnxruntime as ort

_PROVIDERS = ["CPUExecutionProvider"]
# What numpy has no type for is handed over as bits, with ONNX's number of the type.
_BITS = {
    "bfloat16": (np.uint16, 16),
    "float8_e4m3fn": (np.uint8, 17),
    "float8_e4m3fnuz": (np.uint8, 18),
    "float8_e5m2": (np.uint8, 19),
    "float8_e5m2fnuz": (np.uint8, 20),
}


class Session:
    """A loaded model with its inputs.

    ``infer`` runs it once and gives its outputs in the order of ``outputs``. It is the session's
    own ``run`` with everything prepared, because what is added here is added to the latency.
    """

    def __init__(self, request: Any) -> None:
        options = ort.SessionOptions()
        self.session = ort.InferenceSession(str(request.model), options, providers=_PROVIDERS)
        self.outputs = [output.name for output in self.session.get_outputs()]
        self.feeds = {name: _value(raw) for name, raw in request.inputs.items()}
        missing = {node.name for node in self.session.get_inputs()} - set(self.feeds)
        if missing:
            raise ValueError(f"no captured value for the inputs {', '.join(sorted(missing))}")
        run = self.session.run
        if not all(isinstance(value, np.ndarray) for value in self.feeds.values()):
            self.feeds = {name: _ort_value(value) for name, value in self.feeds.items()}
            run = self.session.run_with_ort_values
        self.infer = partial(run, self.outputs, self.feeds)

    def describe(self) -> dict[str, Any]:
        """Give the facts that explain the numbers."""
        options = self.session.get_session_options()
        return {
            "version": ort.__version__,
            "numpy_version": np.__version__,
            "providers": self.session.get_providers(),
            "intra_op_threads": options.intra_op_num_threads or "default",
            "graph_optimization_level": str(options.graph_optimization_level).rpartition(".")[2],
            "usable_cores": len(os.sched_getaffinity(0)),
        }

    def close(self) -> None:
        """Free the model."""
        del self.infer, self.session


def _value(raw: Any) -> Any:
    if raw.dtype in _BITS:
        dtype, number = _BITS[raw.dtype]
        bits = np.frombuffer(raw.data, dtype).reshape(raw.shape)
        return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, number)
    return np.frombuffer(raw.data, np.dtype(raw.dtype)).reshape(raw.shape)


def _ort_value(value: Any) -> Any:
    return ort.OrtValue.ortvalue_from_numpy(value) if isinstance(value, np.ndarray) else value


def open_session(request: Any) -> Session:
    """Load the model."""
    return Session(request)
