"""The device family `example_family`: hardware that does not exist, played by the processor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from turnkeyml.device import Device, DeviceInfo

_PASSES = {"config1": 1000, "config2": 2000}
"""How often each configuration reads a model for one inference."""


class ExampleFamily(DeviceInfo):
    """The whole family: one machine has one device of it."""

    @classmethod
    def is_present(cls) -> bool:
        """Tell whether this machine has one; a real device looks for its driver."""
        return True

    @classmethod
    def full_name(cls) -> str:
        """Give the name that its maker gave it."""
        return "Example Device"

    @classmethod
    def state(cls) -> Mapping[str, Any]:
        """Give what decides its speed right now; kept with each result."""
        return {"power_w": 0.0}


def passes_of(device: Device) -> int:
    """Give how often a device reads a model for one inference."""
    return _PASSES.get(device.config or "", _PASSES["config1"])
