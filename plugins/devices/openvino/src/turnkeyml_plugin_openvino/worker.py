"""What runs in the worker process of `openvino`: read and compile an ONNX file, run it.

Loaded by path, in any environment that has openvino and numpy; nothing of turnkey is imported.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

# OpenVINO reports each import to a server, by a thread that would run beside what is measured. It
# does without where the package for that cannot be imported.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

try:
    ov: Any = importlib.import_module("openvino")
except ImportError as error:
    _reason = " ".join(str(error).split())
    raise ImportError(f"OpenVINO cannot be loaded: {_reason}") from error

_DEVICE = "CPU"
_RESULT = "/sink_port_0"
_SIDE_BY_SIDE_NS = 200_000_000
"""For how long several requests are run at once, at least."""
_DTYPES = {
    "boolean": "bool", "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
    "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64",
    "f8e4m3": "float8_e4m3fn", "f8e5m2": "float8_e5m2",
}  # fmt: skip
"""OpenVINO's names of dtypes, to those of captured tensors."""


class OpenVINOError(Exception):
    """OpenVINO cannot do something with this model; says what, in a sentence."""


class Session:
    """A compiled model with its inputs.

    ``infer`` runs it once; its outputs are views of OpenVINO's own memory, by port.
    """

    def __init__(self, request: Any) -> None:
        chosen = request.arguments
        # While it is measured the thread that asks may be kept away from cores.
        self._usable_cores = len(os.sched_getaffinity(0))
        core = ov.Core()
        model = _read(core, request.model)
        pairs = _pair(model.inputs, request.inputs)
        self._reshaped = _reshape(model, pairs) if chosen.get("reshape", True) else []
        self.outputs = [_name_of(port, _RESULT) for port in model.outputs]
        self._iterations = chosen.get("iterations", 1)
        start = time.perf_counter_ns()
        with _saying("cannot compile the model"):
            properties = dict(chosen.get("properties", {}))
            self.compiled = core.compile_model(model, _DEVICE, properties)
        self._compile_ms = (time.perf_counter_ns() - start) / 1e6
        self._tensors = [_tensor(port, raw) for port, raw in pairs]
        self.request = self._new_request()
        run = self.request.infer

        def infer() -> Any:
            # Trying costs nothing, and the call no more than a partial.
            try:
                return run(share_outputs=True)
            except RuntimeError as error:
                raise OpenVINOError(_sentence("cannot run the model", error)) from error

        self.infer = infer

    def _new_request(self) -> Any:
        with _saying("cannot take the captured inputs"):
            request = self.compiled.create_infer_request()
            for place, tensor in enumerate(self._tensors):
                request.set_input_tensor(place, tensor)
        return request

    def tensors(self, outputs: Any) -> dict[str, Any]:
        """Give the outputs of the last inference by name, as bytes.

        Raises:
            TypeError: One has a dtype that no tensor of turnkey has, such as text.
        """
        found = {}
        for place, (name, _) in enumerate(zip(self.outputs, outputs, strict=True)):
            tensor = self.request.get_output_tensor(place)
            kind = tensor.element_type.get_type_name()
            if kind not in _DTYPES:
                raise TypeError(f"the output {name!r} has the type {kind}, which is not known")
            data = memoryview(tensor.data.tobytes())
            shape = tuple(tensor.shape)
            found[name] = SimpleNamespace(dtype=_DTYPES[kind], shape=shape, data=data)
        return found

    def describe(self) -> dict[str, Any]:
        """Give the facts that explain the numbers."""
        get = self.compiled.get_property
        return {
            "version": ov.__version__.partition("-")[0],
            "openvino_build": ov.__version__,
            "numpy_version": np.__version__,
            "performance_hint": str(get("PERFORMANCE_HINT")).rpartition(".")[2],
            "execution_mode_hint": str(get("EXECUTION_MODE_HINT")).rpartition(".")[2],
            "inference_precision_hint": get("INFERENCE_PRECISION_HINT").get_type_name(),
            "operator_precisions": _precisions(self.compiled),
            "num_streams": int(get("NUM_STREAMS")),
            "inference_num_threads": int(get("INFERENCE_NUM_THREADS")),
            "enable_cpu_pinning": bool(get("ENABLE_CPU_PINNING")),
            "usable_cores": self._usable_cores,
            "reshaped_inputs": self._reshaped,
            "compile_ms": self._compile_ms,
            "loaded_from_cache": bool(get("LOADED_FROM_CACHE")),
            **self._side_by_side(int(get("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))),
        }

    def _side_by_side(self, count: int) -> dict[str, Any]:
        """Run as many requests at once as OpenVINO advises, if that is more than one."""
        if count < 2:
            return {}
        requests = [self.request, *(self._new_request() for _ in range(count - 1))]
        with _saying("cannot run several requests at once"):
            for request in requests:
                request.infer()
            start, turn = time.perf_counter_ns(), 0
            while turn < self._iterations or time.perf_counter_ns() - start < _SIDE_BY_SIDE_NS:
                request = requests[turn % count]
                # A request that was never started has nothing to wait for.
                request.wait()
                request.start_async()
                turn += 1
            for request in requests:
                request.wait()
        seconds = (time.perf_counter_ns() - start) / 1e9
        return {"parallel_requests": count, "parallel_throughput_ips": turn / seconds}

    def close(self) -> None:
        """Free the model."""
        del self.infer, self.request, self.compiled


def _read(core: Any, path: Path) -> Any:
    with _saying(f"cannot read {path.name}"):
        return core.read_model(str(path))


def _name_of(port: Any, suffix: str = "") -> str:
    """Give a port's name in the ONNX file."""
    name: str = port.get_node().get_friendly_name()
    return name.removesuffix(suffix)


def _pair(ports: list[Any], captured: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Give the model's inputs with the captured tensors that are for them.

    Raises:
        ValueError: One is missing, or has another dtype or shape than the model takes.
    """
    left = dict(captured)
    found = {}
    for place, port in enumerate(ports):
        name = next((n for n in (_name_of(port), *port.get_names()) if n in left), None)
        if name is not None:
            found[place] = left.pop(name)
    missing = [place for place in range(len(ports)) if place not in found]
    fitting = [raw for raw in left.values() if len(missing) == 1 and _fits(ports[missing[0]], raw)]
    if len(fitting) == 1:
        # Where OpenVINO drops an operator at an input, the input gets the operator's name.
        found[missing.pop()] = fitting[0]
    if missing:
        names = ", ".join(sorted(_name_of(ports[place]) for place in missing))
        raise ValueError(f"no captured value for the inputs {names}")
    pairs = [(port, found[place]) for place, port in enumerate(ports)]
    for port, raw in pairs:
        if not _fits(port, raw):
            raise ValueError(
                f"the model takes {_name_of(port)} as {_dtype_of(port)} of the shape "
                f"{port.partial_shape}, and the captured value is {raw.dtype} of the shape "
                f"{[*raw.shape]}"
            )
    return pairs


def _fits(port: Any, raw: Any) -> bool:
    shape = ov.PartialShape([*raw.shape])
    return bool(_dtype_of(port) == raw.dtype and port.partial_shape.compatible(shape))


def _dtype_of(port: Any) -> str:
    name: str = port.element_type.get_type_name()
    return _DTYPES.get(name, name)


def _reshape(model: Any, pairs: list[tuple[Any, Any]]) -> list[str]:
    """Give dynamic inputs the shapes of the captured tensors, and tell which they were."""
    shapes = {n: [*raw.shape] for n, (p, raw) in enumerate(pairs) if p.partial_shape.is_dynamic}
    names = [_name_of(pairs[n][0]) for n in shapes]
    if shapes:
        with _saying("cannot give the inputs the captured shapes"):
            model.reshape({n: ov.PartialShape(shape) for n, shape in shapes.items()})
    return names


def _tensor(port: Any, raw: Any) -> Any:
    """Copy a captured tensor once into memory of OpenVINO, from where inferences read it."""
    tensor = ov.Tensor(port.element_type, [*raw.shape])
    tensor.data.reshape(-1).view(np.uint8)[:] = np.frombuffer(raw.data, np.uint8)
    return tensor


def _precisions(compiled: Any) -> dict[str, int]:
    """Count the operators of the compiled model by the precision in which they compute."""
    found: Counter[str] = Counter()
    for operator in compiled.get_runtime_model().get_ordered_ops():
        facts = operator.get_rt_info()
        if facts["layerType"].astype(str) not in ("Input", "Output", "Const"):
            found[facts["runtimePrecision"].astype(str)] += 1
    return dict(sorted(found.items()))


@contextmanager
def _saying(what: str) -> Iterator[None]:
    """Make one sentence of what OpenVINO raises, which is lines of its own source files."""
    try:
        yield
    except RuntimeError as error:
        raise OpenVINOError(_sentence(what, error)) from error


_SOURCES = re.compile(
    r"(Exception from |Check '.*' failed at |FrontEnd API failed with |While validating node |"
    r"Model wasn't fully converted|Loading input model$|Summary:$|Details:$|Not Implemented:$|"
    r"-- )"
)
_NO_RULE = re.compile(
    r"(?:No conversion rule found for|does not support the following ONNX) operations: (.+)"
)
_KIND = re.compile(r"(NotFound|ParameterMismatch|GeneralFailure): ")
_REFUSED = re.compile(r"Conversion is failed for: (.+)")
_LONGEST = 300


def _sentence(what: str, error: Exception) -> str:
    text = str(error)
    missing = _NO_RULE.search(text)
    if missing is not None:
        return f"it {what}: it does not know the operators {missing[1].strip(' .')}."
    lines = [_KIND.sub("", " ".join(line.split())) for line in text.splitlines()]
    told = [line for line in lines if line and not _SOURCES.match(line)]
    told = [line for line in told if not line.startswith("While validating ONNX node")]
    refused = _REFUSED.search(text)
    where = f" at {refused[1].strip()}" if refused is not None else ""
    said = "; ".join(line.rstrip(".:") for line in told) or lines[0]
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]} ..."
    return f"it {what}{where}: {said}."


def open_session(request: Any) -> Session:
    """Read and compile the model."""
    return Session(request)
