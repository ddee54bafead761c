"""An engine file, loaded: its tensors, the profile that takes the captured inputs, its context."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from .library import reason_from
from .refusal import RefusalError

_DTYPES = {
    "FLOAT": "float32", "HALF": "float16", "BF16": "bfloat16", "FP8": "float8_e4m3fn",
    "INT8": "int8", "INT32": "int32", "INT64": "int64", "UINT8": "uint8", "BOOL": "bool",
}  # fmt: skip
_FORMATS = {"int32": "i", "int64": "q"}
_OPEN = -1
_LOG_HINT = "The log has the library's whole report."
_PROFILE_HINT = "Build an engine for it with build-trt-engine --profile {}=MIN,OPT,MAX."


class Raw(Protocol):
    """A captured tensor: see ``RawTensor`` in ``turnkeyml/worker/tensors.py``."""

    dtype: str
    shape: tuple[int, ...]
    data: memoryview


class Origin(NamedTuple):
    """What an engine was built with, and what is to run it.

    Args:
        module: The library's module.
        title: The library, as messages call it.
        version: Of the library that built the engine; None if that is not known.
    """

    module: str
    title: str
    version: str | None


@dataclass(frozen=True)
class Tensor:
    """An input or output of an engine.

    Args:
        name: Its name.
        dtype: As turnkey calls it, such as ``float32``.
        shape: Its dimensions; -1 for one that is open.
        is_input: Whether it is an input.
        on_host: Whether the engine reads or writes it in the memory of the processor.
        is_values: Whether what it holds decides shapes.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    is_input: bool
    on_host: bool = False
    is_values: bool = False


def load_engine(trt: Any, log: Any, path: Path, origin: Origin, gpu: tuple[str, str]) -> Any:
    """Load an engine onto the GPU.

    Args:
        trt: The library.
        log: What it logs to.
        path: The file.
        origin: What the file was built with.
        gpu: Name and compute capability of the GPU that is there, for messages.

    Raises:
        RefusalError: The library does not take it; says why as far as that can be known.
    """
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise RefusalError(f"The engine {path.name} is empty.", "Build it again.")
        # The kernel's pages instead of a copy in this process, which an engine's size may double.
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    runtime = trt.Runtime(log)
    engine = runtime.deserialize_cuda_engine(content)
    if engine is None:
        told = _diagnostics(trt, runtime, content)
        reason = reason_from(log.texts)
        raise _not_loaded(path.name, origin, str(trt.__version__), gpu, (*told, reason))
    return engine


def _not_loaded(
    name: str, origin: Origin, here: str, gpu: tuple[str, str], told: tuple[str, ...]
) -> RefusalError:
    """Make the error for an engine that the library does not take.

    Args:
        name: The file's.
        origin: What built it.
        here: The version of the library that is installed.
        gpu: Name and compute capability of the GPU that is there.
        told: What the library finds wrong with it, by its names, and last what it logged.
    """
    if "VERSION_MISMATCH" in told or (origin.version is not None and origin.version != here):
        built = f"{origin.title} {origin.version or 'of another version'}"
        return RefusalError(
            f"The engine {name} was built with {built}, and {origin.title} {here}, which is "
            "installed, does not take it.",
            "Build it again with --rebuild always, or install the version that built it.",
        )
    if "UNSUPPORTED_CC" in told:
        return RefusalError(
            f"The engine {name} is for other GPUs than {gpu[0]}, whose compute capability is "
            f"{gpu[1]}.",
            f"Build it with build-trt-engine --compute-capability {gpu[1]}, or --library tensorrt.",
        )
    if "MALFORMED_ENGINE" in told:
        return RefusalError(
            f"{origin.title} finds no engine in {name}.", "Build it again with --rebuild always."
        )
    return RefusalError(f"{origin.title} {here} cannot load {name}: {told[-1]}.", _LOG_HINT)


def _diagnostics(trt: Any, runtime: Any, content: Any) -> tuple[str, ...]:
    """Ask why an engine is not valid here; TensorRT itself has no such question."""
    kinds = getattr(trt, "EngineInvalidityDiagnostics", None)
    if kinds is None or not hasattr(runtime, "get_engine_validity"):
        return ()
    _, bits = runtime.get_engine_validity(content)
    return tuple(name for name, kind in kinds.__members__.items() if int(bits) & int(kind))


def read_tensors(trt: Any, engine: Any) -> list[Tensor]:
    """Give the inputs and outputs of an engine, in its order.

    Raises:
        RefusalError: One is of a type or in an order that cannot be handed over.
    """
    found = []
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        dtype = engine.get_tensor_dtype(name).name
        if dtype not in _DTYPES:
            raise RefusalError(f"The engine's {name} is of the type {dtype}, which has no bytes.")
        if engine.get_tensor_format(name) != trt.TensorFormat.LINEAR:
            raise RefusalError(
                f"The engine wants {name} in the order {engine.get_tensor_format_desc(name)}.",
                "Build it without orders of its own for inputs and outputs.",
            )
        found.append(
            Tensor(
                name,
                _DTYPES[dtype],
                tuple(engine.get_tensor_shape(name)),
                engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT,
                engine.get_tensor_location(name) == trt.TensorLocation.HOST,
                bool(engine.is_shape_inference_io(name)),
            )
        )
    return found


def choose_profile(
    engine: Any, inputs: Sequence[Tensor], given: Mapping[str, Raw], wanted: int | None
) -> int:
    """Choose the first profile that takes the captured inputs.

    Args:
        engine: The engine.
        inputs: Its inputs.
        given: What was captured, by the engine's names.
        wanted: The profile that the user asks for; None: any.

    Raises:
        RefusalError: There is none, or the one that is wanted does not take them.
    """
    missing = [tensor.name for tensor in inputs if tensor.name not in given]
    if missing:
        raise RefusalError(f"There is no captured value for the inputs {', '.join(missing)}.")
    for tensor in inputs:
        _check_fixed(tensor, given[tensor.name].shape)
    count = int(engine.num_optimization_profiles)
    if wanted is not None and not 0 <= wanted < count:
        has = "one profile, number 0" if count == 1 else f"profiles 0 to {count - 1}"
        raise RefusalError(f"The engine has {has}, and none of the number {wanted}.")
    misfits = {}
    for index in range(count) if wanted is None else [wanted]:
        misfit = next(filter(None, (_misfit(engine, t, given[t.name], index) for t in inputs)), "")
        if not misfit:
            return index
        misfits[index] = misfit
    which = f"Profile {wanted}" if wanted is not None else "No profile"
    verb = "does not take" if wanted is not None else "of the engine takes"
    first = next(iter(misfits.values()))
    raise RefusalError(
        f"{which} {verb} what was captured: {first}.",
        _PROFILE_HINT.format(first.partition(" ")[0]),
    )


def _check_fixed(tensor: Tensor, shape: tuple[int, ...]) -> None:
    agrees = len(shape) == len(tensor.shape) and all(
        fixed in (_OPEN, number) for number, fixed in zip(shape, tensor.shape, strict=True)
    )
    if not agrees:
        raise RefusalError(
            f"The engine takes {tensor.name} as {shown(tensor.shape)}, but it was captured as "
            f"{shown(shape)}.",
            "Build the engine again for this model.",
        )


def _misfit(engine: Any, tensor: Tensor, raw: Raw, index: int) -> str:
    """Say what of an input is outside of a profile, if anything."""
    if _OPEN in tensor.shape:
        low, _, high = (tuple(s) for s in engine.get_tensor_profile_shape(tensor.name, index))
        if not _is_within(raw.shape, low, high):
            return f"{tensor.name} is {shown(raw.shape)}, not from {shown(low)} to {shown(high)}"
    if tensor.is_values and raw.dtype in _FORMATS:
        # The bindings' help has these two arguments in the other order.
        bounds = engine.get_tensor_profile_values(index, tensor.name)
        numbers = values_of(raw)
        if bounds and not _is_within(numbers, tuple(bounds[0]), tuple(bounds[2])):
            return (
                f"{tensor.name} holds {shown(numbers)}, not from {shown(tuple(bounds[0]))} to "
                f"{shown(tuple(bounds[2]))}"
            )
    return ""


def _is_within(numbers: Sequence[int], low: Sequence[int], high: Sequence[int]) -> bool:
    same = len(numbers) == len(low) == len(high)
    return same and all(a <= b <= c for a, b, c in zip(low, numbers, high, strict=True))


def values_of(raw: Raw) -> tuple[int, ...]:
    """Give the numbers of a small tensor of whole numbers."""
    count = len(raw.data) // struct.calcsize(_FORMATS[raw.dtype])
    return struct.unpack(f"<{count}{_FORMATS[raw.dtype]}", raw.data)


def make_context(trt: Any, log: Any, engine: Any, *, cuda_graph: bool) -> tuple[Any, bool]:
    """Make what runs an engine.

    Args:
        trt: The library.
        log: What it logs to.
        engine: The engine.
        cuda_graph: Whether the user wants CUDA graphs.

    Returns:
        The context, and whether it makes CUDA graphs by itself.

    Raises:
        RefusalError: The library gives none, as when the GPU's memory is full.
    """
    own_graphs = False
    strategies = getattr(trt, "DynamicShapesKernelSpecializationStrategy", None)
    if strategies is None:
        context = engine.create_execution_context()
    else:
        # TensorRT-RTX else compiles kernels for the shapes in the background, while it is timed.
        config = engine.create_runtime_config()
        config.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER
        if cuda_graph and hasattr(trt, "CudaGraphStrategy"):
            config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
            own_graphs = True
        context = engine.create_execution_context(config)
    if context is None:
        raise RefusalError(
            f"The engine cannot be made ready to run: {reason_from(log.texts)}.", _LOG_HINT
        )
    return context, own_graphs


def shown(shape: Sequence[int]) -> str:
    """Write dimensions as in ``4x10``; ``?`` is an open one."""
    return "x".join("?" if number == _OPEN else str(number) for number in shape) or "scalar"
