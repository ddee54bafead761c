"""What `--fail-on` and `--threshold` take."""

from __future__ import annotations

import pytest

from turnkeyml.errors import UsageError
from turnkeyml_plugin_compare.judging import Verdict
from turnkeyml_plugin_compare.rules import Rule, margin_from, rules_from


def test_rules_are_words_or_joined_by_commas() -> None:
    assert rules_from(["slower:7.5%,failed", "missing"]) == [
        Rule("slower:7.5%", Verdict.SLOWER, 0.075),
        Rule("failed", Verdict.FAILED),
        Rule("missing", Verdict.MISSING),
    ]


@pytest.mark.parametrize(
    "word", ["", "slow", "failed:5%", "slower:", "slower:x", "slower:-1%", "missing,"]
)
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(UsageError):
        rules_from([word])


@pytest.mark.parametrize(
    ("text", "share"), [("5%", 0.05), ("5", 0.05), ("0%", 0), ("12.5%", 0.125)]
)
def test_percentages(text: str, share: float) -> None:
    assert margin_from(text, "--threshold") == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "five", "-5%", "5%%", "nan", "1e9%", "\u0665%"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--threshold takes a percentage"):
        margin_from(text, "--threshold")
