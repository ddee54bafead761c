"""What the registry keeps of plugins: frozen records, made once and checked at the border."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from turnkeyml.errors import PluginError

T = TypeVar("T")


@dataclass(frozen=True)
class Provider:
    """The installed package that something comes from."""

    distribution: str
    version: str
    entry_point: str
    module: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


class MappingError(PluginError):
    """A value in an `implements` mapping is not what it must be."""

    def __init__(self, provider: Provider, place: str, expected: str, got: object) -> None:
        shown = got if isinstance(got, str) and got.startswith("an error") else _show(got)
        super().__init__(
            f"{provider} ({provider.module}): {place}: expected {expected}, got {shown}.",
            hint=f"Correct the plugin, or run: pip uninstall {provider.distribution}",
        )


def _show(value: object) -> str:
    text = repr(value)
    return f"{text if len(text) < 80 else text[:77] + '...'} ({type(value).__name__})"


@dataclass(frozen=True)
class ObjectRef:
    """An object of a plugin, given itself or as ``"package.module:Name"``.

    Args:
        provider: The package.
        place: Where in the mapping it stands.
        target: The object, or the text that names it.
    """

    provider: Provider
    place: str
    target: Any

    def load(self) -> Any:
        """Import the object if only its name was given.

        Raises:
            PluginError: The module cannot be imported or has no such name.
        """
        if not isinstance(self.target, str):
            return self.target
        module, _, name = self.target.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for part in name.split("."):
                found = getattr(found, part)
        # Foreign code runs at import, so anything may come out of it; only Ctrl-C is ours.
        except (Exception, SystemExit) as error:
            raise MappingError(
                self.provider,
                self.place,
                f"{self.target!r} to be importable",
                f"an error: {type(error).__name__}: {error}",
            ) from error
        return found

    def load_class(self, base: type[T]) -> type[T]:
        """Import a class and check that it keeps the contract of ``base``.

        Raises:
            PluginError: It is no subclass of ``base``, or leaves methods of it undone.
        """
        found = self.load()
        if not (isinstance(found, type) and issubclass(found, base)):
            raise MappingError(self.provider, self.place, f"a subclass of {base.__name__}", found)
        undone = sorted(getattr(found, "__abstractmethods__", ()))
        if undone:
            has = ", ".join(f"{name}()" for name in undone)
            raise MappingError(self.provider, self.place, f"a class that has {has}", found)
        return found


class ToolRole(Enum):
    """Where in a command a tool may stand."""

    FIRST = "first"
    STEP = "step"
    MANAGEMENT = "management"


@dataclass(frozen=True)
class ToolRecord:
    """A tool that some package provides.

    Args:
        name: As it stands on the command line.
        aliases: Other names of it.
        summary: One sentence for ``-h``.
        role: Where in a command it may stand.
        ref: Its class.
        preload: Modules that processes which are kept warm for this tool import beforehand.
        warm_up: A function that such a process calls once, after importing them.
    """

    name: str
    aliases: tuple[str, ...]
    summary: str
    role: ToolRole
    ref: ObjectRef
    preload: tuple[str, ...] = ()
    warm_up: ObjectRef | None = None

    @property
    def provider(self) -> Provider:
        """The package it comes from."""
        return self.ref.provider


Parts = Mapping[str, tuple[str, ...]]
"""Device parts to their configurations."""


@dataclass(frozen=True)
class RuntimeRecord:
    """A runtime that some package provides.

    Args:
        name: As given to ``--runtime``.
        ref: Its class.
        devices: Device families it supports, with parts and configurations where it names them.
        consumes: The kind of artifact it runs.
        default_sequence: Alternatives that make that artifact; the first wholly installed is used.
        status_stats: Keys of its stats that are shown in the status.
        requirement_check: Called before each benchmark; raises if the device cannot be used.
        environment: Variables that must be set before anything heavy is imported.
        docker_required: Whether its author says that it runs a container.
    """

    name: str
    ref: ObjectRef
    devices: Mapping[str, Parts]
    consumes: str
    default_sequence: tuple[Any, ...] = ()
    status_stats: tuple[str, ...] = ()
    requirement_check: ObjectRef | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    docker_required: bool = False

    @property
    def provider(self) -> Provider:
        """The package it comes from."""
        return self.ref.provider


@dataclass(frozen=True)
class SequenceRecord:
    """A named sequence that some package provides."""

    name: str
    summary: str
    ref: ObjectRef

    @property
    def provider(self) -> Provider:
        """The package it comes from."""
        return self.ref.provider


@dataclass(frozen=True)
class ExecutorRecord:
    """An executor that some package provides.

    Args:
        name: As given to ``--executor``.
        summary: One sentence for ``turnkey plugins``.
        ref: Its class.
    """

    name: str
    summary: str
    ref: ObjectRef

    @property
    def provider(self) -> Provider:
        """The package it comes from."""
        return self.ref.provider


@dataclass(frozen=True)
class DeviceRecord:
    """A device family: the union of what its providers say.

    Args:
        family: As given to ``--device``, before the first ``::``.
        parts: Known parts and their configurations, in the order in which they serve as default.
        ref: The class that describes the device, where a package gives one.
        providers: All packages that name it.
        default_runtimes: In the order in which they serve as default, if installed.
    """

    family: str
    parts: Parts
    ref: ObjectRef | None
    providers: tuple[Provider, ...]
    default_runtimes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SettingsRecord:
    """Global options that some package adds: a dataclass like that of a tool's options."""

    ref: ObjectRef

    @property
    def provider(self) -> Provider:
        """The package it comes from."""
        return self.ref.provider


@dataclass(frozen=True)
class Contribution:
    """All that one plugin gives."""

    provider: Provider
    tools: tuple[ToolRecord, ...] = ()
    runtimes: tuple[RuntimeRecord, ...] = ()
    sequences: tuple[SequenceRecord, ...] = ()
    devices: tuple[DeviceRecord, ...] = ()
    settings: tuple[SettingsRecord, ...] = ()
    executors: tuple[ExecutorRecord, ...] = ()


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that could not be loaded, and why; the others work.

    Args:
        provider: The package.
        reason: One sentence.
        details: The traceback where there is one.
    """

    provider: Provider
    reason: str
    details: str = ""


@dataclass(frozen=True)
class NameConflict:
    """A name that two packages provide, so that neither is used."""

    what: str
    name: str
    providers: tuple[Provider, ...]

    def __str__(self) -> str:
        who = " and ".join(str(p) for p in self.providers)
        one = " or ".join(p.distribution for p in self.providers)
        return f"The {self.what} {self.name!r} comes from {who}; neither is used. Uninstall {one}."
