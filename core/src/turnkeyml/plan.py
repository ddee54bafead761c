"""A chain checked whole before anything runs: options parse, kinds meet, devices exist."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from turnkeyml.drafts import Draft, Drafter
from turnkeyml.errors import PlanError, UsageError
from turnkeyml.options import (
    argv_from_options,
    json_from_options,
)
from turnkeyml.plugins.records import ToolRecord, ToolRole
from turnkeyml.plugins.registry import Registry, package_for
from turnkeyml.request import DefaultChainOptions
from turnkeyml.sequence import Sequence as StepSequence
from turnkeyml.sequence import Step, flatten, step_identity
from turnkeyml.sequence_file import sequence_from_file
from turnkeyml.tool import ChainTool, Contract, FirstTool, Tool

DEFAULT_LAST_TOOL = "benchmark"
_OF_THE_RUNTIME = ("--runtime", "--rt-args")


@dataclass(frozen=True)
class PlannedStep:
    """One step, ready to run.

    Args:
        number: Its place in the chain, from 1.
        occurrence: How often its tool has come up to here, from 1.
        record: Where its tool comes from.
        tool: Its tool's class.
        options: Resolved; an instance of the tool's ``Options``.
        contract: What it takes and makes with these options.
        consumes: The kind that it will get; None for the first step.
        identity: The same in every run with the same steps and options up to here.
        inserted: The sequence that put it in, where the user did not.
    """

    number: int
    occurrence: int
    record: ToolRecord
    tool: type[ChainTool]
    options: Any
    contract: Contract
    consumes: str | None
    identity: str
    inserted: str | None = None

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.record.name

    def words(self) -> list[str]:
        """Give the command-line words of this step."""
        return [self.name, *argv_from_options(self.options)]


@dataclass(frozen=True)
class Plan:
    """The chain for one kind of input.

    Args:
        suffix: Of the input files, such as ``.py``.
        steps: In order.
    """

    suffix: str
    steps: tuple[PlannedStep, ...]

    @property
    def environment(self) -> dict[str, str]:
        """Variables that must be set before anything heavy is imported."""
        return {k: v for step in self.steps for k, v in step.contract.environment.items()}

    def describe(self) -> list[str]:
        """Give the plan as lines for the console."""
        names = max(len(step.name) for step in self.steps)
        kinds = max(len(step.consumes or self.suffix) for step in self.steps)
        lines = []
        for step in self.steps:
            taken = step.consumes or self.suffix
            made = f" -> {step.contract.produces}" if step.contract.produces else ""
            options = shlex.join(argv_from_options(step.options))
            extra = f"  {options}" if options else ""
            why = f"  (put in: {step.inserted})" if step.inserted else ""
            lines.append(f"{step.number:3} {step.name:{names}}  {taken:{kinds}}{made}{extra}{why}")
        return lines


def make_plan(
    steps: Iterable[str | Step | StepSequence],
    suffix: str,
    registry: Registry,
    shorthand: Mapping[str, Any] | None = None,
) -> Plan:
    """Check a chain for one kind of input.

    Args:
        steps: As typed in; the first starts the chain.
        suffix: Of the input, in lower case with its dot.
        registry: What is installed.
        shorthand: Values for every step that has an option of that shorthand spelling, also for
            steps that the plan puts in.

    Raises:
        PlanError: Says which step, what it takes, what it gets, and which tool closes the gap.
        UsageError: An option is wrong.
    """
    drafter = Drafter(registry, shorthand or {})
    drafts = [draft for step in flatten(steps, registry) for draft in drafter.draft(step)]
    if not drafts or drafts[0].record.role is not ToolRole.FIRST:
        if drafts:
            raise _cannot_start(drafts[0], suffix, registry)
        raise PlanError("The chain has no step.", hint="Name at least one tool; see turnkey -h.")
    _check_start(drafts, suffix, registry)
    return Plan(suffix, tuple(_connect(drafts, drafter)))


def make_default_plan(
    suffix: str,
    registry: Registry,
    chain: DefaultChainOptions,
    shorthand: Mapping[str, Any] | None = None,
) -> Plan:
    """Check the chain of ``turnkey FILE``: the suffix's first tool, a sequence, a benchmark.

    Args:
        suffix: Of the input, in lower case with its dot.
        registry: What is installed.
        chain: Which parts of it are wanted.
        shorthand: As `make_plan`.

    Raises:
        PlanError: Nothing installed takes such files, or as `make_plan`.
        UsageError: An option is wrong.
    """
    first = Step(first_tool_for(suffix, registry).name)
    if chain.analyze_only:
        return make_plan([first], suffix, registry, shorthand)
    build = _chosen_build(chain, registry)
    if chain.build_only and build:
        return make_plan([first, *build], suffix, registry, shorthand)
    registry.tool(DEFAULT_LAST_TOOL)
    plan = make_plan([first, *build, DEFAULT_LAST_TOOL], suffix, registry, shorthand)
    if build:
        _check_last(plan, chain.sequence or str(chain.sequence_file))
    if not chain.build_only:
        return plan
    kept = tuple(step for step in plan.steps if step.name != DEFAULT_LAST_TOOL)
    others = {key: value for key, value in (shorthand or {}).items() if key not in _OF_THE_RUNTIME}
    if len(kept) == 1 and len(others) < len(shorthand or {}):
        # It takes the model as it is, so that it says nothing of what is to be built.
        return make_default_plan(suffix, registry, chain, others)
    if kept == plan.steps[: len(kept)]:
        return replace(plan, steps=kept)
    # Several runtimes: what a later one needs is built after a benchmark, which is left out.
    again = [Step(step.name, json_from_options(step.options)) for step in kept]
    made = make_plan(again, suffix, registry)
    pairs = zip(made.steps, kept, strict=True)
    return replace(made, steps=tuple(replace(m, inserted=k.inserted) for m, k in pairs))


def _chosen_build(
    chain: DefaultChainOptions, registry: Registry
) -> list[str | Step | StepSequence]:
    if chain.sequence_file is None:
        return [] if chain.sequence is None else [registry.sequence_or_tool(chain.sequence)]
    if chain.sequence is not None:
        raise UsageError("--sequence and --sequence-file are given.", hint="Give one of them.")
    return [sequence_from_file(chain.sequence_file.expanduser())]


def _check_last(plan: Plan, sequence: str) -> None:
    """Check that what a sequence makes in the end is what is measured, not something before it."""
    makers = [step for step in plan.steps[:-1] if step.contract.produces is not None]
    made = makers[-1].contract.produces if makers else None
    if made is not None and made != plan.steps[-1].consumes:
        raise PlanError(
            f"The sequence {sequence!r} makes {made}, but what is to be measured is "
            f"{plan.steps[-1].consumes}.",
            hint=f"Choose a runtime that takes {made} with --runtime, or give --build-only.",
        )


def first_tool_for(suffix: str, registry: Registry) -> ToolRecord:
    """Find the tool that starts a chain from such files.

    Raises:
        PlanError: There is none.
    """
    taken: list[str] = []
    for record, tool in registry.loadable_tools(FirstTool, ToolRole.FIRST):
        if suffix in tool.suffixes:
            return record
        taken += tool.suffixes
    for record in registry.tools.values():
        if record.role is ToolRole.FIRST:
            # One that cannot be loaded may be the one; its error says more than ours.
            record.ref.load_class(FirstTool)
    package = package_for("suffix", suffix)
    broken = [b.reason for b in registry.broken if b.provider.distribution == package]
    what = f"Files with the suffix {suffix!r}" if suffix else "Files without a suffix"
    if broken:
        hint = f"The package for them is broken: {broken[0]}"
    elif package:
        hint = f"Install a tool for them with: pip install {package}"
    elif taken:
        hint = f"Give files with one of: {', '.join(taken)}."
    else:
        hint = (
            "Install a tool that starts a chain, for example: pip install turnkeyml-plugin-discover"
        )
    raise PlanError(f"{what} are taken by no installed tool.", hint=hint)


def _check_start(drafts: Sequence[Draft], suffix: str, registry: Registry) -> None:
    first = drafts[0].record.ref.load_class(FirstTool)
    if suffix not in first.suffixes:
        here = ", ".join(first.suffixes)
        right = first_tool_for(suffix, registry)
        raise PlanError(
            f"Step 1, {drafts[0].record.name}, takes {here} files, not {suffix or 'this one'}.",
            hint=f"Start the chain with {right.name}.",
        )
    for number, draft in enumerate(drafts[1:], start=2):
        if draft.record.role is ToolRole.FIRST:
            raise PlanError(
                f"Step {number}, {draft.record.name}, starts a chain, so it cannot follow "
                f"{drafts[number - 2].record.name}.",
                hint="Put it first, and only one such tool in a chain.",
            )


def _cannot_start(draft: Draft, suffix: str, registry: Registry) -> PlanError:
    takes = " or ".join(draft.contract.consumes) or "nothing"
    try:
        hint = f"Put {first_tool_for(suffix, registry).name} before it."
    except UsageError as error:
        hint = str(error)
    return PlanError(
        f"Step 1, {draft.record.name}, takes {takes} and cannot start from a {suffix} file.",
        hint=hint,
    )


def _connect(drafts: list[Draft], drafter: Drafter) -> list[PlannedStep]:
    planned: list[PlannedStep] = []
    available: list[str] = []
    for position, draft in enumerate(drafts):
        later = drafts[position + 1 :]
        wanted = set(draft.contract.consumes)
        # What the user put in the wrong place is an error, not a reason to put it in again.
        misplaced = any(other.contract.produces in wanted for other in later)
        if position > 0 and not wanted & set(available) and not misplaced:
            for extra in drafter.fill_gap(draft, available):
                _append(planned, extra, available, drafter.registry)
        _append(planned, draft, available, drafter.registry, later)
    return planned


def _append(
    planned: list[PlannedStep],
    draft: Draft,
    available: list[str],
    registry: Registry,
    later: Sequence[Draft] = (),
) -> None:
    consumes = None
    if planned:
        # The newest artifact among the kinds that the tool takes.
        consumes = next((k for k in reversed(available) if k in draft.contract.consumes), None)
        if consumes is None:
            raise _kinds_do_not_meet(len(planned) + 1, draft, available, registry, later)
    parent = planned[-1].identity if planned else "start"
    options = json_from_options(draft.options)
    planned.append(
        PlannedStep(
            len(planned) + 1,
            1 + sum(step.name == draft.record.name for step in planned),
            draft.record,
            draft.tool,
            draft.options,
            draft.contract,
            consumes,
            step_identity(parent, draft.record.name, options),
            draft.inserted,
        )
    )
    available += draft.contract.may_produce
    if draft.contract.produces is not None:
        available.append(draft.contract.produces)


def _kinds_do_not_meet(
    number: int,
    draft: Draft,
    available: list[str],
    registry: Registry,
    later: Sequence[Draft],
) -> PlanError:
    takes = " or ".join(draft.contract.consumes) or "nothing that a chain can give"
    got = " and ".join(dict.fromkeys(available)) or "nothing"
    message = (
        f"Step {number}, {draft.record.name}, takes {takes}, but the steps before it give {got}."
    )
    for other in later:
        if other.contract.produces in draft.contract.consumes:
            return PlanError(message, hint=f"Put {other.record.name} before {draft.record.name}.")
    if draft.contract.default_sequence:
        return PlanError(message, hint=_without_default(draft))
    makers = _makers(draft.contract.consumes, available, registry)
    if makers:
        return PlanError(message, hint=f"Put {' or '.join(makers)} before it.")
    start = _start_that_gives(draft.contract.consumes, registry)
    if draft.contract.produces in available:
        made = draft.contract.produces
        anew = f", or {start}, to make it anew" if start else ""
        return PlanError(message, hint=f"It makes {made}, which is there: leave it out{anew}.")
    if start:
        return PlanError(message, hint=f"It is not kept in files: {start}.")
    for kind in draft.contract.consumes:
        package = package_for("kind", kind)
        if package is not None:
            return PlanError(message, hint=f"pip install {package} gives a tool that makes it.")
    return PlanError(message, hint="No installed tool makes it.")


def _start_that_gives(kinds: tuple[str, ...], registry: Registry) -> str:
    for record, tool in registry.loadable_tools(FirstTool, ToolRole.FIRST):
        if tool.produces in kinds:
            return f"start with {record.name}, from {' or '.join(tool.suffixes)} files"
    return ""


def _without_default(draft: Draft) -> str:
    names = [
        s if isinstance(s, str) else s.name or repr(s) for s in draft.contract.default_sequence
    ]
    package = next(filter(None, (package_for("sequence", name) for name in names)), None)
    what = f"What {draft.record.name} puts before itself is not installed: {' or '.join(names)}."
    return f"{what} {f'pip install {package} gives it.' if package else 'Name another sequence.'}"


def _makers(wanted: tuple[str, ...], available: list[str], registry: Registry) -> list[str]:
    return [
        record.name
        for record, tool in registry.loadable_tools(Tool, ToolRole.STEP)
        if tool.produces in wanted and set(tool.consumes) & set(available)
    ]
