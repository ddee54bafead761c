"""What a plugin package must keep, whatever it gives."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path

from turnkeyml.device import DeviceInfo
from turnkeyml.errors import PluginError, TurnkeyError
from turnkeyml.options import options_from_values
from turnkeyml.plugins.records import Contribution, ObjectRef, ToolRecord
from turnkeyml.plugins.registry import CORE, GROUP, Registry
from turnkeyml.runtime import BaseRT
from turnkeyml.sequence import Sequence, flatten, is_installed
from turnkeyml.testing.fresh import Answer, ask
from turnkeyml.testing.rules import NotApplicable, Rule, Scope, Violation, rule
from turnkeyml.testing.tool_rules import check_options_class
from turnkeyml.tool import AnyTool, ChainTool, FirstTool, ManagementTool, Tool, role_of, summary_of

QUICK_S = 0.1
_TRIES = 5
_MAPPING = "docs/writing_a_plugin.md, 'The mapping'"
_REFERENCES = "docs/adr/0002-mapping-references.md"


@dataclass(frozen=True)
class PluginSubject:
    """A plugin package that is installed.

    Args:
        distribution: Its name.
        registry: Everything that is installed.
        scratch: A folder for what checking needs.
    """

    distribution: str
    registry: Registry
    scratch: Path

    @cached_property
    def contributions(self) -> tuple[Contribution, ...]:
        """What its entry points give; those that could not be loaded are left out."""
        found = self.registry.contributions
        return tuple(c for c in found if c.provider.distribution == self.distribution)

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """Why entry points of it could not be loaded."""
        found = self.registry.broken
        return tuple(b.reason for b in found if b.provider.distribution == self.distribution)

    @cached_property
    def imported(self) -> Answer:
        """What importing its entry points did in a fresh Python."""
        return self.import_once()

    def import_once(self) -> Answer:
        """Import its entry points in a fresh Python."""
        modules = [c.provider.module.partition(":")[0] for c in self.contributions]
        return ask("import", self.scratch, modules=modules)

    def references(self) -> Iterator[tuple[ObjectRef, type]]:
        """Give what it names, and what each of them must be."""
        for contribution in self.contributions:
            for tool in contribution.tools:
                yield tool.ref, _base_of(tool)
            for runtime in contribution.runtimes:
                yield runtime.ref, BaseRT
            for device in contribution.devices:
                if device.ref is not None:
                    yield device.ref, DeviceInfo
            for settings in contribution.settings:
                yield settings.ref, object


def _base_of(tool: ToolRecord) -> type:
    bases = {"first": FirstTool, "step": Tool, "management": ManagementTool}
    return bases[tool.role.value]


LOADED: Scope[PluginSubject] = Scope(
    "It could not be loaded.", lambda plugin: bool(plugin.contributions)
)
PLUGIN_RULES: list[Rule[PluginSubject]] = []


@rule(PLUGIN_RULES, where="docs/writing_a_plugin.md")
def it_is_installed_with_an_entry_point(plugin: PluginSubject) -> None:
    """A plugin is a pip package with an entry point in the group 'turnkeyml.plugins'."""
    if plugin.contributions or plugin.reasons:
        return
    try:
        metadata.distribution(plugin.distribution)
    except metadata.PackageNotFoundError as error:
        raise Violation(f"No package {plugin.distribution!r} is installed.") from error
    raise Violation(f"The package {plugin.distribution} has no entry point in {GROUP!r}.")


@rule(PLUGIN_RULES, where=_MAPPING)
def its_mapping_is_accepted(plugin: PluginSubject) -> None:
    """The module of the entry point can be imported, and has the mapping 'implements' in the form
    that is described, or hooks that turnkey knows."""
    if plugin.reasons:
        raise Violation(" ".join(plugin.reasons))


@rule(PLUGIN_RULES, where=_MAPPING)
def its_names_are_its_own(plugin: PluginSubject) -> None:
    """The names of tools, sequences and runtimes are used by one installed package only, else
    nobody gets them."""
    for conflict in plugin.registry.conflicts:
        if any(p.distribution == plugin.distribution for p in conflict.providers):
            raise Violation(str(conflict))


@rule(PLUGIN_RULES, where="docs/writing_a_plugin.md")
def it_depends_on_the_core(plugin: PluginSubject) -> None:
    """The package requires turnkeyml-core, so that pip installs one that it works with."""
    if plugin.distribution == CORE:
        raise NotApplicable("It is the core.")
    try:
        required = metadata.requires(plugin.distribution) or []
    except metadata.PackageNotFoundError as error:
        raise NotApplicable("No metadata of it are installed.") from error
    names = [re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0] for text in required]
    if CORE not in [re.sub(r"[-_.]+", "-", name).lower() for name in names]:
        raise Violation(f"Its dependencies are {', '.join(names) or 'none'}.")


@rule(PLUGIN_RULES, where=_REFERENCES, scope=LOADED)
def importing_its_entry_point_loads_no_heavy_package(plugin: PluginSubject) -> None:
    """The module of the entry point is imported by every command, 'turnkey -h' too, so it imports
    nothing that only running needs."""
    if heavy := plugin.imported.heavy:
        raise Violation(f"Importing its entry point also imports {', '.join(heavy)}.")


@rule(PLUGIN_RULES, where=_REFERENCES, scope=LOADED)
def importing_its_entry_point_is_quick(plugin: PluginSubject) -> None:
    """The module of the entry point is imported by every command, so that takes less than 0.1 s."""
    took = float(plugin.imported.report["seconds"])
    for _ in range(_TRIES - 1):
        if took < QUICK_S:
            return
        # A machine that does something else makes it slower, never faster.
        took = min(took, float(plugin.import_once().report["seconds"]))
    if took >= QUICK_S:
        raise Violation(f"Importing its entry point takes {took:.2f} s.")


@rule(PLUGIN_RULES, scope=LOADED)
def importing_its_entry_point_does_nothing_else(plugin: PluginSubject) -> None:
    """Importing the module of the entry point has no effect: it prints nothing, reads and sets no
    environment variable, writes no file, starts no thread and no process, asks no network, and
    leaves the process as it was."""
    answer = plugin.imported
    did = list(answer.report["did"])
    if answer.printed.strip():
        did.append(f"it printed {answer.printed.strip().splitlines()[0]!r}")
    if did:
        raise Violation(f"When its entry point is imported, {'; '.join(did)}.")


@rule(PLUGIN_RULES, where=_REFERENCES, scope=LOADED)
def everything_that_it_names_can_be_loaded(plugin: PluginSubject) -> None:
    """What the mapping names as 'package.module:Name' is there, and of the right kind."""
    for ref, base in plugin.references():
        ref.load_class(base)
    for contribution in plugin.contributions:
        for sequence in contribution.sequences:
            found = sequence.ref.load()
            if not isinstance(found, Sequence):
                raise Violation(f"{sequence.ref.place} gives {found!r}, which is no Sequence.")
        for runtime in contribution.runtimes:
            if runtime.requirement_check is not None:
                runtime.requirement_check.load()


@rule(PLUGIN_RULES, where="docs/adr/0004-runtime-context.md", scope=LOADED)
def loading_its_classes_loads_no_heavy_package(plugin: PluginSubject) -> None:
    """The modules of tools, runtimes and devices are imported when a chain is planned or help is
    asked for, so heavy packages are imported in methods, or in a worker.py."""
    answer = ask("load", plugin.scratch, distribution=plugin.distribution)
    if answer.heavy:
        raise Violation(f"Loading its classes also imports {', '.join(answer.heavy)}.")


@rule(PLUGIN_RULES, where=_REFERENCES, scope=LOADED)
def what_the_list_says_is_what_the_classes_say(plugin: PluginSubject) -> None:
    """Name, aliases, summary and role in the mapping are those of the class, whose summary is the
    first line of its docstring: 'turnkey -h' shows the mapping's without loading the class."""
    for tool in _tools(plugin):
        found = tool.ref.load_class(AnyTool)
        pairs = {
            "name": (tool.name, getattr(found, "name", None)),
            "aliases": (tool.aliases, tuple(found.aliases)),
            "summary": (tool.summary, summary_of(found)),
            "role": (tool.role.value, role_of(found).value),
        }
        for what, (listed, own) in pairs.items():
            if listed != own:
                raise Violation(
                    f"The mapping gives the tool {tool.name!r} the {what} {listed!r}, and its "
                    f"class {own!r}."
                )


@rule(PLUGIN_RULES, where=_MAPPING, scope=LOADED)
def its_tools_and_sequences_have_a_summary(plugin: PluginSubject) -> None:
    """Every tool and sequence says in one line what it does, for 'turnkey -h'."""
    rows = [(t.name, t.summary) for t in _tools(plugin)]
    rows += [(s.name, s.summary) for c in plugin.contributions for s in c.sequences]
    if not rows:
        raise NotApplicable("It has no tool and no sequence.")
    for name, summary in rows:
        if not summary.strip() or "\n" in summary:
            raise Violation(f"The summary of {name!r} is {summary!r}, which is not one line.")


@rule(PLUGIN_RULES, where=_MAPPING, scope=LOADED)
def its_sequences_can_be_put_in_line(plugin: PluginSubject) -> None:
    """The steps of a sequence whose tools are all installed can be put in line, and have options
    that their tools know."""
    sequences = [s for c in plugin.contributions for s in c.sequences]
    if not sequences:
        raise NotApplicable("It has no sequence.")
    usable = [s for s in sequences if is_installed(s.ref.load(), plugin.registry)]
    if not usable:
        names = ", ".join(s.name for s in sequences)
        raise NotApplicable(f"Not all tools of {names} are installed.")
    for sequence in usable:
        steps = flatten([sequence.ref.load()], plugin.registry)
        if not steps:
            raise Violation(f"The sequence {sequence.name!r} has no step.")
        for step in steps:
            tool = plugin.registry.tool(step.tool).ref.load_class(ChainTool)
            try:
                options_from_values(tool.Options, step.options, step.tool)
            except TurnkeyError as error:
                raise Violation(f"In the sequence {sequence.name!r}, {error}") from error


@rule(PLUGIN_RULES, where="docs/adr/0006-plugin-settings.md", scope=LOADED)
def its_global_options_have_help_and_names_of_their_own(plugin: PluginSubject) -> None:
    """Global options of a plugin are a frozen dataclass whose fields are made by option(), with
    help, and under names that neither the core nor another plugin uses."""
    settings = [s for c in plugin.contributions for s in c.settings]
    if not settings:
        raise NotApplicable("It adds no global option.")
    for one in settings:
        check_options_class(one.ref.load_class(object))
    try:
        plugin.registry.settings_classes()
    except PluginError as error:
        raise Violation(str(error)) from error


@rule(PLUGIN_RULES, where=_MAPPING, scope=LOADED)
def its_requirement_checks_take_no_argument(plugin: PluginSubject) -> None:
    """A requirement_check is called without arguments before each benchmark, and raises if the
    device cannot be used."""
    checks = [
        r.requirement_check
        for c in plugin.contributions
        for r in c.runtimes
        if r.requirement_check is not None
    ]
    if not checks:
        raise NotApplicable("None of its runtimes has one.")
    for check in checks:
        found = check.load()
        if not callable(found):
            raise Violation(f"{check.place} gives {found!r}, which cannot be called.")
        try:
            inspect.signature(found).bind()
        except TypeError as error:
            raise Violation(
                f"{check.place} cannot be called without arguments: {error}."
            ) from error


def _tools(plugin: PluginSubject) -> list[ToolRecord]:
    return [tool for c in plugin.contributions for tool in c.tools]
