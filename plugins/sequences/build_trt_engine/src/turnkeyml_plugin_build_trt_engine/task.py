"""What runs in the process that builds an engine: parse the ONNX file, set profiles, build, write.

Loaded by its path. It uses the standard library, the file `settling` beside it and the TensorRT
that the order names. What goes wrong is handed back as facts, of which `complaints` makes a
sentence.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turnkeyml_plugin_build_trt_engine.settling import Input, Range

_MIB = 1 << 20
_DTYPES = {
    "FLOAT": "float32", "HALF": "float16", "BF16": "bfloat16", "FP8": "float8_e4m3fn",
    "INT8": "int8", "INT32": "int32", "INT64": "int64", "UINT8": "uint8", "BOOL": "bool",
}  # fmt: skip


@dataclass(frozen=True)
class Order:
    """What is to be built.

    Args:
        module: The library's module: ``tensorrt`` or ``tensorrt_rtx``.
        model: The ONNX file.
        engine: The file to write.
        profiles: Names of inputs to smallest, usual and largest shape, for each profile.
        captured: Names of inputs to ``shape``, ``dtype`` and, of small integer ones, ``values``.
        compute_capabilities: Such as ``8.6``; empty for the library's default.
        workspace_mib: Most scratch memory of a layer; None for the library's default.
        optimization_level: None for the library's default.
        tf32: Whether float32 products may be computed in TF32.
    """

    module: str
    model: str
    engine: str
    profiles: list[dict[str, Range]] = field(default_factory=list)
    captured: dict[str, dict[str, Any]] = field(default_factory=dict)
    compute_capabilities: list[str] = field(default_factory=list)
    workspace_mib: int | None = None
    optimization_level: int | None = None
    tf32: bool = True


class EngineError(Exception):
    """The engine cannot be built.

    Args:
        phase: Where it stopped.
        facts: What is known of it; JSON values.
    """

    def __init__(self, phase: str, **facts: Any) -> None:
        super().__init__(phase)
        self.failure = {"phase": phase, **facts}


def _load_beside(name: str) -> Any:
    """Import a file beside this one, whatever the environment has installed."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"turnkey_trt_{name}", path)
    assert spec is not None and spec.loader is not None, "the file is beside this one"
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


settling = _load_beside("settling")


def run(arguments: dict[str, Any]) -> dict[str, Any]:
    """Serve `turnkeyml.worker.process.run_task`."""
    order = Order(**arguments)
    try:
        trt = importlib.import_module(order.module)
    # A library that is half there raises whatever its loader meets.
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        return {"failure": {"phase": "import", "detail": f"{type(error).__name__}: {error}"}}
    try:
        return build(trt, order)
    except EngineError as error:
        return {"failure": error.failure}


def build(trt: Any, order: Order) -> dict[str, Any]:
    """Build an engine and write it.

    Args:
        trt: The module with TensorRT's interface.
        order: What to build.

    Returns:
        Facts about the engine; ``notes`` are sentences for the user.

    Raises:
        EngineError: It cannot be built.
    """
    log = make_log(trt)
    try:
        builder = trt.Builder(log)
    except TypeError as error:
        # What the bindings raise when the library gives no builder, as without a driver.
        raise EngineError("start", detail=str(error), log=log.texts) from error
    network = builder.create_network(creation_flags(trt))
    start = time.perf_counter()
    parse(trt, network, log, order.model)
    parse_s = time.perf_counter() - start
    inputs = [_input(network.get_input(n)) for n in range(network.num_inputs)]
    outputs = [_input(network.get_output(n)) for n in range(network.num_outputs)]
    try:
        profiles, notes = settling.settle_profiles(inputs, order.profiles, order.captured)
    except settling.MisfitError as error:
        raise EngineError("profile", message=error.message, hint=error.hint) from error
    config = builder.create_builder_config()
    configure(trt, config, order)
    for profile in profiles:
        add_profile(builder, config, log, profile, inputs)
    start = time.perf_counter()
    # What was complained about in parsing did not keep the model from being parsed.
    log.texts.clear()
    writer_base = getattr(trt, "IStreamWriter", None)
    if not write_engine(builder, network, config, Path(order.engine), writer_base):
        raise EngineError("build", log=log.texts)
    return {
        "version": str(trt.__version__),
        "inputs": {i.name: {"dtype": i.dtype, "shape": list(i.shape)} for i in inputs},
        "outputs": {o.name: {"dtype": o.dtype, "shape": list(o.shape)} for o in outputs},
        "profiles": profiles,
        "notes": notes,
        "layers": network.num_layers,
        "parse_s": round(parse_s, 6),
        "build_s": round(time.perf_counter() - start, 6),
    }


def make_log(trt: Any) -> Any:
    """Make a logger that prints what matters, and keeps errors and warnings for messages."""

    class Log(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.texts: list[list[str]] = []

        def log(self, severity: Any, msg: str) -> None:
            level = severity.name
            if level != "VERBOSE":
                # What this process prints is the step's log.
                print(f"[{level}] {msg}", flush=True)  # noqa: T201
            if level in ("INTERNAL_ERROR", "ERROR", "WARNING"):
                self.texts.append([level, str(msg)])

    return Log()


def creation_flags(trt: Any) -> int:
    """Give the flags of a network that keeps the types of the ONNX file and its batch dimension.

    From TensorRT 11 on every network is such; the flags are ignored, and may be dropped.
    """
    known = getattr(trt, "NetworkDefinitionCreationFlag", None)
    flags = 0
    for name in ("STRONGLY_TYPED", "EXPLICIT_BATCH"):
        if hasattr(known, name):
            flags |= 1 << int(getattr(known, name))
    return flags


def parse(trt: Any, network: Any, log: Any, model: str) -> None:
    """Read the ONNX file, and the data files beside it, into a network.

    Raises:
        EngineError: It is no ONNX file, or has what TensorRT does not know.
    """
    parser = trt.OnnxParser(network, log)
    if not parser.parse_from_file(model):
        errors = [parser.get_error(n) for n in range(parser.num_errors)]
        raise EngineError("parse", errors=[_facts(error) for error in errors], log=log.texts)
    # What is no ONNX file at all is often read without a complaint, as a model with nothing in it.
    if network.num_outputs == 0:
        raise EngineError("empty")


def _facts(error: Any) -> dict[str, str]:
    return {
        "code": error.code().name,
        "node": str(error.node_name()),
        "operator": str(error.node_operator()),
        "text": str(error.desc()),
        "file": str(error.file()),
        "function": str(error.func()),
    }


def _input(tensor: Any) -> Input:
    dtype = tensor.dtype.name
    shape = tuple(tensor.shape)
    made: Input = settling.Input(
        tensor.name,
        shape,
        _DTYPES.get(dtype, dtype.lower()),
        tuple(tensor.get_dimension_name(index) for index in range(len(shape))),
        bool(tensor.is_shape_tensor),
    )
    return made


def configure(trt: Any, config: Any, order: Order) -> None:
    """Set what the user asked for; everything else stays as the library has it.

    Raises:
        EngineError: A compute capability is none that the library knows.
    """
    if not order.tf32:
        config.clear_flag(trt.BuilderFlag.TF32)
    if order.workspace_mib is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, order.workspace_mib * _MIB)
    if order.optimization_level is not None:
        config.builder_optimization_level = order.optimization_level
    if not order.compute_capabilities:
        return
    names = {text: "SM" + text.replace(".", "") for text in order.compute_capabilities}
    known = [name for name in trt.ComputeCapability.__members__ if name.startswith("SM")]
    for text, name in names.items():
        if name not in known:
            # The last digit is the minor number: SM86 is 8.6, SM120 is 12.0.
            shown = [f"{known_name[2:-1]}.{known_name[-1]}" for known_name in known]
            raise EngineError("target", wanted=text, known=shown)
    config.num_compute_capabilities = len(names)
    for index, name in enumerate(names.values()):
        config.set_compute_capability(getattr(trt.ComputeCapability, name), index)


def add_profile(
    builder: Any, config: Any, log: Any, shapes: Mapping[str, Range], inputs: Sequence[Input]
) -> None:
    """Add one optimization profile.

    Raises:
        EngineError: TensorRT does not take it.
    """
    values = {each.name for each in inputs if each.is_values}
    profile = builder.create_optimization_profile()
    try:
        for name, found in shapes.items():
            setter = profile.set_shape_input if name in values else profile.set_shape
            setter(name, *found)
        taken = config.add_optimization_profile(profile) >= 0
    # The bindings raise RuntimeError where their documentation says ValueError.
    except (ValueError, RuntimeError) as error:
        log.texts.append(["ERROR", str(error)])
        taken = False
    if not taken:
        raise EngineError("build", log=log.texts)


def write_engine(builder: Any, network: Any, config: Any, path: Path, writer_base: Any) -> bool:
    """Build the engine and write it, in pieces where the library can: that spares a copy of it.

    Args:
        builder: TensorRT's.
        network: What is built.
        config: How.
        path: The file.
        writer_base: The library's ``IStreamWriter``; None if it has none.

    Returns:
        Whether it could be built; the logger knows why not.

    Raises:
        EngineError: It cannot be written.
    """
    try:
        with path.open("wb") as file:
            if writer_base is None:
                content = builder.build_serialized_network(network, config)
                if content is not None:
                    file.write(memoryview(content))
                return content is not None
            writer = make_writer(writer_base, file.write)
            built = builder.build_serialized_network_to_stream(network, config, writer)
            if writer.error is not None:
                raise writer.error
            return bool(built)
    except OSError as error:
        raise EngineError("write", detail=str(error.strerror or error)) from error


def make_writer(base: Any, write: Callable[[Any], int]) -> Any:
    """Make what TensorRT hands an engine to, piece by piece.

    TensorRT reports success whatever it returns or raises; ``error`` is what counts.
    """

    class Writer(base):  # type: ignore[misc]
        def __init__(self) -> None:
            base.__init__(self)
            self.error: OSError | None = None

        def write(self, data: bytes) -> int:
            if self.error is not None:
                return 0
            try:
                return write(data)
            except OSError as error:
                self.error = error
                return 0

    return Writer()
