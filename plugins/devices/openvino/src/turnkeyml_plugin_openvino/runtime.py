"""The runtime `openvino`: OpenVINO on the processor, measured in a fresh process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from turnkeyml.errors import PlanError
from turnkeyml.runtime import BaseRT


class OpenVINO(BaseRT):
    """OpenVINO on the processor, in the precision that the model has.

    The arguments have the names of OpenVINO's properties in small letters; None leaves a property
    to OpenVINO.

    Args:
        performance_hint: What OpenVINO is to set itself up for. With THROUGHPUT one inference after
            the other is timed as well, and a fact tells the throughput of all requests at once.
        execution_mode_hint: ACCURACY computes in the model's own precision. With PERFORMANCE, which
            is OpenVINO's own default, it chooses: bfloat16 on processors that have it, float16 on
            Arm.
        inference_precision_hint: The precision to compute in, whatever the model's is.
        num_streams: Inferences that can run side by side.
        inference_num_threads: Threads of all streams together.
        threads: The same, by the name that it has at other runtimes.
        enable_cpu_pinning: Whether each thread stays on one core.
        reshape: Whether dynamic inputs get the shapes of the captured ones before compiling.
        model_cache: Keep the compiled model in the build, and load it from there the next time.
        properties: Any other properties, as ``[KEY=VALUE,KEY=VALUE]``; they win.
    """

    worker = "worker.py"
    worker_packages = ("openvino", "numpy")

    def __init__(
        self,
        *,
        performance_hint: Literal["LATENCY", "THROUGHPUT"] = "LATENCY",
        execution_mode_hint: Literal["ACCURACY", "PERFORMANCE"] = "ACCURACY",
        inference_precision_hint: Literal["f32", "bf16", "f16"] | None = None,
        num_streams: int | None = None,
        inference_num_threads: int | None = None,
        threads: int | None = None,
        enable_cpu_pinning: bool | None = None,
        reshape: bool = True,
        model_cache: bool = False,
        properties: tuple[str, ...] = (),
    ) -> None:
        if None not in (threads, inference_num_threads) and threads != inference_num_threads:
            raise PlanError(
                f"The runtime arguments threads ({threads}) and inference_num_threads "
                f"({inference_num_threads}) are two names of one thing."
            )
        count = inference_num_threads if inference_num_threads is not None else threads
        chosen = {
            "PERFORMANCE_HINT": performance_hint,
            "EXECUTION_MODE_HINT": execution_mode_hint,
            "INFERENCE_PRECISION_HINT": inference_precision_hint,
            "NUM_STREAMS": _count("num_streams", num_streams),
            "INFERENCE_NUM_THREADS": _count("threads", count),
            "ENABLE_CPU_PINNING": _yes_or_no(enable_cpu_pinning),
        }
        self._properties = {key: value for key, value in chosen.items() if value is not None}
        self._properties |= dict(_property(text) for text in properties)
        self._reshape = reshape
        self._cache = model_cache

    def worker_arguments(self) -> Mapping[str, Any]:
        """Give the runtime arguments to the worker, and how often the model is to be run."""
        folder = {"CACHE_DIR": str(Path(self.output_dir) / "cache")} if self._cache else {}
        return {
            "properties": {**folder, **self._properties},
            "reshape": self._reshape,
            "iterations": self.iterations,
        }

    def device_name(self) -> str:
        """Name the processor."""
        info = self.context.device_info
        return info.full_name() if info is not None else self.device_type


def _count(name: str, number: int | None) -> str | None:
    if number is not None and number < 1:
        raise PlanError(f"The runtime argument {name} is at least 1, not {number}.")
    return None if number is None else str(number)


def _yes_or_no(flag: bool | None) -> str | None:
    return None if flag is None else "YES" if flag else "NO"


def _property(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not (key and separator and value):
        raise PlanError(
            f"{text!r} among the runtime argument properties is no property.",
            hint="Write properties::[KEY=VALUE,KEY=VALUE] with the names of OpenVINO's properties.",
        )
    return key.strip(), value.strip()
