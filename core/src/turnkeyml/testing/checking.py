"""Check what is installed with the rules of the kit, without pytest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.errors import UsageError
from turnkeyml.plugins.registry import Registry
from turnkeyml.testing.device_rules import DEVICE_RULES
from turnkeyml.testing.feeding import ToolInputs
from turnkeyml.testing.plugin_rules import PLUGIN_RULES, PluginSubject
from turnkeyml.testing.rules import Finding, Rule, judge
from turnkeyml.testing.runtime_rules import RUNTIME_RULES
from turnkeyml.testing.runtime_run_rules import RUNTIME_RUN_RULES
from turnkeyml.testing.runtime_subject import RuntimeSubject
from turnkeyml.testing.tool_rules import TOOL_RULES
from turnkeyml.testing.tool_run_rules import TOOL_RUN_RULES
from turnkeyml.testing.tool_subject import ToolSubject


@dataclass(frozen=True)
class Section:
    """The rules for one thing that a package gives, or for the package.

    Args:
        title: What it is.
        rules: In order.
        subject: What they look at.
    """

    title: str
    rules: Sequence[Rule[Any]]
    subject: Any

    def findings(self) -> Iterator[Finding]:
        """Check one rule after the other."""
        for one in self.rules:
            yield judge(one, self.subject)


def distributions(registry: Registry, names: Sequence[str]) -> list[str]:
    """Give the packages to check.

    Args:
        registry: What is installed.
        names: Those that the user named; none means all.

    Raises:
        UsageError: A name is of no plugin that is installed.
    """
    providers = [c.provider for c in registry.contributions] + [b.provider for b in registry.broken]
    installed = list(dict.fromkeys(provider.distribution for provider in providers))
    by_name = {_normal(name): name for name in installed}
    for name in names:
        if _normal(name) not in by_name:
            raise UsageError(
                f"No plugin {name!r} is installed.", hint=f"There are: {', '.join(installed)}."
            )
    return [by_name[_normal(name)] for name in dict.fromkeys(names)] or installed


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def sections(
    registry: Registry, distribution: str, scratch: Path, *, run: bool
) -> Iterator[Section]:
    """Give what there is to check of a package, and of each thing that it gives.

    Args:
        registry: What is installed.
        distribution: The package.
        scratch: A folder for what checking needs.
        run: Whether tools and runtimes are run, as far as the kit has a model for them.
    """
    found = [c for c in registry.contributions if c.provider.distribution == distribution]
    version = found[0].provider.version if found else ""
    plugin = PluginSubject(distribution, registry, scratch)
    yield Section(f"{distribution} {version}".strip(), [*PLUGIN_RULES, *DEVICE_RULES], plugin)
    for contribution in found:
        for tool in contribution.tools:
            folder = scratch / distribution / f"tool-{tool.name}"
            folder.mkdir(parents=True, exist_ok=True)
            subject = ToolSubject(tool, registry, folder, ToolInputs(assumed=True))
            what = "command" if subject.is_alone else "tool"
            rules = _wanted([*TOOL_RULES, *TOOL_RUN_RULES], subject, run=run)
            yield Section(f"{what} {tool.name}", rules, subject)
        for runtime in contribution.runtimes:
            folder = scratch / distribution / f"runtime-{runtime.name}"
            folder.mkdir(parents=True, exist_ok=True)
            used = RuntimeSubject(runtime, registry, folder, ToolInputs())
            rules = _wanted([*RUNTIME_RULES, *RUNTIME_RUN_RULES], used, run=run)
            yield Section(f"runtime {runtime.name}", rules, used)


def _wanted(rules: Sequence[Rule[Any]], subject: Any, *, run: bool) -> list[Rule[Any]]:
    return [one for one in rules if (run or not one.runs) and one.concerns(subject)]
