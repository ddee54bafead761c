"""Sampling in the background."""

from __future__ import annotations

import itertools
import threading
import time

import pynvml as real
import pytest

from turnkeyml.errors import BuildError
from turnkeyml.measure import Schedule, measure
from turnkeyml_plugin_nvidia.device import NvidiaGpu
from turnkeyml_plugin_nvidia.sampler import SLOW_EVERY, GpuSample, GpuSampler

QUICK_S = 0.001


def wait_for(sampler, count):
    deadline = time.monotonic() + 10
    while len(sampler.samples) < count and time.monotonic() < deadline:
        time.sleep(0.001)
    assert len(sampler.samples) >= count


def sampled(nvml, count=3, clock=None):
    more = {} if clock is None else {"clock": clock}
    with GpuSampler(QUICK_S, **more) as sampler:
        wait_for(sampler, count)
    return sampler


def clock_of(*seconds):
    """A clock whose first value is the start; the rest goes on by nothing."""
    times = itertools.chain(seconds, itertools.repeat(seconds[-1]))
    return lambda: next(times)


def test_numbers_are_summed_up(nvml):
    powers = itertools.chain([100_000, 300_000, 200_000], itertools.repeat(200_000))
    nvml.values["nvmlDeviceGetPowerUsage"] = lambda: next(powers)
    sampler = sampled(nvml)
    use = sampler.use()
    assert use.samples == len(sampler.samples) >= 3
    assert use.max_power_w == 300.0
    assert use.mean_sm_clock_mhz == use.min_sm_clock_mhz == 1980
    assert use.mean_memory_clock_mhz == 3201
    assert use.mean_utilization_percent == 87
    assert use.max_temperature_c == 61
    assert use.throttle_reasons == ("the power limit",)
    assert use.throttled_share == 1.0
    assert use.error is None


def test_smallest_clock_and_mean_differ(nvml):
    clocks = itertools.chain([1980, 1200], itertools.repeat(1980))
    real_answer = nvml._answer

    def answer(name, arguments):
        if name == "nvmlDeviceGetClockInfo" and arguments[1] == real.NVML_CLOCK_SM:
            return next(clocks)
        return real_answer(name, arguments)

    nvml._answer = answer
    use = sampled(nvml).use()
    assert use.min_sm_clock_mhz == 1200
    assert 1200 < use.mean_sm_clock_mhz < 1980


def test_power_comes_from_the_counter_of_energy_over_long_times(nvml):
    # It is asked once before the samples, and then with each and after them.
    counter = itertools.chain([1_000_000], itertools.repeat(1_900_000))
    nvml.values["nvmlDeviceGetTotalEnergyConsumption"] = lambda: next(counter)
    use = sampled(nvml, count=1, clock=clock_of(10.0, 12.0)).use()
    assert use.duration_s == 2.0
    assert use.energy_j == 900.0
    assert use.mean_power_w == 450.0


def test_power_is_the_mean_of_the_samples_over_short_times(nvml):
    counter = itertools.repeat(1_000_000)
    nvml.values["nvmlDeviceGetTotalEnergyConsumption"] = lambda: next(counter)
    use = sampled(nvml, count=1, clock=clock_of(10.0, 10.2)).use()
    assert use.energy_j == 0.0
    assert use.mean_power_w == 412.5


def window_of(samples, since_s, until_s):
    """Sum up a window of samples that are made up; the sampler ran from 100 s to 110 s."""
    sampler = GpuSampler()
    sampler._began, sampler._ended = 100.0, 110.0
    sampler.samples = samples
    return sampler.use(since_s, until_s)


def sample(at_s, power_w=100.0, clock=1980, reasons=(), energy_mj=None):
    return GpuSample(at_s, power_w, clock, None, None, None, reasons, energy_mj)


def test_window_takes_the_samples_inside_only():
    idle, hot = sample(0.0, 60.0, 345), sample(1.0, 500.0, 1700, ("heat, by the hardware",))
    busy = [sample(2.0 + n / 5, 400.0 + n, 1900) for n in range(3)]
    use = window_of([idle, hot, *busy, sample(3.0, 80.0, 345)], 101.9, 102.5)
    assert (use.samples, use.duration_s) == (3, 0.6)
    assert (use.mean_power_w, use.max_power_w) == (401.0, 402.0)
    assert (use.min_sm_clock_mhz, use.throttled_share) == (1900, 0.0)
    assert window_of([idle, hot, *busy], None, None).throttle_reasons == ("heat, by the hardware",)


def test_window_reaches_no_further_than_the_sampler():
    use = window_of([sample(0.0), sample(9.9)], 0.0, 1000.0)
    assert (use.samples, use.duration_s) == (2, 10.0)
    assert window_of([sample(0.0)], 200.0, 201.0).samples == 0
    assert window_of([sample(0.0)], 200.0, 201.0).duration_s == 0.0


def test_power_of_a_window_comes_from_the_counter_as_it_was_read_with_its_samples():
    counted = [sample(n / 2, 1.0, energy_mj=n * 150_000) for n in range(20)]
    use = window_of(counted, 101.0, 103.0)
    assert (use.samples, use.energy_j, use.mean_power_w) == (5, 600.0, 300.0)
    short = window_of(counted, 101.0, 101.6)
    assert (short.samples, short.energy_j, short.mean_power_w) == (2, 150.0, 1.0)


def test_counter_that_starts_anew_says_nothing_about_a_window():
    use = window_of([sample(0.0, energy_mj=900), sample(2.0, energy_mj=100)], 100.0, 103.0)
    assert (use.energy_j, use.mean_power_w) == (None, 100.0)


def test_heat_disturbs_and_the_power_limit_does_not():
    reasons = ("the power limit", "heat, by the driver", "a setting of the application clocks")
    use = window_of([sample(0.0), sample(0.2, reasons=reasons)], None, None)
    assert use.throttle_reasons == reasons
    assert use.throttled_share == 0.5
    assert use.disturbances == ("heat, by the driver",)


@pytest.mark.parametrize(
    ("bits", "share", "reasons"),
    [
        (0x1, 0.0, ()),
        (0x2, 0.0, ("a setting of the application clocks",)),
        (0x2 | 0x40, 1.0, ("a setting of the application clocks", "heat, by the hardware")),
    ],
)
def test_a_setting_that_somebody_chose_is_no_throttling(nvml, bits, share, reasons):
    nvml.values["nvmlDeviceGetCurrentClocksEventReasons"] = bits
    use = sampled(nvml, count=1).use()
    assert use.throttled_share == share
    assert use.throttle_reasons == reasons


def test_what_changes_slowly_is_asked_less_often(nvml):
    sampler = sampled(nvml, count=SLOW_EVERY + 1)
    temperatures = [sample.temperature_c for sample in sampler.samples[: SLOW_EVERY + 1]]
    assert temperatures == [61, *[None] * (SLOW_EVERY - 1), 61]
    assert all(sample.power_w == 412.5 for sample in sampler.samples)


def test_gpu_that_tells_nothing_gives_no_numbers(nvml):
    for name in [*nvml.values, "nvmlDeviceGetClockInfo", "nvmlDeviceGetTemperature"]:
        nvml.errors[name] = real.NVMLError(real.NVML_ERROR_NOT_SUPPORTED)
    nvml.errors["nvmlDeviceGetCurrentClocksThrottleReasons"] = real.NVMLError(
        real.NVML_ERROR_NOT_SUPPORTED
    )
    use = sampled(nvml, count=1).use()
    assert use.samples >= 1
    assert use.mean_power_w is use.energy_j is use.mean_sm_clock_mhz is None
    assert use.max_temperature_c is None


def test_thread_is_gone_and_nvml_closed_afterwards(nvml):
    sampled(nvml)
    assert nvml.open == 0
    assert not [t for t in threading.enumerate() if t.name == "turnkey-gpu-sampler"]


def test_short_time_has_one_sample_at_least(nvml):
    with GpuSampler(60.0) as sampler:
        wait_for(sampler, 1)
        began = time.monotonic()
    assert time.monotonic() - began < 5, "the thread slept on"
    assert sampler.use().samples == 1


def test_thread_is_gone_after_a_failure_of_what_is_measured(nvml):
    with pytest.raises(ZeroDivisionError):
        with GpuSampler(QUICK_S):
            raise ZeroDivisionError
    assert nvml.open == 0


def test_gpu_that_is_lost_meanwhile_is_told(nvml):
    with GpuSampler(QUICK_S) as sampler:
        wait_for(sampler, 1)
        nvml.errors["nvmlDeviceGetPowerUsage"] = real.NVMLError(real.NVML_ERROR_GPU_IS_LOST)
        sampler._thread.join(10)
    use = sampler.use()
    assert use.error.startswith("The GPU is lost")
    assert use.samples >= 1


def test_gpu_that_is_lost_at_the_start_leaves_nvml_closed(nvml):
    lost = real.NVMLError(real.NVML_ERROR_GPU_IS_LOST)
    nvml.errors["nvmlDeviceGetTotalEnergyConsumption"] = lost
    with pytest.raises(BuildError, match="The GPU is lost"):
        GpuSampler().start()


def test_watch_takes_part_in_measuring(nvml):
    watched = {}

    def watch():
        ended = NvidiaGpu.watch()

        def finish():
            watched.update(ended())
            return {}

        return finish

    found = measure(lambda: time.sleep(0.001), Schedule(20, warm_up=0), watch=watch)
    assert len(found.timed_ns) == 20
    assert watched["samples"] >= 1
    assert watched["max_power_w"] == 412.5
    assert watched["throttle_reasons"] == ["the power limit"]
    assert "error" not in watched


def test_watch_is_asked_about_a_window_by_the_clock_of_the_machine(nvml):
    began = time.perf_counter()
    ended = NvidiaGpu.watch()
    time.sleep(0.05)
    until = time.perf_counter()
    told = ended(began, until)
    assert told["samples"] >= 1
    assert 0.04 < told["duration_s"] < until - began + 0.001
    assert NvidiaGpu.watch()(until + 100, until + 200)["samples"] == 0
