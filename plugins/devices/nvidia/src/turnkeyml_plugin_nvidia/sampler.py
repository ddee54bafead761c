"""Samples a GPU's power, clocks, utilization and temperature while something is measured."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from turnkeyml.errors import BuildError
from turnkeyml_plugin_nvidia.nvml import Nvml, opened
from turnkeyml_plugin_nvidia.reasons import PROTECTION, SETTINGS
from turnkeyml_plugin_nvidia.state import (
    MEMORY,
    SM,
    clock_mhz,
    power_w,
    temperature_c,
    throttle_reasons,
)

INTERVAL_S = 0.2
SLOW_EVERY = 5
"""What changes slowly is asked at every so many looks only: each question wakes a thread."""

MIN_COUNTER_S = 1.0
"""The GPU's counter of energy moves in steps, so that it tells nothing about shorter times."""


@dataclass(frozen=True)
class GpuSample:
    """A GPU at one moment; None where it does not tell, or was not asked this time.

    Args:
        at_s: Since the sampler was started.
        power_w: What it draws.
        sm_clock_mhz: Of the multiprocessors.
        memory_clock_mhz: Of the memory.
        utilization_percent: How much of the last moments anything ran.
        temperature_c: Of the chip.
        throttle_reasons: What holds the clocks down.
        energy_mj: The GPU's counter of energy, which only grows.
    """

    at_s: float
    power_w: float | None
    sm_clock_mhz: int | None
    memory_clock_mhz: int | None
    utilization_percent: int | None
    temperature_c: int | None
    throttle_reasons: tuple[str, ...]
    energy_mj: int | None = None


@dataclass(frozen=True)
class GpuUse:
    """What a GPU did while it was sampled; None where it does not tell.

    Args:
        samples: How many there are.
        duration_s: From start to stop, or of the window.
        mean_power_w: From the GPU's counter of energy where it has one and the time is long enough,
            else the mean of the samples.
        max_power_w: Of the samples.
        energy_j: From the counter, or None; of a window, what was used between its first and its
            last sample.
        mean_sm_clock_mhz: Of the multiprocessors.
        min_sm_clock_mhz: Of the multiprocessors.
        mean_memory_clock_mhz: Of the memory.
        mean_utilization_percent: How much of the time anything ran.
        max_temperature_c: Of the chip.
        throttle_reasons: What held the clocks down in any sample, in words.
        throttled_share: Samples with a reason that nobody chose by a setting, as a share of all.
        disturbances: Those of the reasons by which the GPU protects itself from heat or its supply;
            the power limit is none, as a GPU may well work at it all the time.
        error: Why sampling ended early, if it did.
    """

    samples: int
    duration_s: float
    mean_power_w: float | None
    max_power_w: float | None
    energy_j: float | None
    mean_sm_clock_mhz: float | None
    min_sm_clock_mhz: int | None
    mean_memory_clock_mhz: float | None
    mean_utilization_percent: float | None
    max_temperature_c: int | None
    throttle_reasons: tuple[str, ...]
    throttled_share: float | None
    disturbances: tuple[str, ...] = ()
    error: str | None = None


class GpuSampler:
    """Looks at the GPU now and then, in a thread of its own.

        with GpuSampler() as sampler:
            run_the_model()
        print(sampler.use().mean_power_w)

    The thread sleeps between its looks, and NVML is asked without holding Python's lock. What is
    left of its cost is that the two threads hand that lock to each other, four times a look.

    Args:
        interval_s: Time between two looks.
        open_nvml: Opens NVML for the GPU.
        clock: Gives seconds.
    """

    def __init__(
        self,
        interval_s: float = INTERVAL_S,
        *,
        open_nvml: Callable[[], AbstractContextManager[Nvml]] = opened,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.interval_s = interval_s
        self.samples: list[GpuSample] = []
        self._open_nvml = open_nvml
        self._clock = clock
        self._stop = threading.Event()
        self._undo = ExitStack()
        self._error: str | None = None
        self._began = self._ended = 0.0
        self._energy: tuple[int | None, int | None] = (None, None)

    def __enter__(self) -> GpuSampler:
        self.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to sample.

        Raises:
            BuildError: There is no driver or no GPU.
        """
        with ExitStack() as undo:
            self._nvml = undo.enter_context(self._open_nvml())
            self._energy = (_energy_mj(self._nvml), None)
            self._undo = undo.pop_all()
        self._began = self._clock()
        self._thread = threading.Thread(target=self._run, name="turnkey-gpu-sampler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End sampling; the thread is gone afterwards."""
        self._stop.set()
        self._thread.join()
        self._ended = self._clock()
        try:
            if self._error is None:
                self._energy = (self._energy[0], _energy_mj(self._nvml))
        except BuildError as error:
            self._error = str(error)
        finally:
            self._undo.close()

    def use(self, since_s: float | None = None, until_s: float | None = None) -> GpuUse:
        """Sum up the samples, after `stop`: all, or those of a window of time.

        Args:
            since_s: Where the window begins, by the sampler's clock; None: with the sampler. The
                default clock is the same in all processes of a machine.
            until_s: Where it ends; None: with the sampler.
        """
        is_window = since_s is not None or until_s is not None
        since = self._began if since_s is None else max(since_s, self._began)
        until = self._ended if until_s is None else min(until_s, self._ended)
        samples = self.samples
        if is_window:
            samples = [sample for sample in samples if since <= self._began + sample.at_s <= until]
        duration = max(0.0, until - since)
        powers = [sample.power_w for sample in samples if sample.power_w is not None]
        energy, energy_s = _energy_of(samples) if is_window else (self._energy_j(), duration)
        if energy is not None and energy_s >= MIN_COUNTER_S:
            mean_power: float | None = energy / energy_s
        else:
            mean_power = _mean(powers)
        clocks = _known(sample.sm_clock_mhz for sample in samples)
        reasons = [sample.throttle_reasons for sample in samples]
        held = sum(bool(set(found) - SETTINGS) for found in reasons)
        told = tuple(dict.fromkeys(word for found in reasons for word in found))
        return GpuUse(
            samples=len(samples),
            duration_s=round(duration, 6),
            mean_power_w=None if mean_power is None else round(mean_power, 3),
            max_power_w=max(powers, default=None),
            energy_j=energy,
            mean_sm_clock_mhz=_mean(clocks),
            min_sm_clock_mhz=min(clocks, default=None),
            mean_memory_clock_mhz=_mean(_known(s.memory_clock_mhz for s in samples)),
            mean_utilization_percent=_mean(_known(s.utilization_percent for s in samples)),
            max_temperature_c=max(_known(s.temperature_c for s in samples), default=None),
            throttle_reasons=told,
            throttled_share=held / len(reasons) if reasons else None,
            disturbances=tuple(words for words in told if words in PROTECTION),
            error=self._error,
        )

    def _energy_j(self) -> float | None:
        before, after = self._energy
        if before is None or after is None or after < before:
            return None
        return (after - before) / 1000

    def _run(self) -> None:
        try:
            while True:
                whole = len(self.samples) % SLOW_EVERY == 0
                self.samples.append(_look(self._nvml, self._clock() - self._began, whole=whole))
                if self._stop.wait(self.interval_s):
                    return
        # A thread has nobody to raise to: whatever went wrong is told with the samples.
        except Exception as error:  # noqa: BLE001
            self._error = str(error)


def _look(nvml: Nvml, at_s: float, *, whole: bool) -> GpuSample:
    utilization = nvml.ask("nvmlDeviceGetUtilizationRates") if whole else None
    return GpuSample(
        at_s=at_s,
        power_w=power_w(nvml),
        sm_clock_mhz=clock_mhz(nvml, SM),
        memory_clock_mhz=clock_mhz(nvml, MEMORY) if whole else None,
        utilization_percent=None if utilization is None else int(utilization.gpu),
        temperature_c=temperature_c(nvml) if whole else None,
        throttle_reasons=throttle_reasons(nvml) or (),
        energy_mj=_energy_mj(nvml),
    )


def _energy_of(samples: Sequence[GpuSample]) -> tuple[float | None, float]:
    """Give what was used between the first and the last sample, in J, and the time between them."""
    read = [(sample.at_s, sample.energy_mj) for sample in samples if sample.energy_mj is not None]
    if len(read) < 2 or read[-1][1] < read[0][1]:
        return None, 0.0
    return (read[-1][1] - read[0][1]) / 1000, read[-1][0] - read[0][0]


def _energy_mj(nvml: Nvml) -> int | None:
    found: int | None = nvml.ask("nvmlDeviceGetTotalEnergyConsumption")
    return found


def _known(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return round(statistics.fmean(values), 3) if values else None
