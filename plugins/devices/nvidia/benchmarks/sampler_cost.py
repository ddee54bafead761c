"""What the sampler costs what is measured: the same call timed with and without, interleaved.

Without a GPU a fake stands in, each of whose answers takes 0.2 ms outside of Python's lock.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pynvml

from turnkeyml.errors import BuildError
from turnkeyml.measure import time_calls
from turnkeyml_plugin_nvidia.nvml import Nvml, opened
from turnkeyml_plugin_nvidia.sampler import GpuSampler

ANSWER_S = 0.0002
CALLS = 100_000
ROUNDS = 12


class SlowNvml:
    """Answers everything with a number, as slowly as drivers do."""

    NVMLError = pynvml.NVMLError
    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0

    def __getattr__(self, name):
        def answer(*arguments):
            time.sleep(ANSWER_S)
            return SimpleNamespace(gpu=50) if name.endswith("UtilizationRates") else 1

        return answer


@contextmanager
def opened_slowly():
    yield Nvml(SlowNvml(), None)


def way_to_open():
    try:
        with opened():
            return opened, "this GPU"
    except BuildError:
        return opened_slowly, "a fake GPU"


def call():
    return sum(range(400))


def time_block():
    times = time_calls(call, CALLS, time.perf_counter_ns)
    return statistics.fmean(times), statistics.median(times)


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    open_nvml, which = way_to_open()

    def with_sampler():
        with GpuSampler(open_nvml=open_nvml):
            return time_block()

    def without_again():
        return time_block()

    found = {time_block: [], with_sampler: [], without_again: []}
    for _ in range(ROUNDS):
        for way in random.sample(list(found), len(found)):
            found[way].append(way())
    mean, median = (statistics.median(side) for side in zip(*found[time_block], strict=True))
    print(f"{which}: a call of {mean / 1e3:.1f} us, blocks of {CALLS * mean / 1e9:.2f} s")
    for name, way in (("with", with_sampler), ("without, again", without_again)):
        means, medians = zip(*found[way], strict=True)
        ratios = statistics.median(means) / mean, statistics.median(medians) / median
        print(f"{name}: mean {ratios[0]:.4f}, median {ratios[1]:.4f} times what it is without")


if __name__ == "__main__":
    main()
