"""The GPU as a device: whether there is one, its name, its state, and a watch on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from turnkeyml.device import DeviceInfo
from turnkeyml.errors import BuildError
from turnkeyml_plugin_nvidia.nvml import opened
from turnkeyml_plugin_nvidia.sampler import GpuSampler
from turnkeyml_plugin_nvidia.state import full_name, read_state


class NvidiaGpu(DeviceInfo):
    """NVIDIA's GPUs; the first that CUDA programs of this process see."""

    @classmethod
    def is_present(cls) -> bool:
        """Tell whether this machine has one that its driver reaches."""
        try:
            with opened():
                return True
        # A broken driver may do anything; whatever it is, there is no GPU to be used.
        except Exception:  # noqa: BLE001
            return False

    @classmethod
    def full_name(cls) -> str:
        """Name the GPU as NVIDIA does.

        Raises:
            BuildError: There is no driver or no GPU; says which.
        """
        with opened() as nvml:
            return full_name(nvml)

    @classmethod
    def state(cls) -> Mapping[str, Any]:
        """Give driver, memory, clocks, power, temperature and what holds the clocks down.

        Raises:
            BuildError: There is no driver or no GPU; says which.
        """
        with opened() as nvml:
            return _json(asdict(read_state(nvml)))

    @classmethod
    def watch(cls) -> Callable[..., dict[str, Any]]:
        """Sample the GPU from now on; give a function that ends it and says what the GPU did.

        It has the form that `turnkeyml.measure.measure` takes as ``watch``, and never raises: what
        goes wrong is the value of ``error``. The function that it gives takes, if wanted, the
        window of time that is asked about: ``since_s`` and ``until_s`` by `time.perf_counter`, of
        this process or another of the machine.
        """
        sampler = GpuSampler()
        try:
            sampler.start()
        except BuildError as error:
            told = {"error": str(error)}
            return lambda since_s=None, until_s=None: told

        def ended(since_s: float | None = None, until_s: float | None = None) -> dict[str, Any]:
            sampler.stop()
            return _json(asdict(sampler.use(since_s, until_s)))

        return ended


def _json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not known, and turn tuples into the lists that JSON has."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value is not None
    }
