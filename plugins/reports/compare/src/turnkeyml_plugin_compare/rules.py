"""What lets a comparison fail, as `--fail-on` says it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from turnkeyml.errors import UsageError
from turnkeyml_plugin_compare.comparing import Answer, Comparer
from turnkeyml_plugin_compare.judging import Verdict

_VERDICTS = {
    "slower": Verdict.SLOWER,
    "failed": Verdict.FAILED,
    "missing": Verdict.MISSING,
    "cannot-tell": Verdict.CANNOT_TELL,
}
_PERCENT = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)%?", re.ASCII)
_HINT = "Such as slower, slower:5%, failed, missing or cannot-tell."


@dataclass(frozen=True)
class Rule:
    """A verdict that is not to be.

    Args:
        text: As it was given.
        verdict: Which one.
        margin: A share, if the rule has a threshold of its own.
    """

    text: str
    verdict: Verdict
    margin: float | None = None

    def broken_by(self, comparer: Comparer, margin: float) -> list[Answer]:
        """Give the answers that break it.

        Args:
            comparer: The two sides.
            margin: The comparison's.
        """
        comparison = comparer.answer(margin if self.margin is None else self.margin)
        return [answer for answer in comparison.answers if answer.verdict is self.verdict]


def rules_from(words: Sequence[str]) -> list[Rule]:
    """Read rules, each a word of its own or several joined by commas.

    Raises:
        UsageError: One cannot be understood.
    """
    return [_rule_from(text.strip()) for word in words for text in word.split(",")]


def _rule_from(text: str) -> Rule:
    name, colon, percent = text.partition(":")
    if name not in _VERDICTS or (colon and name != "slower"):
        raise UsageError(f"--fail-on does not know {text!r}.", hint=_HINT)
    margin = margin_from(percent, "--fail-on slower") if colon else None
    return Rule(text, _VERDICTS[name], margin)


def margin_from(text: str, where: str) -> float:
    """Read a percentage, such as ``5%``, as a share.

    Args:
        text: What was given.
        where: The option, for the message.

    Raises:
        UsageError: It is none.
    """
    found = _PERCENT.fullmatch(text.strip())
    if found is None or not math.isfinite(float(found[1])):
        raise UsageError(f"{where} takes a percentage, such as 5%, not {text!r}.")
    return float(found[1]) / 100
