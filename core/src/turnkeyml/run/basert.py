"""The contract of a runtime, by the name that documents print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turnkeyml.aliases import lazily

if TYPE_CHECKING:
    from turnkeyml.performance import MeasuredPerformance
    from turnkeyml.runtime import BaseRT

__all__ = ["BaseRT", "MeasuredPerformance"]

__getattr__ = lazily(
    __name__,
    {
        "BaseRT": "turnkeyml.runtime:BaseRT",
        "MeasuredPerformance": "turnkeyml.performance:MeasuredPerformance",
    },
)
