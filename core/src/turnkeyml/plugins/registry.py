"""The registry: what is installed, by name, with broken and conflicting plugins set aside."""

from __future__ import annotations

import difflib
import json
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from importlib.resources import files
from typing import Any, Protocol, TypeVar

import pluggy

from turnkeyml.console import plural
from turnkeyml.errors import PlanError, PluginError, TurnkeyError, UsageError
from turnkeyml.options import option_specs, options_from_values
from turnkeyml.plugins import hookspecs
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import (
    BrokenPlugin,
    Contribution,
    DeviceRecord,
    ExecutorRecord,
    MappingError,
    NameConflict,
    Provider,
    RuntimeRecord,
    SequenceRecord,
    SettingsRecord,
    ToolRecord,
    ToolRole,
)
from turnkeyml.plugins.settings import OptionNames

GROUP = "turnkeyml.plugins"
CORE = "turnkeyml-core"
TOOL_OR_SEQUENCE = "tool or sequence"


class _Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def provider(self) -> Provider: ...


R = TypeVar("R", bound=_Named)
T = TypeVar("T")


@dataclass(frozen=True)
class Registry:
    """What is installed.

    Args:
        tools: By name; aliases are in ``aliases``.
        aliases: Other names of tools, to the name.
        runtimes: By name.
        sequences: By name.
        devices: By family.
        contributions: What each healthy plugin gave, in the order of loading.
        broken: Plugins that could not be loaded.
        conflicts: Names that nobody gets, because two packages provide them.
        hooks: Where events are fired and listeners register.
        settings: Global options that plugins add.
        executors: By name.
    """

    tools: Mapping[str, ToolRecord] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    runtimes: Mapping[str, RuntimeRecord] = field(default_factory=dict)
    sequences: Mapping[str, SequenceRecord] = field(default_factory=dict)
    devices: Mapping[str, DeviceRecord] = field(default_factory=dict)
    contributions: tuple[Contribution, ...] = ()
    broken: tuple[BrokenPlugin, ...] = ()
    conflicts: tuple[NameConflict, ...] = ()
    hooks: pluggy.PluginManager = field(default_factory=lambda: new_plugin_manager())  # noqa: PLW0108
    settings: tuple[SettingsRecord, ...] = ()
    executors: Mapping[str, ExecutorRecord] = field(default_factory=dict)

    def find_tool(self, name: str) -> ToolRecord | None:
        """Give the tool of that name or alias, if it is installed."""
        return self.tools.get(self.aliases.get(name, name))

    def tool(self, name: str) -> ToolRecord:
        """Give the tool of that name or alias.

        Raises:
            UsageError: There is none; the message names the nearest, or the package to install.
        """
        record = self.find_tool(name)
        if record is None:
            raise self.unknown("tool", name, [*self._in_chains(*ToolRole), *self.sequences])
        return record

    def sequence_or_tool(self, name: str) -> str:
        """Check that something installed has a name that a sequence may have, and give it.

        Raises:
            UsageError: Nothing has; the message names the nearest.
        """
        if name not in self.sequences and self.find_tool(name) is None:
            known = [*self.sequences, *self._in_chains(ToolRole.STEP)]
            raise self.unknown("sequence", name, known)
        return name

    def _in_chains(self, *roles: ToolRole) -> list[str]:
        """Name the tools of these roles, but none that stands alone."""
        wanted = {*roles} - {ToolRole.MANAGEMENT}
        return [name for name, record in self.tools.items() if record.role in wanted]

    def loadable_tools(
        self, base: type[T], *roles: ToolRole
    ) -> Iterator[tuple[ToolRecord, type[T]]]:
        """Load the tools of these roles; one that cannot be loaded concerns only who names it.

        Args:
            base: The class that they must be subclasses of.
            roles: Where in a command they may stand.
        """
        for record in self.tools.values():
            if record.role not in roles:
                continue
            try:
                tool = record.ref.load_class(base)
            except PluginError:
                continue
            yield record, tool

    def runtime(self, name: str) -> RuntimeRecord:
        """Give the runtime of that name.

        Raises:
            PlanError: There is none.
        """
        if name not in self.runtimes:
            raise self.unknown("runtime", name, self.runtimes)
        return self.runtimes[name]

    def executor(self, name: str) -> ExecutorRecord:
        """Give the executor of that name.

        Raises:
            PlanError: There is none.
        """
        if name not in self.executors:
            raise self.unknown("executor", name, self.executors)
        return self.executors[name]

    def settings_classes(self) -> list[type]:
        """Give the dataclasses of the global options that plugins add."""
        return [record.ref.load_class(object) for record in self.settings]

    def settings_values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give the values of all global options that plugins add.

        Args:
            given: Those that are not to have their defaults.

        Raises:
            UsageError: A name is unknown, or a value is wrong.
        """
        classes = self.settings_classes()
        names = {spec.name: cls for cls in classes for spec in option_specs(cls)}
        for name in given:
            if name not in names:
                raise UsageError(f"No installed plugin has the global option {name!r}.")
        values: dict[str, Any] = {}
        for cls in classes:
            own = {name: value for name, value in given.items() if names[name] is cls}
            values |= vars(options_from_values(cls, own))
        return values

    def is_refused_tool(self, name: str) -> bool:
        """Tell whether two packages provide a tool or sequence of that name."""
        return any(c.name == name and c.what == TOOL_OR_SEQUENCE for c in self.conflicts)

    def unknown(self, what: str, name: str, known: Iterable[str]) -> UsageError:
        """Make the error for a name that nothing installed has."""
        for conflict in self.conflicts:
            if conflict.name == name:
                return PlanError(str(conflict))
        message = f"There is no {what} {name!r}."
        package = package_for(what, name)
        if package is None and what == "tool":
            package = package_for("sequence", name)
        for plugin in self.broken:
            if plugin.provider.distribution == package:
                return PlanError(f"{message} Its package is broken: {plugin.reason}")
        if package is not None:
            return PlanError(message, hint=f"Install it with: pip install {package}")
        names = sorted(known)
        also = self.aliases if what == "tool" else ()
        near = difflib.get_close_matches(name, [*names, *also], n=1, cutoff=0.6)
        if near:
            hint = f"Did you mean {near[0]!r}?"
        else:
            hint = f"Installed: {', '.join(names)}." if names else f"No {what} is installed."
        if self.broken:
            # It may be what one of those would have given.
            hint += f" {plural(len(self.broken), 'plugin')} left out: turnkey plugins says why."
        return PlanError(message, hint=hint)


def package_for(what: str, name: str) -> str | None:
    """Name the package of this project that gives a tool, runtime, sequence or device.

    Args:
        what: ``tool``, ``runtime``, ``sequence``, ``device``, ``kind`` or ``suffix``.
        name: As the user wrote it.
    """
    table = json.loads(files("turnkeyml").joinpath("known_plugins.json").read_text("utf-8"))
    found = table.get(what, {}).get(name)
    return None if found is None else str(found)


def new_plugin_manager() -> pluggy.PluginManager:
    """Make a plugin manager that knows turnkey's hooks and has no plugins."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def load_registry(entry_points: Iterable[metadata.EntryPoint] | None = None) -> Registry:
    """Load all installed plugins, each by itself, so that a broken one harms nobody else.

    Args:
        entry_points: Those to load; by default all of the group ``turnkeyml.plugins``.
    """
    manager = new_plugin_manager()
    if entry_points is None:
        entry_points = metadata.entry_points(group=GROUP)
    contributions: list[Contribution] = []
    broken: list[BrokenPlugin] = []
    options = OptionNames(CORE)
    for entry_point in sorted(entry_points, key=_load_order):
        provider = _provider_of(entry_point)
        try:
            contributions.append(_load_plugin(entry_point, provider, manager, options))
        except TurnkeyError as error:
            broken.append(BrokenPlugin(provider, str(error)))
        # A plugin's import runs foreign code; only Ctrl-C is ours.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            reason = f"{provider} ({provider.module}) cannot be imported: {_one_line(error)}"
            broken.append(BrokenPlugin(provider, reason, traceback.format_exc()))
    return _merge(contributions, broken, manager)


def _load_order(entry_point: metadata.EntryPoint) -> tuple[bool, str, str]:
    provider = _provider_of(entry_point)
    return (provider.distribution != CORE, provider.distribution, entry_point.name)


def _provider_of(entry_point: metadata.EntryPoint) -> Provider:
    name = version = None
    if entry_point.dist is not None:
        # A damaged installation has no metadata, or half of it.
        with suppress(Exception):
            name, version = entry_point.dist.name, entry_point.dist.version
    shown = (name or "an unknown package", version or "?")
    return Provider(*shown, entry_point.name, entry_point.value)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _load_plugin(
    entry_point: metadata.EntryPoint,
    provider: Provider,
    manager: pluggy.PluginManager,
    options: OptionNames,
) -> Contribution:
    module = entry_point.load()
    name = f"{provider.distribution}:{provider.entry_point}"
    try:
        manager.register(module, name)
        manager.check_pending()
        mapping: Any = getattr(module, "implements", None)
        if mapping is None:
            mapping = _mapping_of_hooks(module, provider, manager)
        contribution = read_mapping(provider, mapping)
        options.claim(contribution)
        return contribution
    except BaseException:
        # It may be registered in part; what is set aside listens to nothing.
        if manager.is_registered(module):
            manager.unregister(module)
        raise


def _mapping_of_hooks(module: Any, provider: Provider, manager: pluggy.PluginManager) -> Any:
    callers = manager.hook.turnkey_implements.get_hookimpls()
    for implementation in callers:
        if implementation.plugin is module:
            return implementation.function()
    if not manager.get_hookcallers(module):
        expected = "the mapping `implements`, or a hook of turnkey"
        raise MappingError(provider, "the entry point", expected, module)
    return {}


def _merge(
    contributions: list[Contribution], broken: list[BrokenPlugin], manager: pluggy.PluginManager
) -> Registry:
    conflicts: list[NameConflict] = []
    taken: dict[str, list[Provider]] = {}
    tools = [tool for c in contributions for tool in c.tools]
    for tool in tools:
        for name in (tool.name, *tool.aliases):
            taken.setdefault(name, []).append(tool.provider)
    for c in contributions:
        for sequence in c.sequences:
            taken.setdefault(sequence.name, []).append(sequence.provider)
    for name, providers in taken.items():
        if len(providers) > 1:
            conflicts.append(NameConflict(TOOL_OR_SEQUENCE, name, tuple(providers)))
    refused = {conflict.name for conflict in conflicts}
    aliases = {a: t.name for t in tools if t.name not in refused for a in t.aliases}
    return Registry(
        {tool.name: tool for tool in tools if tool.name not in refused},
        {alias: name for alias, name in aliases.items() if alias not in refused},
        _by_name("runtime", [r for c in contributions for r in c.runtimes], conflicts),
        {s.name: s for c in contributions for s in c.sequences if s.name not in refused},
        _union_of_devices(contributions),
        tuple(contributions),
        tuple(broken),
        tuple(conflicts),
        manager,
        tuple(record for c in contributions for record in c.settings),
        _by_name("executor", [e for c in contributions for e in c.executors], conflicts),
    )


def _by_name(what: str, records: list[R], conflicts: list[NameConflict]) -> dict[str, R]:
    groups: dict[str, list[R]] = {}
    for record in records:
        groups.setdefault(record.name, []).append(record)
    for name, group in groups.items():
        if len(group) > 1:
            conflicts.append(NameConflict(what, name, tuple(r.provider for r in group)))
    return {name: group[0] for name, group in groups.items() if len(group) == 1}


def _union_of_devices(contributions: list[Contribution]) -> dict[str, DeviceRecord]:
    result: dict[str, DeviceRecord] = {}

    def add(record: DeviceRecord) -> None:
        known = result.get(record.family)
        if known is None:
            result[record.family] = record
            return
        parts = {name: tuple(configs) for name, configs in known.parts.items()}
        for part, configs in record.parts.items():
            parts[part] = tuple(dict.fromkeys([*parts.get(part, ()), *configs]))
        providers = tuple(dict.fromkeys([*known.providers, *record.providers]))
        defaults = tuple(dict.fromkeys([*known.default_runtimes, *record.default_runtimes]))
        result[record.family] = DeviceRecord(
            record.family, parts, known.ref or record.ref, providers, defaults
        )

    for contribution in contributions:
        for device in contribution.devices:
            add(device)
        for runtime in contribution.runtimes:
            for family, parts in runtime.devices.items():
                add(DeviceRecord(family, parts, None, (contribution.provider,)))
    return result
