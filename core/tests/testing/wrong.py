"""Mistakes that are put into the right plugin, and the rules that must find them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from turnkeyml.testing.rules import Rule, Verdict, judge

Edits = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Wrong:
    """One mistake.

    Args:
        rule: That finds it.
        said: A part of what the rule says.
        edits: What is replaced in the right plugin, by what.
        of: The tool or runtime that the rule looks at, if it does not look at the package.
        more: How it is tried.
        requires: What the package depends on.
    """

    rule: str
    said: str
    edits: Edits = ()
    of: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    requires: str = "turnkeyml-core"

    def __str__(self) -> str:
        return f"{self.rule}: {self.said[:40]}"

    def must_be_found(self, rules: Iterable[Rule[Any]], subject: Any) -> None:
        """Check the rule, which must fail and say why."""
        (one,) = [each for each in rules if each.name == self.rule]
        finding = judge(one, subject)
        assert finding.verdict is Verdict.FAILED, finding
        assert self.said in finding.text, finding.text
        if "pip uninstall" not in finding.text:
            assert finding.text.endswith(f"The contract: {one.asks}\nSee {one.where}")


def before(anchor: str, *lines: str) -> Edits:
    """Add lines before one, and indented like it."""
    indent = anchor[: len(anchor) - len(anchor.lstrip())]
    added = "".join(f"{indent}{line}\n" for line in lines)
    return ((anchor, added + anchor),)


def after(anchor: str, *lines: str) -> Edits:
    """Add lines after one, and indented like it."""
    indent = anchor[: len(anchor) - len(anchor.lstrip())]
    return ((anchor, "\n".join([anchor, *(f"{indent}{line}" for line in lines)])),)


def names(rules: Iterable[Rule[Any]]) -> set[str]:
    """Give the names of rules."""
    return {one.name for one in rules}
