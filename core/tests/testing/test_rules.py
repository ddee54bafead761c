"""Rules: what is said when one is broken, skipped, or raises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from turnkeyml.testing.device_rules import DEVICE_RULES
from turnkeyml.testing.plugin_rules import PLUGIN_RULES
from turnkeyml.testing.rules import (
    Finding,
    NotApplicable,
    Rule,
    Scope,
    Verdict,
    Violation,
    check_exceptions,
    judge,
    rule,
)
from turnkeyml.testing.runtime_rules import RUNTIME_RULES
from turnkeyml.testing.runtime_run_rules import RUNTIME_RUN_RULES
from turnkeyml.testing.tool_rules import TOOL_RULES
from turnkeyml.testing.tool_run_rules import TOOL_RUN_RULES

PAGE = Path(__file__).parents[3] / "docs/conformance.md"
LISTS = (
    PLUGIN_RULES,
    DEVICE_RULES,
    TOOL_RULES,
    TOOL_RUN_RULES,
    RUNTIME_RULES,
    RUNTIME_RUN_RULES,
)
EVERY = [one for rules in LISTS for one in rules]

RULES: list[Rule[int]] = []
EVEN: Scope[int] = Scope("It is odd.", lambda number: number % 2 == 0)


@rule(RULES, where="page 7", scope=EVEN)
def it_is_small(number: int) -> None:
    """A number is
    below ten."""
    if number > 98:
        raise NotApplicable("Nobody knows.")
    if number == 42:
        raise ZeroDivisionError("forty-two")
    if number >= 10:
        raise Violation(f"It is {number}.")


def test_rule_is_a_sentence_with_what_it_asks_and_where_that_is_written() -> None:
    (one,) = RULES
    assert one.sentence == "it is small"
    assert one.asks == "A number is below ten."
    with pytest.raises(Violation) as caught:
        one.check(12)
    assert str(caught.value) == "It is 12.\nThe contract: A number is below ten.\nSee page 7"


@pytest.mark.parametrize(
    ("number", "finding"),
    [
        (4, Finding("it is small", Verdict.OK)),
        (3, Finding("it is small", Verdict.SKIPPED, "It is odd.")),
        (100, Finding("it is small", Verdict.SKIPPED, "Nobody knows.")),
    ],
)
def test_what_comes_of_a_rule_is_kept_skipped_or_failed(number: int, finding: Finding) -> None:
    assert judge(RULES[0], number) == finding


def test_plugin_that_raises_has_failed_with_its_traceback() -> None:
    finding = judge(RULES[0], 42)
    assert finding.verdict is Verdict.FAILED
    assert finding.text.startswith("Traceback")
    assert finding.text.endswith("ZeroDivisionError: forty-two")


@pytest.mark.parametrize(
    ("exceptions", "said"),
    [
        ({"it_is_tiny": "because it is not"}, "there is no such rule"),
        ({"it_is_small": ""}, "gives no reason"),
        ({"it_is_small": "flaky test"}, "gives no reason"),
    ],
)
def test_exception_names_a_rule_and_a_reason(exceptions: dict[str, str], said: str) -> None:
    with pytest.raises(Violation, match=said):
        check_exceptions(RULES, exceptions)
    check_exceptions(RULES, {"it_is_small": "It counts in dozens."})


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_rule_says_what_it_asks_and_its_page_is_there(one: Rule[object]) -> None:
    assert one.asks.endswith(".")
    assert re.fullmatch(r"[a-z_]+", one.name)
    root = PAGE.parent.parent
    if one.where.startswith("docs/") and root.joinpath("docs").is_dir():
        page, _, heading = one.where.partition(", ")
        text = root.joinpath(page).read_text("utf-8")
        assert f"## {heading.strip(chr(39))}" in text or not heading


@pytest.mark.skipif(not PAGE.exists(), reason="the pages are not part of the package")
def test_page_lists_every_rule_and_no_other() -> None:
    text = PAGE.read_text("utf-8").partition("\n## Rules")[2]
    listed = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert sorted(listed) == sorted(one.name for one in EVERY)


@pytest.mark.skipif(not PAGE.exists(), reason="the pages are not part of the package")
def test_classes_on_the_page_are_as_it_says() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    names: dict = {}
    for block in blocks:
        exec(block, names)
    assert names["TestPlugin"].distribution == "turnkeyml-plugin-example"
    assert callable(names["TestTool"].test_it_runs_on_its_input)
    assert callable(names["TestRuntime"].test_it_measures_its_model)
    assert names["TestDiscover"]().make_source is not None


def test_names_are_used_once_in_each_class_of_tests() -> None:
    for rules in (LISTS[0:2], LISTS[2:4], LISTS[4:6]):
        names = [one.name for each in rules for one in each]
        assert len(set(names)) == len(names)
