"""What a device did while a model was timed, as its package samples it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from turnkeyml import conditions

if TYPE_CHECKING:
    from turnkeyml.device import DeviceInfo, WatchEnd

WHILE_TIMED = "device_while_timed"
"""Under which name a result has what the device did."""
DISTURBANCES = "disturbances"


class DeviceWatch:
    """Has a device sampled for as long as it is entered, or shorter.

    Args:
        info: The device, if a package describes it.
    """

    def __init__(self, info: type[DeviceInfo] | None) -> None:
        self._info = info
        self._end: WatchEnd | None = None
        self._found: Mapping[str, Any] = {}

    def __enter__(self) -> DeviceWatch:
        return self

    def __exit__(self, *raised: object) -> None:
        # After a failure nobody wants to know, but the sampling must end.
        self.end(0.0, 0.0)

    def begin(self) -> None:
        """Sample from now on."""
        if self._info is not None:
            self._end = self._info.watch()

    def end(self, since_s: float, until_s: float) -> None:
        """End it, if it has not ended yet.

        Args:
            since_s: When the timed inferences began, by `time.perf_counter`.
            until_s: When they ended.
        """
        if self._end is not None:
            end, self._end = self._end, None
            self._found = end(since_s, until_s)

    def with_machine(self) -> Callable[[], dict[str, float | None]]:
        """Begin, and watch the machine too, in the form that `turnkeyml.measure.measure` takes."""
        self.begin()
        watched = conditions.watch()
        began = time.perf_counter()

        def end() -> dict[str, float | None]:
            ended = time.perf_counter()
            disturbance = watched()
            self.end(began, ended)
            return disturbance

        return end

    def judged(self, numbers: Mapping[str, Any]) -> dict[str, Any]:
        """Add what the device did to a summary, and to its verdict what disturbed the device.

        Args:
            numbers: As `turnkeyml.measure.summarize` gives them.
        """
        if not self._found:
            return dict(numbers)
        found = {**numbers, WHILE_TIMED: dict(self._found)}
        held = [f"the device was slowed down by {w}" for w in self._found.get(DISTURBANCES, ())]
        if held:
            found["verdict"] = "noisy" if found["verdict"] == "valid" else found["verdict"]
            found["verdict_reasons"] = [*found["verdict_reasons"], *held]
        return found
