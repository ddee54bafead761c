"""The runtime `trt`: an engine of TensorRT, measured in a fresh process on an NVIDIA GPU."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from turnkeyml.device_watch import DeviceWatch
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.runtime import BaseRT, MeasuredPerformance, RuntimeOutputs
from turnkeyml.worker.process import run_worker
from turnkeyml_plugin_tensorrt.origin import EngineOrigin, find_origin

RUN_ON_S = 1.2
"""GPUs tell their power as the mean of a second, so that a second of work is needed to know it."""
PART_RUNS = 50
_REFUSAL = "RefusalError: "
_TRANSFERS = ("host_to_device_ms", "device_to_host_ms")


class TensorRt(BaseRT):
    """TensorRT or TensorRT-RTX, whichever built the engine.

    An inference uploads all inputs, computes, and downloads all outputs.

    Args:
        cuda_graph: Launch the computation as one CUDA graph instead of kernel by kernel.
        profile: The optimization profile by its number; by default the first of the engine that
            takes the captured inputs.
    """

    worker = "worker.py"

    _origin: EngineOrigin
    _uuid: str | None = None
    _driver: str | None = None
    _measures = False

    def __init__(self, *, cuda_graph: bool = False, profile: int | None = None) -> None:
        if profile is not None and profile < 0:
            raise PlanError(f"The runtime argument profile is at least 0, not {profile}.")
        self._cuda_graph = cuda_graph
        self._profile = profile
        self._gpu_name = ""

    def _setup(self) -> None:
        self._origin = find_origin(self.cache_dir, self.build_name, Path(self.model))
        info = self.context.device_info
        state = info.state() if info is not None else {}
        self._uuid, self._driver = state.get("uuid"), state.get("driver_version")

    def worker_arguments(self) -> Mapping[str, Any]:
        """Give the worker what it needs to know; see ``session/inference.py``."""
        library = self._origin.library
        return {
            "module": library.module,
            "title": library.title,
            "built_with": self._origin.version,
            "cuda_graph": self._cuda_graph,
            "profile": self._profile,
            "gpu": self._uuid,
            "run_on_s": RUN_ON_S if self._measures else 0.0,
            "part_runs": min(self.iterations, PART_RUNS) if self._measures else 0,
        }

    def device_name(self) -> str:
        """Name the GPU."""
        info = self.context.device_info
        if self._gpu_name or info is None:
            return self._gpu_name or self.device_type
        return info.full_name()

    def benchmark(self) -> MeasuredPerformance:
        """Measure in the worker, and watch the GPU from here until the model was run on too."""
        self._measures = True
        context = self.context
        with refusals_explained(), DeviceWatch(context.device_info) as device:
            device.begin()
            result = run_worker(
                self._worker_order(str(self.worker)),
                environment=context.environment,
                python=context.python,
            )
            began, _ = result.window_s
            device.end(began, result.facts["ran_until_s"])
        facts = dict(result.facts)
        parts = facts.pop("numbers")
        del facts["ran_until_s"]
        self._gpu_name = facts["gpu"]
        if self._driver is not None:
            facts["driver_version"] = self._driver
        self.stats.save_model_eval_stat("compute_ms", round(parts["compute_ms"], 6))
        numbers = {**device.judged(result.summary), **parts, "bound_by": bound_by(parts)}
        return self._measured(numbers, facts, result.samples)

    def outputs(self, folder: Path) -> RuntimeOutputs:
        """Run the engine once and keep what it computes."""
        self._measures = False
        with refusals_explained():
            return super().outputs(folder)


def bound_by(parts: Mapping[str, float]) -> str:
    """Say which part of an inference takes the longest.

    Args:
        parts: Medians in ms.
    """
    # The processor launches kernels while the GPU computes: the slower of the two counts.
    if parts["enqueue_ms"] > parts["compute_ms"]:
        return "launching kernels, by the processor"
    transfers = sum(parts[name] for name in _TRANSFERS)
    return "transfers" if transfers > parts["compute_ms"] else "computing"


@contextmanager
def refusals_explained() -> Iterator[None]:
    """Make a sentence with advice of what the worker says in the form of ``RefusalError``."""
    try:
        yield
    except BuildError as error:
        if not error.message.startswith(_REFUSAL):
            raise
        told = json.loads(error.message.removeprefix(_REFUSAL))
        raise BuildError(told["message"], hint=told["hint"] or None) from error
