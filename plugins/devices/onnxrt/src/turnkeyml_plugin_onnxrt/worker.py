"""What runs in the worker process of `ort`: load an ONNX file, run it with all inputs and outputs.

Loaded by path, in any environment that has onnxruntime and numpy; nothing of turnkey is imported.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime as ort

_CPU = "CPUExecutionProvider"
_LEVELS = {
    "disabled": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "layout": "ORT_ENABLE_LAYOUT",
    "all": "ORT_ENABLE_ALL",
}
# What numpy has no type for is handed over as bits, with ONNX's number of the type.
_BITS = {
    "bfloat16": (np.uint16, 16),
    "float8_e4m3fn": (np.uint8, 17),
    "float8_e4m3fnuz": (np.uint8, 18),
    "float8_e5m2": (np.uint8, 19),
    "float8_e5m2fnuz": (np.uint8, 20),
}
_NUMBERS = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128",
    **{number: dtype for dtype, (_, number) in _BITS.items()},
}  # fmt: skip
"""ONNX's numbers of dtypes."""


class Session:
    """A loaded model with its inputs.

    ``infer`` runs it once and gives its outputs in the order of ``outputs``. It is the session's
    own ``run`` with everything prepared, because what is added here is added to the latency.
    """

    def __init__(self, request: Any) -> None:
        chosen = request.arguments
        # Before the calling thread is kept off the cores of the session's own threads.
        self._usable_cores = len(os.sched_getaffinity(0))
        provider = chosen.get("provider") or _CPU
        options = _options(chosen)
        providers = list(dict.fromkeys([_available(provider), _CPU]))
        try:
            self.session = ort.InferenceSession(str(request.model), options, providers=providers)
        # It raises classes of its own, which are not the same in each version.
        except Exception as error:
            words = _is_too_new(str(error)) or _is_lacking(str(error), provider)
            if words:
                raise ValueError(words) from error
            raise
        if provider not in self.session.get_providers():
            raise RuntimeError(f"ONNX Runtime could not start {provider} and would use the CPU")
        self.outputs = [output.name for output in self.session.get_outputs()]
        self.feeds = {name: _value(raw) for name, raw in request.inputs.items()}
        missing = {node.name for node in self.session.get_inputs()} - set(self.feeds)
        if missing:
            raise ValueError(f"no captured value for the inputs {', '.join(sorted(missing))}")
        run = self.session.run
        as_bits = any(_is_bits(output.type) for output in self.session.get_outputs())
        if as_bits or not all(isinstance(value, np.ndarray) for value in self.feeds.values()):
            self.feeds = {name: _ort_value(value) for name, value in self.feeds.items()}
            run = self.session.run_with_ort_values
        self.infer: Callable[[], list[Any]] = partial(run, self.outputs, self.feeds)
        if chosen.get("io_binding"):
            self.infer = self._bound()

    def _bound(self) -> Callable[[], list[Any]]:
        """Bind inputs and outputs once, so that a run hands over neither."""
        binding = self.session.io_binding()
        for name, value in self.feeds.items():
            binding.bind_ortvalue_input(name, _ort_value(value))
        for name in self.outputs:
            binding.bind_output(name)
        run, get_outputs = self.session.run_with_iobinding, binding.get_outputs

        def infer() -> list[Any]:
            run(binding)
            return list(get_outputs())

        return infer

    def tensors(self, outputs: list[Any]) -> dict[str, Any]:
        """Give what `infer` gave by name; what numpy has no type for becomes bytes.

        Raises:
            TypeError: One is text or no tensor.
        """
        named = zip(self.outputs, outputs, strict=True)
        return {
            name: _bits(name, value) if isinstance(value, ort.OrtValue) else value
            for name, value in named
        }

    def describe(self) -> dict[str, Any]:
        """Give the facts that explain the numbers."""
        options = self.session.get_session_options()
        return {
            "version": ort.__version__,
            "numpy_version": np.__version__,
            "providers": self.session.get_providers(),
            "intra_op_threads": options.intra_op_num_threads or "default",
            "graph_optimization_level": str(options.graph_optimization_level).rpartition(".")[2],
            "usable_cores": self._usable_cores,
        }

    def close(self) -> None:
        """Free the model."""
        del self.infer, self.session


def _options(chosen: dict[str, Any]) -> Any:
    options = ort.SessionOptions()
    if chosen.get("threads"):
        options.intra_op_num_threads = chosen["threads"]
    if chosen.get("inter_threads"):
        options.inter_op_num_threads = chosen["inter_threads"]
        if chosen["inter_threads"] > 1:
            options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
    if not chosen.get("spinning", True):
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    name = _LEVELS[chosen.get("optimization_level") or "all"]
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, name)
    return options


def _is_too_new(message: str) -> str:
    """Say that a model is newer than this ONNX Runtime, if that is what a message means."""
    own = f"ONNX Runtime {ort.__version__}"
    versions = re.search(r"model IR version: (\d+), max supported IR version: (\d+)", message)
    if versions:
        has, known = versions.groups()
        return f"{own} reads IR versions up to {known}; the model has {has}"
    opsets = re.search(r"(?s)Opset (\d+) is under dev.* domain (\S+) is till opset (\d+)", message)
    if opsets:
        has, domain, known = opsets.groups()
        return f"{own} knows {domain} up to opset {known}; the model has {has}"
    return ""


def _is_lacking(message: str, provider: str) -> str:
    """Say that an operator lacks for the types it has, if that is what a message means."""
    found = re.search(
        r"Could not find an implementation for (\w+)\(\d+\) node with name '(.*)'", message
    )
    if not found:
        return ""
    operator, node = found.groups()
    where = f" at the node {node!r}" if node else ""
    return (
        f"{provider} of ONNX Runtime {ort.__version__} has no {operator} for the types that it is "
        f"given{where}; if that is bfloat16, convert-fp32 and convert-fp16 turn it into another"
    )


def _available(provider: str) -> str:
    """Check that this build of ONNX Runtime has an execution provider: it would only warn.

    Raises:
        ValueError: It has not.
    """
    known = ort.get_available_providers()
    if provider not in known:
        raise ValueError(f"this ONNX Runtime has no {provider}; it has {', '.join(known)}")
    return provider


def _value(raw: Any) -> Any:
    if raw.dtype in _BITS:
        dtype, number = _BITS[raw.dtype]
        bits = np.frombuffer(raw.data, dtype).reshape(raw.shape)
        return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, number)
    return np.frombuffer(raw.data, np.dtype(raw.dtype)).reshape(raw.shape)


def _ort_value(value: Any) -> Any:
    return ort.OrtValue.ortvalue_from_numpy(value) if isinstance(value, np.ndarray) else value


def _is_bits(type_name: str) -> bool:
    """Tell whether numpy has no type for an output, by ONNX Runtime's name of its type."""
    return type_name.startswith(("tensor(bfloat16", "tensor(float8"))


def _bits(name: str, value: Any) -> Any:
    """Look at the memory of a value; the view keeps it alive."""
    number = value.element_type() if value.is_tensor() else None
    if number not in _NUMBERS:
        raise TypeError(f"the output {name!r} has the type {value.data_type()}, which is not known")
    memory: Any = (ctypes.c_char * value.tensor_size_in_bytes()).from_address(value.data_ptr())
    memory.owner = value
    data = memoryview(memory).cast("B")
    return SimpleNamespace(dtype=_NUMBERS[number], shape=tuple(value.shape()), data=data)


def open_session(request: Any) -> Session:
    """Load the model."""
    return Session(request)
