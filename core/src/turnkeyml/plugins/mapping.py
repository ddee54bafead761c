"""Check a plugin's `implements` mapping and turn it into records."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from turnkeyml.artifacts import ONNX_MODEL, PYTORCH_MODEL
from turnkeyml.plugins.hookspecs import API_VERSION
from turnkeyml.plugins.records import (
    Contribution,
    DeviceRecord,
    ExecutorRecord,
    MappingError,
    ObjectRef,
    Parts,
    Provider,
    RuntimeRecord,
    SequenceRecord,
    SettingsRecord,
    ToolRecord,
    ToolRole,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
_REF = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*\Z")
_ROOT_KEYS = {
    "api_version", "tools", "runtimes", "sequences", "devices", "settings", "executors",
}  # fmt: skip
_TOOL_KEYS = {"class", "name", "summary", "aliases", "role", "preload", "warm_up"}
_RUNTIME_KEYS = {
    "build_required", "docker_required", "RuntimeClass", "devices", "supported_devices",
    "default_sequence", "status_stats", "requirement_check", "environment", "consumes",
}  # fmt: skip
_SEQUENCE_KEYS = {"sequence", "summary"}
_DEVICE_KEYS = {"class", "parts", "default_runtimes"}
_EXECUTOR_KEYS = {"class", "summary"}


_ONNX_SEQUENCES = ("onnx-fp32", "export-pytorch")
"""What makes the ONNX file of a runtime whose author leaves that to turnkey."""


class _Reader:
    """Reads one provider's mapping; every method names the place when something is wrong."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def fail(self, place: str, expected: str, got: object) -> MappingError:
        return MappingError(self.provider, place, expected, got)

    def mapping(
        self, value: object, place: str, known: set[str] | None = None
    ) -> Mapping[str, Any]:
        if not isinstance(value, Mapping) or not all(isinstance(k, str) for k in value):
            raise self.fail(place, "a mapping with text keys", value)
        if known is not None:
            for key in value:
                if key not in known:
                    raise self.fail(place, f"keys among {', '.join(sorted(known))}", key)
        return value

    def name(self, value: object, place: str) -> str:
        if not isinstance(value, str) or not _NAME.match(value):
            raise self.fail(place, "a name of letters, digits, '-', '_' and '.'", value)
        return value

    def text(self, value: object, place: str) -> str:
        if not isinstance(value, str):
            raise self.fail(place, "text", value)
        return value

    def flag(self, value: object, place: str) -> bool:
        if not isinstance(value, bool):
            raise self.fail(place, "True or False", value)
        return value

    def names(self, value: object, place: str) -> tuple[str, ...]:
        if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
            raise self.fail(place, "a list of names", value)
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return tuple(self.name(item, f"{place}[{n}]") for n, item in enumerate(items))

    def ref(
        self, value: object, place: str, check: Callable[[object], bool], what: str
    ) -> ObjectRef:
        if isinstance(value, str):
            if not _REF.match(value):
                raise self.fail(place, f"{what} or text of the form 'package.module:Name'", value)
        elif not check(value):
            raise self.fail(place, f"{what} or text of the form 'package.module:Name'", value)
        return ObjectRef(self.provider, place, value)

    def class_ref(self, value: object, place: str) -> ObjectRef:
        return self.ref(value, place, lambda v: isinstance(v, type), "a class")

    def devices(self, value: object, place: str) -> dict[str, Parts]:
        """Read a list, a set, or a nested mapping of families, parts and configurations."""
        if isinstance(value, (Mapping, list, tuple, set, frozenset)) and not value:
            raise self.fail(place, "at least one family of devices", value)
        if not isinstance(value, Mapping):
            return {family: {} for family in self.names(value, place)}
        return {
            self.name(family, f"{place}[{family!r}]"): self.parts(parts, f"{place}[{family!r}]")
            for family, parts in value.items()
        }

    def parts(self, value: object, place: str) -> Parts:
        """Read a family's parts: a list, a set, or a mapping to configurations."""
        if not isinstance(value, Mapping):
            return dict.fromkeys(self.names(value or (), place), ())
        return {
            self.name(part, f"{place}[{part!r}]"): self.names(configs or (), f"{place}[{part!r}]")
            for part, configs in value.items()
        }


def read_mapping(provider: Provider, value: object) -> Contribution:
    """Turn an `implements` mapping into records.

    Args:
        provider: The package that it comes from.
        value: What its module or hook gave.

    Raises:
        PluginError: Names package, version, the place in the mapping, what was expected, what came.
    """
    reader = _Reader(provider)
    root = reader.mapping(value, "implements", _ROOT_KEYS)
    if root.get("api_version", API_VERSION) != API_VERSION:
        raise reader.fail("implements['api_version']", str(API_VERSION), root["api_version"])
    return Contribution(
        provider,
        _tools(reader, root.get("tools", ())),
        _runtimes(reader, root.get("runtimes", {})),
        _sequences(reader, root.get("sequences", {})),
        _devices(reader, root.get("devices", {})),
        _settings(reader, root.get("settings")),
        _executors(reader, root.get("executors", {})),
    )


def _tools(reader: _Reader, value: object) -> tuple[ToolRecord, ...]:
    if not isinstance(value, (list, tuple)):
        raise reader.fail("implements['tools']", "a list of tools", value)
    return tuple(_tool(reader, item, f"implements['tools'][{n}]") for n, item in enumerate(value))


def _tool(reader: _Reader, value: object, place: str) -> ToolRecord:
    from turnkeyml.tool import AnyTool, role_of, summary_of

    if isinstance(value, Mapping):
        entry = reader.mapping(value, place, _TOOL_KEYS)
        ref = reader.class_ref(entry.get("class"), f"{place}['class']")
        roles = {role.value: role for role in ToolRole}
        role = entry.get("role", "step")
        if not isinstance(role, str) or role not in roles:
            raise reader.fail(f"{place}['role']", f"one of {', '.join(roles)}", role)
        return ToolRecord(
            reader.name(entry.get("name"), f"{place}['name']"),
            reader.names(entry.get("aliases", ()), f"{place}['aliases']"),
            reader.text(entry.get("summary", ""), f"{place}['summary']"),
            roles[role],
            ref,
            reader.names(entry.get("preload", ()), f"{place}['preload']"),
            _function(reader, entry.get("warm_up"), f"{place}['warm_up']"),
        )
    ref = reader.class_ref(value, place)
    found = ref.load_class(AnyTool)
    name = reader.name(getattr(found, "name", None), f"{place}.name")
    aliases = reader.names(getattr(found, "aliases", ()), f"{place}.aliases")
    return ToolRecord(name, aliases, summary_of(found), role_of(found), ref)


def _runtimes(reader: _Reader, value: object) -> tuple[RuntimeRecord, ...]:
    found = []
    for name, entry in reader.mapping(value, "implements['runtimes']").items():
        place = f"implements['runtimes'][{name!r}]"
        reader.name(name, place)
        found.append(_runtime(reader, name, reader.mapping(entry, place, _RUNTIME_KEYS), place))
    return tuple(found)


def _runtime(reader: _Reader, name: str, entry: Mapping[str, Any], place: str) -> RuntimeRecord:
    if "RuntimeClass" not in entry:
        raise reader.fail(place, "the key 'RuntimeClass'", list(entry))
    key = "supported_devices" if "supported_devices" in entry else "devices"
    if key not in entry:
        raise reader.fail(place, "the key 'supported_devices'", list(entry))
    built = reader.flag(entry.get("build_required", True), f"{place}['build_required']")
    kind = ONNX_MODEL if built else PYTORCH_MODEL
    consumes = reader.name(entry.get("consumes", kind), f"{place}['consumes']")
    sequences = entry.get("default_sequence", _ONNX_SEQUENCES if consumes == ONNX_MODEL else None)
    environment = reader.mapping(entry.get("environment", {}), f"{place}['environment']")
    return RuntimeRecord(
        name,
        reader.class_ref(entry["RuntimeClass"], f"{place}['RuntimeClass']"),
        reader.devices(entry[key], f"{place}[{key!r}]"),
        consumes,
        _alternatives(reader, sequences, f"{place}['default_sequence']"),
        reader.names(entry.get("status_stats", ()), f"{place}['status_stats']"),
        _function(reader, entry.get("requirement_check"), f"{place}['requirement_check']"),
        {k: reader.text(v, f"{place}['environment'][{k!r}]") for k, v in environment.items()},
        reader.flag(entry.get("docker_required", False), f"{place}['docker_required']"),
    )


def _function(reader: _Reader, value: object, place: str) -> ObjectRef | None:
    return None if value is None else reader.ref(value, place, callable, "a callable")


def _alternatives(reader: _Reader, value: object, place: str) -> tuple[Any, ...]:
    from turnkeyml.sequence import Sequence

    if value is None:
        return ()
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    for n, item in enumerate(items):
        if not isinstance(item, (str, Sequence)):
            raise reader.fail(f"{place}[{n}]", "a Sequence or the name of a sequence or tool", item)
    return tuple(items)


def _sequences(reader: _Reader, value: object) -> tuple[SequenceRecord, ...]:
    from turnkeyml.sequence import Sequence

    found = []
    for name, given in reader.mapping(value, "implements['sequences']").items():
        place = f"implements['sequences'][{name!r}]"
        reader.name(name, place)
        entry, summary = given, getattr(given, "summary", "")
        if isinstance(given, Mapping):
            reader.mapping(given, place, _SEQUENCE_KEYS)
            summary = reader.text(given.get("summary", ""), f"{place}['summary']")
            entry = given.get("sequence")
        ref = reader.ref(entry, place, lambda v: isinstance(v, Sequence), "a Sequence")
        found.append(SequenceRecord(name, summary, ref))
    return tuple(found)


def _devices(reader: _Reader, value: object) -> tuple[DeviceRecord, ...]:
    found = []
    for family, given in reader.mapping(value, "implements['devices']").items():
        place = f"implements['devices'][{family!r}]"
        reader.name(family, place)
        entry = reader.mapping(given, place, _DEVICE_KEYS)
        parts = reader.parts(entry.get("parts"), f"{place}['parts']")
        ref = reader.class_ref(entry["class"], f"{place}['class']") if "class" in entry else None
        defaults = reader.names(entry.get("default_runtimes", ()), f"{place}['default_runtimes']")
        found.append(DeviceRecord(family, parts, ref, (reader.provider,), defaults))
    return tuple(found)


def _settings(reader: _Reader, value: object) -> tuple[SettingsRecord, ...]:
    if value is None:
        return ()
    return (SettingsRecord(reader.class_ref(value, "implements['settings']")),)


def _executors(reader: _Reader, value: object) -> tuple[ExecutorRecord, ...]:
    found = []
    for name, given in reader.mapping(value, "implements['executors']").items():
        place = f"implements['executors'][{name!r}]"
        reader.name(name, place)
        entry = reader.mapping(given, place, _EXECUTOR_KEYS)
        summary = reader.text(entry.get("summary", ""), f"{place}['summary']")
        ref = reader.class_ref(entry.get("class"), f"{place}['class']")
        found.append(ExecutorRecord(name, summary, ref))
    return tuple(found)
