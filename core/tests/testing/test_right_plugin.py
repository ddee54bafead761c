"""The kit finds nothing to complain about in a plugin that is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from turnkeyml.testing.device_rules import DEVICE_RULES
from turnkeyml.testing.plugin_rules import PLUGIN_RULES
from turnkeyml.testing.rules import Verdict, judge
from turnkeyml.testing.runtime_rules import RUNTIME_RULES
from turnkeyml.testing.runtime_run_rules import RUNTIME_RUN_RULES
from turnkeyml.testing.tool_rules import TOOL_RULES
from turnkeyml.testing.tool_run_rules import TOOL_RUN_RULES


def judged(rules: list[Any], subject: Any) -> dict[str, str]:
    """Check rules, and give those that are skipped, with the reason."""
    findings = {one.name: judge(one, subject) for one in rules}
    failed = {name: f.text for name, f in findings.items() if f.verdict is Verdict.FAILED}
    assert failed == {}
    return {name: f.text for name, f in findings.items() if f.verdict is Verdict.SKIPPED}


def test_package(install: Callable[..., Any]) -> None:
    assert judged([*PLUGIN_RULES, *DEVICE_RULES], install().plugin()) == {}


def test_tool_that_starts_a_chain(install: Callable[..., Any]) -> None:
    skipped = judged([*TOOL_RULES, *TOOL_RUN_RULES], install().tool("right-begin"))
    assert set(skipped) == {
        "an_onnx_file_that_it_makes_says_how_to_call_it",
        "it_gives_back_the_state_and_leaves_its_status_alone",
        "its_result_is_used_again",
    }


def test_tool_that_follows(install: Callable[..., Any]) -> None:
    options = ({}, {"level": 3, "loud": True, "only": ["a", "b"], "place": "x y.txt"})
    subject = install().tool("right-work", options=options)
    skipped = judged([*TOOL_RULES, *TOOL_RUN_RULES], subject)
    assert set(skipped) == {
        "an_onnx_file_that_it_makes_says_how_to_call_it",
        "every_model_that_it_finds_has_a_build_of_its_own",
        "models_that_are_not_wanted_are_shown_and_not_taken",
    }


def test_tool_that_makes_onnx_files(install: Callable[..., Any]) -> None:
    skipped = judged([*TOOL_RULES, *TOOL_RUN_RULES], install().tool("right-export"))
    assert "an_onnx_file_that_it_makes_says_how_to_call_it" not in skipped


WITHOUT_WORKER = {
    "its_worker_needs_nothing_of_turnkey",
    "what_its_worker_imports_is_named",
    "its_threads_are_a_number",
}


@pytest.mark.parametrize(
    ("name", "skipped"),
    [
        ("right-rt", WITHOUT_WORKER),
        (
            "right-outside",
            {
                *WITHOUT_WORKER,
                "its_arguments_can_be_given_as_text",
                "its_samples_are_positive_and_as_many_as_asked_for",
                "its_outputs_are_right_and_can_be_read",
            },
        ),
        (
            "right-own",
            {
                *WITHOUT_WORKER,
                "its_arguments_can_be_given_as_text",
                "its_samples_are_positive_and_as_many_as_asked_for",
                "its_outputs_are_right_and_can_be_read",
            },
        ),
        ("right-worker", set()),
    ],
)
def test_runtime_of_each_form(name: str, skipped: set[str], install: Callable[..., Any]) -> None:
    words = (("effort::2", "names::[a,b]", "loud"), ()) if name == "right-rt" else ((),)
    subject = install().runtime(name, rt_args=words)
    assert set(judged([*RUNTIME_RULES, *RUNTIME_RUN_RULES], subject)) == skipped
