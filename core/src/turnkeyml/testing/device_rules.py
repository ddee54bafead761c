"""What a plugin package must keep whose mapping describes devices."""

from __future__ import annotations

import json
import time

from turnkeyml.device import DeviceInfo
from turnkeyml.device_watch import DISTURBANCES
from turnkeyml.plugins.records import DeviceRecord
from turnkeyml.testing.fresh import ask
from turnkeyml.testing.plugin_rules import LOADED, PluginSubject
from turnkeyml.testing.rules import NotApplicable, Rule, Violation, rule
from turnkeyml.testing.surroundings import differences, look

_WHERE = "the docstring of turnkeyml.device.DeviceInfo"
_BARE = {"PATH": "", "LD_LIBRARY_PATH": "", "CUDA_VISIBLE_DEVICES": ""}
"""A machine on which no program of a vendor is found."""

DEVICE_RULES: list[Rule[PluginSubject]] = []


@rule(DEVICE_RULES, where=_WHERE, scope=LOADED)
def its_devices_can_always_be_asked_for(plugin: PluginSubject) -> None:
    """is_present() says True or False on every machine, also on one without the device, its driver
    and its programs, and never raises."""
    _described(plugin)
    for where, variables in (("here", {}), ("where no program is found", _BARE)):
        answer = ask(
            "devices", plugin.scratch, variables=variables, distribution=plugin.distribution
        )
        for family, present in answer.report["devices"].items():
            if not isinstance(present, bool):
                raise Violation(f"is_present() of the device {family!r} gives {present} {where}.")


@rule(DEVICE_RULES, where=_WHERE, scope=LOADED)
def asking_for_its_devices_loads_no_heavy_package(plugin: PluginSubject) -> None:
    """is_present() is called when a chain is planned, so it imports nothing heavy."""
    _described(plugin)
    heavy = ask("devices", plugin.scratch, distribution=plugin.distribution).heavy
    if heavy:
        raise Violation(f"Asking whether its devices are present imports {', '.join(heavy)}.")


@rule(DEVICE_RULES, where=_WHERE, scope=LOADED)
def its_devices_have_a_name_and_a_state(plugin: PluginSubject) -> None:
    """A device that is present has a full name of one line, and a state of JSON values; asking for
    them leaves the process as it was."""
    present = [(r, info) for r, info in _described(plugin) if info.is_present()]
    if not present:
        raise NotApplicable("This machine has none of its devices.")
    before = look()
    for record, info in present:
        name: object = info.full_name()
        if not isinstance(name, str) or not name.strip() or "\n" in name:
            raise Violation(f"full_name() of the device {record.family!r} gives {name!r}.")
        state = info.state()
        try:
            json.dumps(dict(state), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise Violation(
                f"state() of the device {record.family!r} gives {state!r}: {error}."
            ) from error
    if changed := differences(before):
        raise Violation(f"After asking for its devices, {'; '.join(changed)}.")


@rule(DEVICE_RULES, where=_WHERE, scope=LOADED)
def its_devices_can_be_watched(plugin: PluginSubject) -> None:
    """watch() of a device that is present gives what ends it, which takes the times of the timed
    inferences and gives JSON values; nothing of it goes on afterwards."""
    present = [(r, info) for r, info in _described(plugin) if info.is_present()]
    if not present:
        raise NotApplicable("This machine has none of its devices.")
    before = look()
    for record, info in present:
        what = f"watch() of the device {record.family!r}"
        since = time.perf_counter()
        end: object = info.watch()
        if not callable(end):
            raise Violation(f"{what} gives {end!r}, which does not end it.")
        try:
            found = dict(end(since, time.perf_counter()))
            json.dumps(found, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise Violation(f"What {what} gives cannot be used: {error}.") from error
        words = found.get(DISTURBANCES, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise Violation(f"What {what} gives has no words as {DISTURBANCES}: {words!r}.")
    if changed := differences(before):
        raise Violation(f"After watching its devices, {'; '.join(changed)}.")


def _described(plugin: PluginSubject) -> list[tuple[DeviceRecord, type[DeviceInfo]]]:
    found = [
        (record, record.ref.load_class(DeviceInfo))
        for contribution in plugin.contributions
        for record in contribution.devices
        if record.ref is not None
    ]
    if not found:
        raise NotApplicable("It describes no device.")
    return found
