"""How far an output may be from the reference, by the coarsest dtype that took part.

The numbers are multiples of a dtype's rounding error (2^-24 for float32, 2^-11 for float16, 2^-8
for bfloat16), because rounding adds up over the layers of a model. Measured on fourteen
architectures: sound exports in float32 use up an eighth of their tolerance at most, sound
conversions to float16 a quarter, while a wrong weight or operator is beyond. README.md has more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Tolerance:
    """The largest difference that is still rounding.

    Args:
        dtype: The dtype that it is for.
        relative: Of a value's own size, or of the output's typical size (its root mean square)
            where that is larger.
        absolute: Differences below this may be the rounding of larger numbers that were subtracted
            from each other. An output of such a size that differs more than it may proves nothing.
    """

    dtype: str
    relative: float
    absolute: float


EXACT = Tolerance("integer", 0.0, 0.0)
_BY_DTYPE = {
    found.dtype: found
    for found in (
        # From the finest to the coarsest.
        Tolerance("float64", 1e-7, 1e-14),
        Tolerance("float32", 1e-4, 1e-7),
        # Matrix products of GPUs with ten bits of mantissa, which TensorRT uses for float32.
        Tolerance("tf32", 1e-2, 1e-5),
        Tolerance("float16", 5e-2, 1e-5),
        Tolerance("bfloat16", 2e-1, 1e-5),
        Tolerance("float8", 5e-1, 1e-5),
        Tolerance("int8", 5e-1, 1e-5),
    )
}
_ORDER = list(_BY_DTYPE)
_ALIASES = {"complex64": "float32", "complex128": "float64", "uint8": "int8"}


def tolerance_for(dtypes: Iterable[str], *, whole: bool = False) -> Tolerance:
    """Give the tolerance of an output.

    Args:
        dtypes: Of the reference, of the output, and of the arithmetic in between where it is known;
            unknown ones do not count.
        whole: Whether the output's values are integers or truth values, which must be equal.
    """
    if whole:
        return EXACT
    known = [_known(dtype) for dtype in dtypes]
    ranks = [_ORDER.index(dtype) for dtype in known if dtype is not None]
    return _BY_DTYPE[_ORDER[max(ranks, default=_ORDER.index("float32"))]]


def _known(dtype: str) -> str | None:
    if dtype.startswith("float8"):
        return "float8"
    found = _ALIASES.get(dtype, dtype)
    return found if found in _BY_DTYPE else None
