"""The runtime `ort`: ONNX Runtime, measured in a fresh process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from turnkeyml.errors import PlanError
from turnkeyml.runtime import BaseRT

CPU_PROVIDER = "CPUExecutionProvider"


class OnnxRT(BaseRT):
    """ONNX Runtime, by default on the processor with its own defaults.

    Args:
        threads: Threads within an operator; by default ONNX Runtime decides.
        inter_threads: Threads across operators; more than one runs operators side by side.
        optimization_level: disabled, basic, extended, layout or all (default) of its own graph
            optimizations when it loads the model.
        provider: An execution provider, by name; the processor is the fallback for what it leaves.
        io_binding: Bind inputs and outputs once instead of handing them over at each run.
        spinning: Whether its threads spin while they wait for work, which is its default.
    """

    worker = "worker.py"
    worker_packages = ("onnxruntime", "numpy")

    def __init__(
        self,
        *,
        threads: int | None = None,
        inter_threads: int | None = None,
        optimization_level: Literal["disabled", "basic", "extended", "layout", "all"] = "all",
        provider: str = CPU_PROVIDER,
        io_binding: bool = False,
        spinning: bool = True,
    ) -> None:
        for name, number in (("threads", threads), ("inter_threads", inter_threads)):
            if number is not None and number < 1:
                raise PlanError(f"The runtime argument {name} is at least 1, not {number}.")
        self._arguments: dict[str, Any] = {
            "threads": threads,
            "inter_threads": inter_threads,
            "optimization_level": optimization_level,
            "provider": provider,
            "io_binding": io_binding,
            "spinning": spinning,
        }

    def worker_arguments(self) -> Mapping[str, Any]:
        """Give the runtime arguments to the worker."""
        return self._arguments

    def device_name(self) -> str:
        """Name the processor."""
        info = self.context.device_info
        return info.full_name() if info is not None else self.device_type
