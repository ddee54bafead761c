"""The values of raw tensors as numbers that can be compared, a block at a time."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turnkeyml.worker.tensors import RawTensor

_COMPLEX = {"complex64": "float32", "complex128": "float64"}


class Numbers:
    """A tensor's values in row-major order; complex ones are pairs in a last dimension of two.

    ``shape`` and ``size`` are those of the values. ``whole`` says that they are integers or truth
    values, which come as they are; others come as float64.
    """

    def __init__(self, raw: RawTensor) -> None:
        import numpy as np

        self.dtype = raw.dtype
        pair = (2,) if raw.dtype in _COMPLEX else ()
        self.shape: tuple[int, ...] = (*raw.shape, *pair)
        self.size = math.prod(self.shape)
        self.whole = raw.dtype.startswith(("int", "uint", "bool"))
        self._values: Any = np.frombuffer(raw.data, _stored_dtype(raw.dtype), self.size)

    def block(self, start: int, stop: int) -> Any:
        """Give the values from one place up to another."""
        import numpy as np

        values = self._values[start:stop]
        if self.whole:
            return values
        if self.dtype == "bfloat16":
            return (values.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        if self.dtype.startswith("float8"):
            return _float8_values(self.dtype)[values]
        return values.astype(np.float64)


def _stored_dtype(dtype: str) -> str:
    if dtype == "bfloat16":
        return "<u2"
    if dtype.startswith("float8"):
        return "u1"
    return _COMPLEX.get(dtype, dtype)


@functools.cache
def _float8_values(dtype: str) -> Any:
    """Give the number for each of the 256 values of a byte."""
    import numpy as np

    exponent_bits = int(dtype[len("float8_e")])
    mantissa_bits = 7 - exponent_bits
    fnuz = dtype.endswith("fnuz")
    bias = (1 << (exponent_bits - 1)) - (0 if fnuz else 1)
    found = np.empty(256)
    for byte in range(256):
        sign = -1.0 if byte & 0x80 else 1.0
        exponent = (byte & 0x7F) >> mantissa_bits
        fraction = (byte & ((1 << mantissa_bits) - 1)) / (1 << mantissa_bits)
        if exponent:
            found[byte] = sign * math.ldexp(1 + fraction, exponent - bias)
        else:
            found[byte] = sign * math.ldexp(fraction, 1 - bias)
    if fnuz:
        found[0x80] = math.nan
    elif dtype == "float8_e5m2":
        for byte in (*range(0x7C, 0x80), *range(0xFC, 0x100)):
            infinite = math.inf if byte < 0x80 else -math.inf
            found[byte] = math.nan if byte & 3 else infinite
    else:
        found[0x7F] = found[0xFF] = math.nan
    return found
