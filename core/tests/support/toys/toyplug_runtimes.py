"""Runtimes and a device for toy models."""

from __future__ import annotations

from typing import Any

from turnkeyml.device import DeviceInfo
from turnkeyml.runtime import BaseRT


class ToyDevice(DeviceInfo):
    """A device that is always there."""

    is_host = True

    @classmethod
    def is_present(cls) -> bool:
        return True

    @classmethod
    def full_name(cls) -> str:
        return "Toy Device 3000"


class ToyRT(BaseRT):
    """A runtime for compiled toys."""

    def __init__(
        self,
        mood: str = "calm",
        repeats: int = 1,
        parts: list[str] | None = None,
        loud: bool = False,
    ) -> None:
        self.mood, self.repeats, self.parts, self.loud = mood, repeats, parts, loud

    def _setup(self) -> None:
        self.stats.save_model_eval_stat("mood", self.mood)
        self.stats.save_model_eval_stat(
            "arguments", [self.mood, self.repeats, self.parts, self.loud]
        )

    def infer(self) -> Any:
        return sum(range(20_000 * self.repeats))

    def device_name(self) -> str:
        return "Toy Device 3000"

    def version(self) -> str:
        return "9.1"


class LiveRT(BaseRT):
    """A runtime for toys in memory."""

    def infer(self) -> Any:
        return sum(range(20_000))

    def device_name(self) -> str:
        return "Toy Device 3000"
