"""Numbers of 32 bits made into numbers of 16, and what is lost by it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

LARGEST = 65504.0
"""The largest number that float16 has."""

SMALLEST = 5.96e-08
"""What the converters take for the smallest number above zero that float16 has."""


@dataclass(frozen=True)
class Losses:
    """How many numbers of a tensor float16 cannot hold.

    Args:
        clamped: Beyond ±65504; they become ±65504.
        too_small: Nearer to zero than float16 has numbers; they become ±5.96e-08.
        infinite: Infinite already; they stay so.
        nan: Not a number already; they stay so.
    """

    clamped: int = 0
    too_small: int = 0
    infinite: int = 0
    nan: int = 0

    def __add__(self, other: Losses) -> Losses:
        return Losses(
            self.clamped + other.clamped,
            self.too_small + other.too_small,
            self.infinite + other.infinite,
            self.nan + other.nan,
        )

    def __bool__(self) -> bool:
        return self != Losses()

    def to_json(self) -> dict[str, int]:
        """Give what is not zero."""
        return {name: count for name, count in asdict(self).items() if count}


def halve(values: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], Losses]:
    """Convert float32 to float16 as the converters do: no number becomes infinite or zero by it.

    Args:
        values: An array of float32, of any shape.
    """
    import numpy as np

    with np.errstate(invalid="ignore"):
        sizes = np.abs(values)
        largest = sizes.max(initial=0)
        small = sizes < SMALLEST
        # Zeros are small too, and stay; most tensors have nothing else that is.
        if small.any():
            small &= sizes > 0
        too_small = int(np.count_nonzero(small))
        clamped = infinite = nan = 0
        if too_small or not largest <= LARGEST:
            values = values.copy()
            values[small] = np.copysign(np.float32(SMALLEST), values[small])
        if not largest <= LARGEST:
            nan = int(np.count_nonzero(np.isnan(values)))
            infinite = int(np.count_nonzero(sizes == np.inf))
            large = (sizes > LARGEST) & (sizes < np.inf)
            clamped = int(np.count_nonzero(large))
            values[large] = np.copysign(np.float32(LARGEST), values[large])
        return values.astype(np.float16), Losses(clamped, too_small, infinite, nan)
