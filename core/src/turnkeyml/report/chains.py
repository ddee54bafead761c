"""Which steps of a build led to a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.cache.layout import BuildDirectory

_IDENTITY = ("device", "runtime", "rt_args", "iterations")


@dataclass(frozen=True)
class Step:
    """A step of a build, as its statistics have it.

    Args:
        identity: Eight digits over its tool, its options and all steps before it.
        entry: Its statistics.
    """

    identity: str
    entry: Mapping[str, Any]

    @property
    def tool(self) -> str:
        """The tool's name."""
        return str(self.entry.get("tool"))

    @property
    def number(self) -> int:
        """Its place in its chain, from 1."""
        return _whole(self.entry.get("number"), 0)

    @property
    def occurrence(self) -> int:
        """How often its tool has come in its chain up to here."""
        return _whole(self.entry.get("occurrence"), 1)

    @property
    def title(self) -> str:
        """What it is called among the steps of its chain."""
        return self.tool if self.occurrence == 1 else f"{self.tool}_{self.occurrence}"

    @property
    def log(self) -> str:
        """The name of its log in the build directory."""
        return BuildDirectory(Path(), "").log_file(self.tool, self.occurrence).name

    @property
    def options(self) -> Mapping[str, Any]:
        """Its options as they were resolved."""
        options = self.entry.get("options")
        return options if isinstance(options, Mapping) else {}


def is_measuring(tool: str) -> bool:
    """Tell whether what a tool finds is a result, and its failure a result that is missing."""
    return tool.partition("-")[0] == "benchmark"


class StepTable:
    """The steps that were run on a build, of all chains.

    Args:
        state: What the state file says.
        stats: What the file of statistics says.
    """

    def __init__(self, state: Mapping[str, Any], stats: Mapping[str, Any]) -> None:
        entries = stats.get("steps")
        self._by_identity = {
            key: Step(key, entry)
            for key, entry in (entries.items() if isinstance(entries, Mapping) else ())
            if isinstance(entry, Mapping)
        }
        self.steps = tuple(self._by_identity.values())
        last = state.get("steps")
        names = [str(name) for name in last] if isinstance(last, list) else []
        self._last = [_identity_of(name) for name in names]
        self.last_chain = self._known(self._last)
        self._chains = [self._last, *_recorded(stats.get("chains"))]

    def chain_to(self, step: Step) -> list[Step]:
        """Give the steps of the chain up to one, without other measurements."""
        for chain in self._chains:
            if step.identity in chain:
                before = self._known(chain[: chain.index(step.identity)])
                break
        else:
            before = self._guessed(step)
        return [*(s for s in before if not is_measuring(s.tool)), step]

    def chain_of_result(self, result: Mapping[str, Any]) -> list[Step]:
        """Give the steps that led to a result, the one that measured it last."""
        maker = self._by_identity.get(_identity_of(str(result.get("artifact_step"))))
        chains = [
            self.chain_to(step)
            for step in self.steps
            if is_measuring(step.tool)
            and all(step.options.get(name) == result.get(name) for name in _IDENTITY)
        ]
        chains.sort(key=lambda chain: chain[-1].identity not in self._last)
        for chain in chains:
            if maker is None or maker in chain:
                return chain
        # A chain that began with what another one had made.
        return [*([] if maker is None else self.chain_to(maker)), *(c[-1] for c in chains[:1])]

    def _known(self, identities: Sequence[str]) -> list[Step]:
        return [self._by_identity[one] for one in identities if one in self._by_identity]

    def _guessed(self, step: Step) -> list[Step]:
        """Give the steps before one of which no chain is recorded: the latest of each number."""
        found: list[Step] = []
        bound = _start_of(step)
        for number in range(step.number - 1, 0, -1):
            of_number = [s for s in self.steps if s.number == number]
            earlier = [s for s in of_number if _start_of(s) <= bound]
            if of_number:
                found.append(
                    max(earlier or of_number, key=lambda s: str(s.entry.get("started_at")))
                )
        return found[::-1]


def _start_of(step: Step) -> str:
    return str(step.entry.get("started_at"))


def _recorded(chains: Any) -> list[list[str]]:
    entries = chains.values() if isinstance(chains, Mapping) else ()
    found = []
    for entry in entries:
        steps = entry.get("steps") if isinstance(entry, Mapping) else None
        if isinstance(steps, list):
            found.append([_identity_of(str(name)) for name in steps])
    return found


def _identity_of(name: str) -> str:
    return name.rpartition("-")[2]


def _whole(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
