"""What a tool must keep when it is run, on what it can use and on what it cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from turnkeyml.artifacts import INPUTS, ONNX_MODEL, REFERENCE, Artifact
from turnkeyml.cache.atomic import sha256_of
from turnkeyml.errors import CacheError, TurnkeyError
from turnkeyml.outcomes import Status
from turnkeyml.saved_state import load_state
from turnkeyml.state import State
from turnkeyml.testing.rules import NotApplicable, Rule, Violation, rule
from turnkeyml.testing.tool_subject import FIRST, FOLLOWING, IN_CHAIN, ToolRun, ToolSubject
from turnkeyml.worker.tensors import read_tensors

_TOOL = "docs/writing_a_plugin.md, 'A tool'"
_REUSE = "docs/adr/0005-reuse.md"
_BESIDES = frozenset({INPUTS, REFERENCE})
"""Kinds that a tool may hand over besides what it produces."""
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")

TOOL_RUN_RULES: list[Rule[ToolSubject]] = []


@rule(TOOL_RUN_RULES, where=_TOOL, runs=True, scope=IN_CHAIN)
def it_runs_on_its_input(subject: ToolSubject) -> None:
    """On an input that it can use, the tool ends well, with each set of options; one that starts a
    chain gives at least one model."""
    for run in subject.runs:
        if run.refusal is not None and subject.inputs.assumed:
            raise NotApplicable(f"It does not take the kit's own model: {run.refusal}")
        error = run.job.error
        for state in run.states:
            if state.status is Status.FAILED:
                raise Violation(f"It failed with {_options(run)}: {state.error}")
        if error is not None:
            raise Violation(f"It failed with {_options(run)}: {error}")
        if not run.states:
            raise Violation("It gave no model.")


def _options(run: ToolRun) -> str:
    return " ".join(run.step.words()[1:]) or "its default options"


def _went_well(subject: ToolSubject) -> list[ToolRun]:
    for run in subject.runs:
        if run.job.failed or not run.states:
            raise NotApplicable("It does not run on its input.")
    return subject.runs


@rule(TOOL_RUN_RULES, where=_TOOL, runs=True, scope=IN_CHAIN)
def it_makes_what_its_contract_says(subject: ToolSubject) -> None:
    """A tool hands over an artifact of the kind that its contract says it makes, and none of a kind
    that it does not say; the model's inputs and reference outputs may come besides."""
    for run in _went_well(subject):
        contract = run.step.contract
        allowed = {contract.produces, *contract.may_produce, *_BESIDES}
        for state in run.states:
            kinds = [artifact.kind for artifact in run.made(state)]
            if contract.produces is not None and contract.produces not in kinds:
                raise Violation(
                    f"With {_options(run)} it was to make {contract.produces}, and made "
                    f"{' and '.join(kinds) or 'nothing'}."
                )
            if more := sorted(set(kinds) - allowed):
                raise Violation(f"It made {' and '.join(more)}, which its contract does not say.")


@rule(TOOL_RUN_RULES, where=_TOOL, runs=True, scope=IN_CHAIN)
def its_files_are_whole_and_inside_the_build(subject: ToolSubject) -> None:
    """The files of an artifact are in the build directory, are files and no links, are not changed
    after they were handed over; nothing unfinished is left beside them."""
    for run in _went_well(subject):
        for state in run.states:
            for artifact in run.made(state):
                for record in artifact.files:
                    path = state.build.path / record.path
                    if path.is_symlink() or not path.is_file():
                        raise Violation(f"{record.path} of its {artifact.kind} is no plain file.")
                    if sha256_of(path) != record.sha256:
                        raise Violation(f"{record.path} was changed after it had been handed over.")
        _check_no_leftovers(run)


def _check_no_leftovers(run: ToolRun) -> None:
    if run.unfinished:
        raise Violation(f"It left unfinished files: {', '.join(run.unfinished)}.")


@rule(TOOL_RUN_RULES, where="the docstrings of State.add and Stats.save", runs=True, scope=IN_CHAIN)
def its_facts_are_json(subject: ToolSubject) -> None:
    """What a tool says of an artifact, and its statistics, are numbers, texts, lists and mappings:
    they are written into files and are part of keys."""
    for run in _went_well(subject):
        for what, value in run.journal.facts:
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError) as error:
                raise Violation(f"It gives {what} as {value!r}: {error}.") from error


@rule(TOOL_RUN_RULES, runs=True, scope=IN_CHAIN)
def an_onnx_file_that_it_makes_says_how_to_call_it(subject: ToolSubject) -> None:
    """An artifact of kind 'onnx-model' has facts: 'opset' and 'ir_version', 'inputs' (the graph's
    inputs to captured tensors), 'inputs_folder' (where those are), 'outputs' (the graph's, in
    order)."""
    found = False
    for run in _went_well(subject):
        for state in run.states:
            for artifact in run.made(state):
                if artifact.kind == ONNX_MODEL:
                    found = True
                    _check_onnx_facts(state, artifact)
    if not found:
        raise NotApplicable("It makes no ONNX file.")


def _check_onnx_facts(state: State, artifact: Artifact) -> None:
    facts = artifact.info
    for name in ("opset", "ir_version"):
        if not isinstance(facts.get(name), int):
            raise Violation(f"The ONNX file's fact {name!r} is {facts.get(name)!r}.")
    inputs, outputs, folder = facts.get("inputs"), facts.get("outputs"), facts.get("inputs_folder")
    if not isinstance(inputs, Mapping):
        raise Violation(f"The ONNX file's fact 'inputs' is {inputs!r}, which is no mapping.")
    if not isinstance(outputs, list) or not outputs:
        raise Violation(
            f"The ONNX file's fact 'outputs' is {outputs!r}, which is no list of names."
        )
    if not inputs:
        return
    if not isinstance(folder, str):
        raise Violation(f"The ONNX file's fact 'inputs_folder' is {folder!r}.")
    try:
        tensors = read_tensors(state.build.path / folder)
    except (OSError, ValueError) as error:
        raise Violation(f"The inputs of the ONNX file cannot be read: {error}.") from error
    if missing := sorted(set(map(str, inputs.values())) - set(tensors)):
        raise Violation(f"The inputs of the ONNX file have no tensor {', '.join(missing)}.")


@rule(TOOL_RUN_RULES, where="the docstring of Tool.run", runs=True, scope=FOLLOWING)
def it_gives_back_the_state_and_leaves_its_status_alone(subject: ToolSubject) -> None:
    """run() returns the state that it was given; the status is the chain's to set."""
    for run in _went_well(subject):
        if any(returned is not run.states[0] for returned in run.journal.returned):
            raise Violation(f"run() returns {run.journal.returned[0]!r}.")
        if any(status is not Status.RUNNING for status in run.journal.statuses):
            raise Violation("It set the status of the state.")


@rule(TOOL_RUN_RULES, where=_REUSE, runs=True, scope=IN_CHAIN)
def running_it_again_makes_the_same(subject: ToolSubject) -> None:
    """The same input, options and libraries give the same bytes, in whatever cache: no time, no
    path, no random number without a fixed seed."""
    first = _went_well(subject)[0]
    second = subject.elsewhere
    if second.job.failed:
        raise Violation("The second time it failed.")
    names = [[state.model.digest for state in run.states] for run in (first, second)]
    if names[0] != names[1]:
        raise Violation("The second time it gave models with other hashes.")
    made = False
    for one, other in zip(first.states, second.states, strict=True):
        before, after = _content(first, one), _content(second, other)
        made = made or bool(before)
        for (what, content), (_, again) in zip(before, after, strict=False):
            if content != again:
                raise Violation(f"The second time, {what} was another: {_shown(content, again)}")
        if len(before) != len(after):
            raise Violation(f"It made {len(before)} things, and the second time {len(after)}.")
    if not made and not subject.is_first:
        raise NotApplicable("It makes nothing that is kept.")


def _content(run: ToolRun, state: State) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for artifact in run.made(state):
        found.append((f"the info of its {artifact.kind}", dict(artifact.info)))
        found += [(f"{r.path} of its {artifact.kind}", r.sha256) for r in artifact.files]
    return found


def _shown(one: Any, other: Any) -> str:
    return f"{str(one)[:200]} and {str(other)[:200]}."


@rule(TOOL_RUN_RULES, where=_REUSE, runs=True, scope=FOLLOWING)
def its_result_is_used_again(subject: ToolSubject) -> None:
    """A second run on the same input in the same cache does not run the tool: what it makes depends
    on nothing but its key."""
    run = _went_well(subject)[0]
    if run.step.contract.produces is None:
        raise NotApplicable("It makes nothing, so it always runs.")
    state = run.states[0]
    kind = run.step.consumes
    inputs = [a for a in run.journal.inputs if a.kind == kind]
    if inputs and not inputs[-1].key_parts():
        raise NotApplicable("Its input is a live object without a key.")
    if not all(artifact.is_file for artifact in run.made(state)):
        raise NotApplicable("It makes live objects.")
    if not subject.again.outcome.reused:
        raise Violation("The second time it was run again.")


@rule(TOOL_RUN_RULES, where=_TOOL, runs=True, scope=IN_CHAIN)
def it_changes_nothing_but_its_own(subject: ToolSubject) -> None:
    """A tool writes into the build directory only, and leaves what others made as it was: earlier
    artifacts and their files, and the user's input."""
    for run in _went_well(subject):
        if run.strays:
            raise Violation(f"It wrote or changed {', '.join(run.strays)}.")
        for state in run.states:
            earlier = run.journal.inputs
            if tuple(state.artifacts[: len(earlier)]) != earlier:
                raise Violation("It removed or replaced earlier artifacts of the state.")
            if damaged := state.seals.damaged(earlier, read=True):
                raise Violation(f"It changed {', '.join(damaged)}, which others made.")


@rule(TOOL_RUN_RULES, runs=True, scope=IN_CHAIN)
def it_leaves_the_process_as_it_was(subject: ToolSubject) -> None:
    """After a tool, working directory, environment, umask, sys.path, signal handlers and logging
    are what they were, and no thread or process of it runs on; also after a failure."""
    runs = [*_went_well(subject)]
    with suppress(NotApplicable):
        runs.append(subject.refused)
    for run in runs:
        if run.changed:
            raise Violation(f"After it ran, {'; '.join(run.changed)}.")


@rule(TOOL_RUN_RULES, runs=True, scope=IN_CHAIN)
def it_prints_only_into_its_log(subject: ToolSubject) -> None:
    """What a tool prints goes into its log, and nothing reaches the console."""
    for run in _went_well(subject):
        if text := run.printed.strip():
            raise Violation(f"It printed past its log: {text.splitlines()[0]!r}.")


@rule(TOOL_RUN_RULES, where="the docstring of Tool.run", runs=True, scope=IN_CHAIN)
def an_input_that_it_cannot_use_is_refused_with_a_sentence(subject: ToolSubject) -> None:
    """On an input that it cannot use, a tool raises a TurnkeyError that says in a line what is
    wrong and what to do; any other exception is a bug of the tool."""
    _went_well(subject)
    run = subject.refused
    if not run.journal.raised:
        raise Violation("It took an input that it cannot use, and ended well.")
    error = run.journal.raised[-1]
    if not isinstance(error, TurnkeyError):
        raise Violation(f"It raised {type(error).__name__}: {error}")
    if not error.message.strip() or "\n" in str(error) or "Traceback" in str(error):
        raise Violation(f"Its message is {str(error)!r}, which is not one line.")


@rule(TOOL_RUN_RULES, runs=True, scope=IN_CHAIN)
def a_failure_leaves_status_and_log(subject: ToolSubject) -> None:
    """After a failure, the status says which step failed and why, the log of the step is there, and
    the files of the build can be read."""
    _went_well(subject)
    run = subject.refused
    if not run.job.failed:
        raise NotApplicable("It does not fail on what it cannot use.")
    if not run.job.log.is_file():
        raise Violation("The input has no log.")
    for state in run.states:
        if state.status is not Status.FAILED:
            continue
        if not state.error or state.failed_step != subject.name:
            raise Violation(f"The state says that {state.failed_step} failed: {state.error}.")
        if state.failed_log is None or not state.failed_log.is_file():
            raise Violation("The step that failed has no log.")
        try:
            saved = load_state(state.build)
        except CacheError as error:
            raise Violation(f"The state file cannot be read: {error}") from error
        if saved.status is not Status.FAILED:
            raise Violation(f"The state file says {saved.status.value}.")


@rule(TOOL_RUN_RULES, runs=True, scope=IN_CHAIN)
def a_full_disk_leaves_nothing_half_made(subject: ToolSubject) -> None:
    """When what a tool makes cannot be kept, it lets the error out, leaves no unfinished file, and
    the same command does its work the next time."""
    usual = _went_well(subject)[0]
    if not any(usual.made(state) for state in usual.states):
        raise NotApplicable("It makes nothing that is kept.")
    failed, mended = subject.cut_off
    if not failed.job.failed:
        raise Violation("It hid that what it made could not be kept.")
    _check_no_leftovers(failed)
    if failed.changed:
        raise Violation(f"After a full disk, {'; '.join(failed.changed)}.")
    if mended.job.failed or not mended.states:
        raise Violation(f"The next time it failed as well: {_why(mended)}")


def _why(run: ToolRun) -> str:
    return str(run.job.error or next((s.error for s in run.states if s.error), "no model"))


@rule(TOOL_RUN_RULES, where="the docstring of FirstTool.start", runs=True, scope=FIRST)
def every_model_that_it_finds_has_a_build_of_its_own(subject: ToolSubject) -> None:
    """A tool that starts a chain gives each model a hash of 64 hexadecimal digits and a build
    directory of its own."""
    for run in _went_well(subject):
        folders = [state.build.path for state in run.states]
        if len(set(folders)) < len(folders):
            raise Violation("Two models have one build directory; see ordinal of new_state().")
        for state in run.states:
            if not _DIGEST.match(state.model.digest):
                raise Violation(f"The hash of {state.model.name} is {state.model.digest!r}.")


@rule(TOOL_RUN_RULES, where="the docstring of FirstTool.start", runs=True, scope=FIRST)
def models_that_are_not_wanted_are_shown_and_not_taken(subject: ToolSubject) -> None:
    """With FILE::HASH, a tool that starts a chain still gives all models, and those that are not
    wanted with selected=False."""
    usual = _went_well(subject)[0]
    other = "f" * 64
    run = subject.run(_new_folder(subject), subject.usable()[0][0], hashes=(other,))
    if len(run.states) != len(usual.states):
        raise Violation(f"It gives {len(run.states)} of {len(usual.states)} models.")
    if any(state.selected for state in run.states):
        raise Violation("It gives models as selected that are not wanted.")


def _new_folder(subject: ToolSubject) -> Path:
    folder = subject.scratch / "unwanted"
    folder.mkdir(exist_ok=True)
    return folder
