"""A device is sampled while a model is timed, where its package can do that."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from turnkeyml.device import Device, DeviceInfo, WatchEnd
from turnkeyml.device_watch import WHILE_TIMED, DeviceWatch
from turnkeyml.runtime import BaseRT, RuntimeContext, RuntimeStats, opened


class Plain(DeviceInfo):
    @classmethod
    def is_present(cls) -> bool:
        return True

    @classmethod
    def full_name(cls) -> str:
        return "Plain"


class Sampled(Plain):
    log: list[tuple[float, float] | str] = []  # noqa: RUF012 - each test empties it
    found: dict[str, Any] = {}  # noqa: RUF012

    @classmethod
    def watch(cls) -> WatchEnd:
        cls.log.append("began")

        def end(since_s: float, until_s: float) -> dict[str, Any]:
            cls.log.append((since_s, until_s))
            return cls.found

        return end


VALID = {"verdict": "valid", "verdict_reasons": [], "mean_latency_ms": 1.0}


@pytest.fixture(autouse=True)
def _empty_log() -> None:
    Sampled.log.clear()
    Sampled.found = {"mean_power_w": 12.5}


@pytest.mark.parametrize("info", [None, Plain])
def test_a_device_that_is_not_sampled_leaves_nothing(info: type[DeviceInfo] | None) -> None:
    with DeviceWatch(info) as watch:
        watch.begin()
        watch.end(1.0, 2.0)
    assert watch.judged(VALID) == VALID


def test_what_a_device_did_is_among_the_numbers() -> None:
    with DeviceWatch(Sampled) as watch:
        assert Sampled.log == []
        watch.begin()
        watch.end(1.0, 2.0)
    assert Sampled.log == ["began", (1.0, 2.0)]
    assert watch.judged(VALID) == {**VALID, WHILE_TIMED: {"mean_power_w": 12.5}}


def test_the_machine_is_watched_beside_it() -> None:
    with DeviceWatch(Sampled) as watch:
        before = time.perf_counter()
        disturbance = watch.with_machine()()
    assert "waited_share" in disturbance
    _, window = Sampled.log
    assert before < window[0] < window[1] < time.perf_counter()


def test_sampling_ends_after_a_failure_too() -> None:
    with pytest.raises(RuntimeError), DeviceWatch(Sampled) as watch:
        watch.begin()
        raise RuntimeError
    assert len(Sampled.log) == 2


@pytest.mark.parametrize(("before", "after"), [("valid", "noisy"), ("invalid", "invalid")])
def test_what_slowed_the_device_down_is_a_reason_to_doubt(before: str, after: str) -> None:
    Sampled.found = {"disturbances": ["heat"]}
    with DeviceWatch(Sampled) as watch:
        watch.begin()
        watch.end(1.0, 2.0)
    found = watch.judged({"verdict": before, "verdict_reasons": ["it rains"]})
    assert found["verdict"] == after
    assert found["verdict_reasons"] == ["it rains", "the device was slowed down by heat"]


class Here(BaseRT):
    def infer(self) -> None:
        sum(range(1000))

    def device_name(self) -> str:
        return "Here"


def test_a_runtime_that_is_measured_here_has_its_device_watched(tmp_path: Path) -> None:
    context = RuntimeContext(
        tmp_path, "build", RuntimeStats(), 12, None, {}, Device("toy"), Sampled, "here", tmp_path
    )
    with opened(Here, context, {}) as runtime:
        found = runtime.benchmark()
    assert found.statistics[WHILE_TIMED] == {"mean_power_w": 12.5}
    assert len(Sampled.log) == 2
