"""Devices: ``family::part::config``, what is there, and what its full name is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from turnkeyml.errors import PlanError, PluginError
from turnkeyml.plugins.records import RuntimeRecord
from turnkeyml.plugins.registry import Registry

WatchEnd = Callable[[float, float], Mapping[str, Any]]
"""Ends a watch; see `DeviceInfo.watch`."""


class DeviceInfo(ABC):
    """What a device plugin knows about a family of devices on this machine.

    The smallest complete one::

        class MyNpu(DeviceInfo):
            @classmethod
            def is_present(cls):
                return Path("/dev/mynpu0").exists()

            @classmethod
            def full_name(cls):
                return "My NPU 1"
    """

    is_host: ClassVar[bool] = False
    """Whether it is the processor that runs turnkey: then it is the default device if present."""

    @classmethod
    @abstractmethod
    def is_present(cls) -> bool:
        """Tell whether this machine has one."""

    @classmethod
    @abstractmethod
    def full_name(cls) -> str:
        """Name the one that this machine has, as its maker does."""

    @classmethod
    def state(cls) -> Mapping[str, Any]:
        """Give what decides its speed right now: clocks, load, power, temperature; JSON values."""
        return {}

    @classmethod
    def watch(cls) -> WatchEnd:
        """Sample it while a model is timed: its power, its clocks, what holds them down.

        Called before the timed inferences, and what it gives after them: with the times at which
        they began and ended, by `time.perf_counter`, because they may run in another process that
        has to load the model first. That gives JSON values. ``disturbances`` among them is a list
        of words: what made the device slower than it could be. Neither raises, and sampling costs
        next to nothing.
        """
        return lambda since_s, until_s: {}


@dataclass(frozen=True)
class Device:
    """A device as chosen by the user.

    Args:
        family: Such as ``x86``.
        part: A part of the family, if it has parts.
        config: A configuration of the part, if it has some.
    """

    family: str
    part: str | None = None
    config: str | None = None

    def __str__(self) -> str:
        return "::".join(word for word in (self.family, self.part, self.config) if word)

    @classmethod
    def parse(cls, text: str) -> Device:
        """Read ``family``, ``family::part`` or ``family::part::config``.

        Raises:
            PlanError: It has another form.
        """
        words = text.split("::")
        if not 1 <= len(words) <= 3 or not all(words):
            raise PlanError(
                f"{text!r} is no device.",
                hint="Write family, family::part or family::part::config.",
            )
        return cls(*words)


def default_device(registry: Registry) -> Device:
    """Give the device that this machine is.

    Raises:
        PlanError: No installed package describes it.
    """
    broken: PluginError | None = None
    for family, record in registry.devices.items():
        if record.ref is None:
            continue
        try:
            info = record.ref.load_class(DeviceInfo)
        except PluginError as error:
            broken = broken or error
            continue
        if info.is_host and info.is_present():
            return Device(family)
    raise broken or PlanError(
        "No installed package describes this machine as a device.",
        hint="Run pip install turnkeyml-plugin-x86, or give --device.",
    )


def resolve_device(device: Device, runtime: RuntimeRecord, registry: Registry) -> Device:
    """Complete a device with the first part and configuration that the runtime supports.

    Raises:
        PlanError: Nobody provides the device, or the runtime does not support it.
    """
    if device.family not in registry.devices:
        raise registry.unknown("device", device.family, registry.devices)
    if device.family not in runtime.devices:
        raise PlanError(
            f"The runtime {runtime.name!r} does not support the device {device.family!r}.",
            hint=_alternatives(device.family, runtime, registry),
        )
    parts = runtime.devices[device.family]
    if not parts:
        parts = registry.devices[device.family].parts
    part = _choose(device.part, tuple(parts), f"device {device.family!r}", "part")
    configs = parts.get(part, ()) if part else ()
    config = _choose(device.config, configs, f"part {part!r} of {device.family!r}", "configuration")
    return Device(device.family, part, config)


def _choose(wanted: str | None, known: tuple[str, ...], owner: str, what: str) -> str | None:
    if wanted is None:
        return known[0] if known else None
    if wanted not in known:
        hint = f"It has: {', '.join(known)}." if known else f"It has no {what}s."
        raise PlanError(f"The {owner} has no {what} {wanted!r}.", hint=hint)
    return wanted


def _alternatives(family: str, runtime: RuntimeRecord, registry: Registry) -> str:
    others = [r.name for r in registry.runtimes.values() if family in r.devices]
    supported = f"It supports: {', '.join(runtime.devices)}."
    return f"{supported} For {family!r} there is: {', '.join(others)}." if others else supported


def runtimes_for(device: Device, registry: Registry) -> list[RuntimeRecord]:
    """List the runtimes that support a device, the default first.

    The default is the first of the device's ``default_runtimes`` that is installed.
    """
    found = [r for r in registry.runtimes.values() if device.family in r.devices]
    record = registry.devices.get(device.family)
    order = record.default_runtimes if record is not None else ()
    rank = {name: place for place, name in enumerate(order)}
    return sorted(found, key=lambda r: (rank.get(r.name, len(rank)), r.name))
