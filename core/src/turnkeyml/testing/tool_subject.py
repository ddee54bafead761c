"""A tool under test: its class, its options, and runs of it that several rules look at."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from turnkeyml.artifacts import Artifact
from turnkeyml.cache.atomic import TEMPORARY, sha256_of
from turnkeyml.cache.layout import Cache
from turnkeyml.errors import PlanError, TurnkeyError
from turnkeyml.execution.capture import output_to
from turnkeyml.execution.job import JobResult, run_job
from turnkeyml.inputs import Source
from turnkeyml.options import options_from_values
from turnkeyml.outcomes import StepOutcome
from turnkeyml.plan import Plan, PlannedStep, make_plan
from turnkeyml.plugins.records import ToolRecord, ToolRole
from turnkeyml.plugins.registry import Registry, new_plugin_manager
from turnkeyml.policy import RunPolicy
from turnkeyml.sequence import Step
from turnkeyml.state import State
from turnkeyml.testing.feeding import FEED, Feed, Feeding, MakeSource, ToolInputs, with_feeder
from turnkeyml.testing.rules import NotApplicable, Scope, Violation
from turnkeyml.testing.surroundings import differences, look
from turnkeyml.testing.watching import Journal, Listener, WatchedContext, watch_tool
from turnkeyml.tool import ChainTool, FirstTool, Tool

IN_CHAIN: Scope[ToolSubject] = Scope(
    "It stands alone and is no part of a chain.", lambda subject: not subject.is_alone
)
FIRST: Scope[ToolSubject] = Scope("It does not start a chain.", lambda subject: subject.is_first)
FOLLOWING: Scope[ToolSubject] = Scope(
    "It does not follow other tools.", lambda subject: not (subject.is_alone or subject.is_first)
)


@dataclass(frozen=True)
class ToolRun:
    """One run of the tool under test in a chain of its own.

    Args:
        step: The tool's.
        job: What became of it.
        journal: What the tool did.
        printed: What went past the logs.
        changed: What it left changed in this process.
        strays: Files that it left outside the builds.
        unfinished: Files with temporary names that it left in the builds.
    """

    step: PlannedStep
    job: JobResult
    journal: Journal
    printed: str
    changed: tuple[str, ...]
    strays: tuple[str, ...]
    unfinished: tuple[str, ...]

    @property
    def states(self) -> tuple[State, ...]:
        """The models that it worked on, or found."""
        return self.job.states

    @property
    def outcome(self) -> StepOutcome:
        """How its step ended."""
        return self.journal.outcomes[-1]

    @property
    def refusal(self) -> TurnkeyError | None:
        """The sentence with which it refused its input, if it did."""
        raised = self.journal.raised[-1:]
        return raised[0] if raised and isinstance(raised[0], TurnkeyError) else None

    def made(self, state: State) -> list[Artifact]:
        """Give what it handed over for one model."""
        own = f"{self.step.name}-{self.step.identity}"
        return [artifact for artifact in state.artifacts if artifact.step == own]


@dataclass(frozen=True)
class ToolSubject:
    """A tool that is installed.

    Args:
        record: As it is registered.
        registry: Everything that is installed.
        scratch: A folder for what checking needs.
        inputs: What it is run on.
        options: Values of options to try it with, by field name; at least one set.
    """

    record: ToolRecord
    registry: Registry
    scratch: Path
    inputs: ToolInputs
    options: tuple[Mapping[str, Any], ...] = ({},)

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.record.name

    @property
    def is_first(self) -> bool:
        """Whether it starts a chain."""
        return self.record.role is ToolRole.FIRST

    @property
    def is_alone(self) -> bool:
        """Whether it is no part of a chain."""
        return self.record.role is ToolRole.MANAGEMENT

    @cached_property
    def tool(self) -> type[ChainTool]:
        """The class of a tool of a chain."""
        base = FirstTool if self.is_first else Tool
        return self.record.ref.load_class(base)

    def given(self) -> list[Any]:
        """Make the options that it is tried with."""
        found: list[Any] = []
        for values in self.options:
            found.append(options_from_values(self.tool.Options, values, self.name))
        return found

    def usable(self) -> list[tuple[Mapping[str, Any], Any]]:
        """Give the sets of options that can be used on this machine, and those resolved.

        Raises:
            NotApplicable: None can.
        """
        found, error = [], None
        for values, options in zip(self.options, self.given(), strict=True):
            try:
                first = self.tool.expand(options, self.registry)[0]
                found.append((values, self.tool.resolve(first, self.registry)))
            except PlanError as reason:
                error = reason
        if not found:
            raise NotApplicable(f"It cannot be planned here: {error}")
        return found

    @cached_property
    def runs(self) -> list[ToolRun]:
        """A run for each set of options, each in a cache of its own."""
        return [self.run(self._folder(), values) for values, _ in self.usable()]

    @cached_property
    def elsewhere(self) -> ToolRun:
        """The first run once more, in another cache."""
        return self.run(self._folder(), self.usable()[0][0])

    @cached_property
    def again(self) -> ToolRun:
        """The first run once more, in the same cache."""
        folder = self._folder()
        values = self.usable()[0][0]
        self.run(folder, values)
        return self.run(folder, values)

    @cached_property
    def refused(self) -> ToolRun:
        """A run on an input that it cannot use."""
        return self.run(self._folder(), self.usable()[0][0], broken=True)

    @cached_property
    def cut_off(self) -> tuple[ToolRun, ToolRun]:
        """A run on a disk that is full, and then one on a disk that is not."""
        folder = self._folder()
        values = self.usable()[0][0]
        return self.run(folder, values, disk_full=True), self.run(folder, values)

    def _folder(self) -> Path:
        folder = self.scratch / f"run-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        return folder

    def run(
        self,
        folder: Path,
        values: Mapping[str, Any],
        *,
        broken: bool = False,
        disk_full: bool = False,
        hashes: tuple[str, ...] = (),
    ) -> ToolRun:
        """Run the tool in a chain of its own.

        Args:
            folder: Has the cache; a second run in the same folder finds what the first one made.
            values: Of options, by field name.
            broken: Whether it gets an input that it cannot use.
            disk_full: Whether handing over what it makes fails.
            hashes: The models that are wanted, for a tool that starts a chain.

        Raises:
            NotApplicable: It cannot be run here.
        """
        journal = Journal(disk_full)
        manager = new_plugin_manager()
        manager.register(Listener(self.name, journal))
        record = watch_tool(self.record, self.tool, journal)
        registry = replace(
            self.registry, tools={**self.registry.tools, self.name: record}, hooks=manager
        )
        inputs = folder / "inputs"
        inputs.mkdir(exist_ok=True)
        feeding = Feeding()
        if self.is_first:
            source = Source(self._write_source(inputs, broken=broken), hashes)
            steps = [Step(self.name, values)]
        else:
            source = Source(inputs / "model")
            source.path.touch()
            steps = [Step(FEED), Step(self.name, values)]
            kinds = self._kinds(values)
            feed = self._feed(kinds, broken=broken)
            registry = with_feeder(registry, feed, kinds, feeding)
        plan = make_plan(steps, source.suffix, registry)
        policy = RunPolicy(settings=self.registry.settings_values({}))
        context = WatchedContext(registry, Cache(folder / "cache"), policy=policy, journal=journal)
        run = self._execute(source, plan, context, folder)
        if feeding.error is not None:
            raise feeding.error
        return run

    def _write_source(self, folder: Path, *, broken: bool) -> Path:
        tool: Any = self.tool
        make: MakeSource = (
            self.inputs.broken_source(tool.suffixes)
            if broken
            else self.inputs.source(tool.suffixes)
        )
        path = make(folder)
        if path.suffix.lower() not in tool.suffixes:
            raise Violation(f"The source {path.name} of its test is no file that it takes.")
        return path

    def _kinds(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        resolved = next(one for tried, one in self.usable() if tried is values)
        return self.tool.contract(resolved, self.registry).consumes

    def _feed(self, kinds: tuple[str, ...], *, broken: bool) -> Feed:
        return self.inputs.broken_feed(kinds) if broken else self.inputs.feed(kinds)

    def _execute(
        self, source: Source, plan: Plan, context: WatchedContext, folder: Path
    ) -> ToolRun:
        printed = folder / f"printed-{secrets.token_hex(4)}.txt"
        context.cache.path.mkdir(exist_ok=True)
        work = folder / "work"
        work.mkdir(exist_ok=True)
        kept = files_in(source.path.parent)
        with variables_set(plan.environment), inside(work):
            before = look()
            with output_to(printed):
                job = run_job(source, plan, context)
                # What is still running may print while it is waited for.
                changed = differences(before)
        strays = [f"work/{path.name}" for path in work.iterdir()]
        strays += [
            f"cache/{path.name}"
            for path in context.cache.path.iterdir()
            if not path.name.startswith(".") and not _is_build(path, job)
        ]
        now = files_in(source.path.parent)
        strays += [f"inputs/{name}" for name in {*kept, *now} if kept.get(name) != now.get(name)]
        text = printed.read_text("utf-8", "replace")
        step = plan.steps[-1]
        left = {p.name for s in job.states for p in s.build.path.rglob(f"{TEMPORARY}*")}
        unfinished = tuple(sorted(left))
        return ToolRun(step, job, context.journal, text, tuple(changed), tuple(strays), unfinished)


def _is_build(path: Path, job: JobResult) -> bool:
    return any(state.build.path == path for state in job.states) or any(
        path.glob(f"{path.name}_state.yaml")
    )


def files_in(folder: Path) -> dict[str, str]:
    """Give the files in a folder and below it, by their path in it, with their digests."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


@contextmanager
def variables_set(variables: Mapping[str, str]) -> Iterator[None]:
    """Set what a plan asks for, as a command does, and take it back."""
    own = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            os.environ.pop(name, None)


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder, so that what is written to relative paths is seen."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
