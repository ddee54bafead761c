"""Commands as JSON: what is asked for in one process is done in another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_json import changed, places_in, plain, texts, without

from turnkeyml.errors import TurnkeyError
from turnkeyml.execution.json_values import MALFORMED
from turnkeyml.policy import Rebuild, Skip
from turnkeyml.request import (
    DefaultChainOptions,
    ExecutionOptions,
    GlobalOptions,
    RunRequest,
)
from turnkeyml.sequence import Sequence, Step

paths = st.none() | texts.filter(lambda text: text and "\0" not in text).map(Path)
options = st.builds(
    GlobalOptions,
    input_files=st.lists(texts, max_size=2).map(tuple),
    cache_dir=paths,
    labels=st.lists(texts, max_size=2).map(tuple),
    dry_run=st.booleans(),
    rebuild=st.sampled_from([choice.value for choice in Rebuild]),
    skip_policy=st.none() | st.sampled_from([choice.value for choice in Skip]),
    explain=st.booleans(),
    lean_cache=st.booleans(),
    output=paths,
)
values = st.dictionaries(texts, plain, max_size=3)
steps = st.builds(Step, tool=texts, options=values)
chains = st.lists(
    steps | st.lists(steps, min_size=1, max_size=2).map(lambda inner: Sequence(*inner)), max_size=3
)
requests = st.builds(
    RunRequest,
    options=options,
    steps=st.none() | chains,
    shorthand=values,
    title=texts,
    settings=values,
    default_chain=st.builds(
        DefaultChainOptions,
        sequence=st.none() | texts,
        analyze_only=st.booleans(),
        build_only=st.booleans(),
    ),
)


def read_back(request: RunRequest) -> RunRequest:
    return RunRequest.from_json(json.loads(json.dumps(request.to_json())))


@given(requests)
def test_a_request_is_read_back_as_it_was(request: RunRequest) -> None:
    again = read_back(request)
    assert again.to_json() == request.to_json()
    assert again.options == request.options
    assert again.default_chain == request.default_chain


def test_how_a_command_is_run_does_not_decide_what_it_gives() -> None:
    execution = ExecutionOptions(jobs=7, timeout=3.0, verbosity="quiet")
    plain_one = RunRequest(GlobalOptions(), [Step("find")])
    other = RunRequest(GlobalOptions(), [Step("find")], execution=execution)
    assert plain_one.to_json() == other.to_json()
    assert read_back(other).execution == ExecutionOptions()


def test_tools_by_name_and_named_sequences_survive() -> None:
    sequence = Sequence("compile", Step("shrink", {"far": True}), name="small")
    request = RunRequest(GlobalOptions(), ["find", sequence])
    again = read_back(request)
    assert again.steps is not None
    assert again.steps[0] == Step("find", {})
    assert isinstance(again.steps[1], Sequence)
    assert again.steps[1].name == "small"
    assert [step.tool for step in again.steps[1].steps] == ["compile", "shrink"]


def test_paths_among_the_options_of_a_step_become_text() -> None:
    request = RunRequest(GlobalOptions(), [Step("find", {"where": Path("/x"), "all": ("a", "b")})])
    again = read_back(request)
    assert again.steps is not None
    assert again.steps[0].options == {"where": "/x", "all": ["a", "b"]}


REQUEST = RunRequest(
    GlobalOptions(("a.toy",), Path("/cache")),
    [Step("find", {"limit": 3}), Sequence("compile", "shrink", name="small")],
    {"--device": "toydev"},
    "find small",
    {"colour": "red"},
)


@pytest.mark.parametrize("value", [None, 7, -0.5, True, "text", [], {}, [[]], {"a": {"b": 1}}])
def test_a_value_of_another_type_is_refused_or_does_no_harm(value: Any) -> None:
    data = REQUEST.to_json()
    for place in places_in(data):
        try:
            found = RunRequest.from_json(changed(data, place, value))
        except (*MALFORMED, TurnkeyError):
            continue
        json.dumps(found.to_json())


def test_a_part_that_is_missing_is_refused() -> None:
    data = REQUEST.to_json()
    for name in data:
        with pytest.raises(MALFORMED):
            RunRequest.from_json(without(data, (name,)))


def test_nesting_without_end_is_refused() -> None:
    data: dict[str, Any] = {"tool": "find", "options": {}}
    for _ in range(100_000):
        data = {"steps": [data], "name": None}
    with pytest.raises(MALFORMED):
        RunRequest.from_json({**REQUEST.to_json(), "steps": [data]})
    # Taking it apart again piece by piece, as Python would nest as deeply.
    while "steps" in data:
        data = data["steps"][0]
