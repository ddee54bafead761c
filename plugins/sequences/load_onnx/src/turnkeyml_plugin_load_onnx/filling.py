"""Make values for the inputs of a model: random, but such that the model can use them."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from turnkeyml.errors import BuildError
from turnkeyml.worker.tensors import ITEM_SIZES, RawTensor
from turnkeyml_plugin_load_onnx.ranges import Use, use_of
from turnkeyml_plugin_load_onnx.reading import shown

if TYPE_CHECKING:
    import numpy as np
    import onnx_ir as ir

    from turnkeyml_plugin_load_onnx.signature import InputSpec

SEED = 0
LARGEST_BYTES = 4 << 30
"""What the inputs may take together."""

_MASK = re.compile(r"mask", re.IGNORECASE)
_POSITION = re.compile(r"position|(^|_)pos(_ids?)?$", re.IGNORECASE)
_SEGMENT = re.compile(r"token_type|segment", re.IGNORECASE)
_TOKEN = re.compile(r"input_ids|token|(^|_)ids$", re.IGNORECASE)
_LENGTH = re.compile(r"len(s|gths?)?$", re.IGNORECASE)
_LARGEST_VALUE = 1 << 62
_SEGMENTS, _TOKENS, _OTHERS = 2, 100, 2


def check_size(inputs: Mapping[str, InputSpec], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check that the inputs fit into memory, before any is made.

    Raises:
        BuildError: They do not.
    """
    sizes = {n: math.prod(shapes[n]) * ITEM_SIZES[spec.dtype] for n, spec in inputs.items()}
    if sum(sizes.values()) > LARGEST_BYTES:
        name = max(sizes, key=lambda n: sizes[n])
        raise BuildError(
            f"The inputs would take {sum(sizes.values()):,} bytes, {shown(name)} with the shape "
            f"{list(shapes[name])} most of them.",
            hint="Give smaller shapes with --shape.",
        )


def make_inputs(
    model: ir.Model, inputs: Mapping[str, InputSpec], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, RawTensor]:
    """Make a value for every input; the same model gives the same values.

    Args:
        model: Shows what whole numbers are used for.
        inputs: What is needed.
        shapes: Their shapes.
    """
    length = _sequence_length(inputs, shapes)
    made = {}
    for name, spec in inputs.items():
        use = use_of(model, name, shapes) if spec.is_integer else Use()
        array = _values(spec, shapes[name], use, length)
        dtype = _numpy_type(spec.dtype)
        raw = raw_from_array(spec.dtype, array.astype(dtype, copy=False))
        made[name] = raw
    return made


def raw_from_array(dtype: str, array: np.ndarray) -> RawTensor:
    """Give an array's bytes."""
    return RawTensor(dtype, tuple(array.shape), memoryview(array.tobytes()))


def _numpy_type(dtype: str) -> np.dtype[Any]:
    """Give numpy's type, or the one that ml_dtypes adds to numpy."""
    import ml_dtypes
    import numpy as np

    added = getattr(ml_dtypes, dtype, None)
    return np.dtype(dtype if added is None else added)


def _values(spec: InputSpec, shape: tuple[int, ...], use: Use, length: int) -> np.ndarray:
    import numpy as np

    # The name is part of the seed: an input more or less changes nothing for the others.
    generator = np.random.default_rng([SEED, zlib.crc32(spec.name.encode("utf-8", "replace"))])
    if spec.dtype == "bool" or _MASK.search(spec.name):
        return np.ones(shape)
    if spec.is_integer:
        return _whole_numbers(spec, use, length)(generator, shape)
    values = generator.standard_normal(shape)
    if spec.dtype.startswith("complex"):
        return values + 1j * generator.standard_normal(shape)
    return values


Maker = Callable[["np.random.Generator", tuple[int, ...]], "np.ndarray"]


def _whole_numbers(spec: InputSpec, use: Use, length: int) -> Maker:
    import numpy as np

    limit = min(int(np.iinfo(spec.dtype).max), _LARGEST_VALUE)

    def between(low: int, high: int) -> Maker:
        stop = max(min(high, limit + 1), low + 1)
        return lambda generator, shape: generator.integers(low, stop, shape)

    def positions(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        row = np.arange(shape[-1] if shape else 1) % min(use.rows or limit, limit)
        return np.broadcast_to(row, shape) if shape else np.zeros(shape)

    if _POSITION.search(spec.name):
        return positions
    if use.rows is not None:
        return between(0, use.rows)
    if use.is_size:
        return lambda generator, shape: np.ones(shape)
    if _SEGMENT.search(spec.name):
        return between(0, _SEGMENTS)
    if _TOKEN.search(spec.name):
        return between(0, _TOKENS)
    if _LENGTH.search(spec.name):
        return lambda generator, shape: np.full(shape, min(length, limit))
    if spec.dtype in ("uint8", "int8"):
        # Pictures, or numbers that are quantized: any value may occur.
        low = 0 if spec.dtype == "uint8" else -128
        return between(low, low + 256)
    return between(0, _OTHERS)


def _sequence_length(inputs: Mapping[str, InputSpec], shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Give the length that inputs such as ``x_lengths`` speak of: the second dimension of ``x``."""
    for name, spec in inputs.items():
        if len(shapes[name]) > 1 and not _LENGTH.search(spec.name):
            return shapes[name][1]
    return 1
