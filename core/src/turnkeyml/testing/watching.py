"""Notes of what a tool under test does while the chain runs it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from turnkeyml.artifacts import Artifact
from turnkeyml.context import RunContext
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Status, StepOutcome
from turnkeyml.plan import PlannedStep
from turnkeyml.plugins import hookimpl
from turnkeyml.plugins.records import ToolRecord
from turnkeyml.state import State
from turnkeyml.tool import ChainTool, FirstTool, Tool


@dataclass
class Journal:
    """What happened in one run of a tool.

    Args:
        disk_full: Whether handing over an artifact fails, as it does on a full disk.
        running: Whether the tool is being run.
        returned: What ``run`` returned.
        raised: What came out of the tool.
        statuses: The state's status each time the tool ended.
        facts: What it said of artifacts, or as statistics, by name.
        outcomes: How its steps ended.
        inputs: The artifacts that were there before it.
    """

    disk_full: bool = False
    running: bool = False
    returned: list[object] = field(default_factory=list)
    raised: list[BaseException] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    facts: list[tuple[str, Any]] = field(default_factory=list)
    outcomes: list[StepOutcome] = field(default_factory=list)
    inputs: tuple[Artifact, ...] = ()


@dataclass(frozen=True)
class WatchedContext(RunContext):
    """A context whose states note what the tool under test hands over."""

    journal: Journal = field(default_factory=Journal)

    def new_state(self, *args: Any, **kwargs: Any) -> State:
        """Make a state."""
        state = super().new_state(*args, **kwargs)
        watch_state(state, self.journal)
        return state


def watch_state(state: State, journal: Journal) -> None:
    """Note what is handed over to a state while the tool runs."""
    add, save = state.add, state.stats.save

    def watched_add(kind: str, *args: Any, **kwargs: Any) -> Artifact:
        if journal.running:
            if journal.disk_full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            journal.facts.append((f"info of {kind}", kwargs.get("info") or {}))
        return add(kind, *args, **kwargs)

    def watched_save(key: str, value: Any) -> None:
        if journal.running:
            journal.facts.append((f"the statistic {key}", value))
        save(key, value)

    for owner, name, function in (
        (state, "add", watched_add),
        (state.stats, "save", watched_save),
    ):
        setattr(owner, name, function)


def watch_tool(record: ToolRecord, tool: type[ChainTool], journal: Journal) -> ToolRecord:
    """Give the record of a tool that does the same, and notes how it ended."""
    watched: type[ChainTool]
    if issubclass(tool, FirstTool):
        watched = _watched_first(tool, journal)
    else:
        watched = _watched_step(cast("type[Tool]", tool), journal)
    # What asks a class where it comes from is to get the same answer.
    watched.__module__, watched.__qualname__ = tool.__module__, tool.__qualname__
    watched.__doc__ = tool.__doc__
    return replace(record, ref=replace(record.ref, target=watched))


def _watched_step(tool: type[Tool], journal: Journal) -> type[Tool]:
    class Watched(tool):  # type: ignore[misc, valid-type]
        def run(self, state: State, options: Any) -> State:
            journal.inputs = tuple(state.artifacts)
            journal.running = True
            try:
                returned = super().run(state, options)
                journal.returned.append(returned)
            except BaseException as error:
                journal.raised.append(error)
                raise
            finally:
                journal.running = False
                journal.statuses.append(state.status)
            return state

    return Watched


def _watched_first(tool: type[FirstTool], journal: Journal) -> type[FirstTool]:
    class Watched(tool):  # type: ignore[misc, valid-type]
        def start(self, source: Source, options: Any, context: RunContext) -> Iterator[State]:
            journal.running = True
            try:
                yield from super().start(source, options, context)
            except BaseException as error:
                journal.raised.append(error)
                raise
            finally:
                journal.running = False

    return Watched


class Listener:
    """Notes how the steps of one tool ended."""

    def __init__(self, tool: str, journal: Journal) -> None:
        self._tool = tool
        self._journal = journal

    @hookimpl
    def turnkey_step_finished(
        self, state: State | None, source: Source, step: PlannedStep, outcome: StepOutcome
    ) -> None:
        """Note an outcome."""
        if step.name == self._tool:
            self._journal.outcomes.append(outcome)
