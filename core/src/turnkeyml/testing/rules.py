"""What a rule of the conformance kit is, and how one is checked."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from turnkeyml.errors import TurnkeyError

PAGE = "docs/conformance.md"
S = TypeVar("S")


class Violation(AssertionError):  # noqa: N818 - tests call it a failure
    """A plugin does not keep a rule; says what was found."""


class NotApplicable(Exception):  # noqa: N818 - it is no error
    """A rule cannot be checked here; says why."""


@dataclass(frozen=True)
class Scope(Generic[S]):
    """What a rule is about.

    Args:
        otherwise: Why it is skipped where it is not about the subject.
        holds: Tells whether it is about the subject.
    """

    otherwise: str
    holds: Callable[[S], bool]


@dataclass(frozen=True)
class Rule(Generic[S]):
    """One thing that a plugin must keep.

    Args:
        name: A sentence with underscores.
        asks: What the contract asks, in a sentence.
        where: The page that says so.
        function: Raises `Violation` or `NotApplicable`.
        runs: Whether the plugin's tool or runtime is run for it.
        scope: What it is about, if not everything.
    """

    name: str
    asks: str
    where: str
    function: Callable[[S], None]
    runs: bool = False
    scope: Scope[S] | None = None

    @property
    def sentence(self) -> str:
        """The name as a reader reads it."""
        return self.name.replace("_", " ")

    def concerns(self, subject: S) -> bool:
        """Tell whether the rule is about something like this."""
        return self.scope is None or self.scope.holds(subject)

    def check(self, subject: S) -> None:
        """Check the rule.

        Raises:
            Violation: It is broken; the message also says what is asked and where that is written.
            NotApplicable: It cannot be checked.
        """
        if self.scope is not None and not self.scope.holds(subject):
            raise NotApplicable(self.scope.otherwise)
        try:
            self.function(subject)
        except Violation as broken:
            raise Violation(f"{broken}\nThe contract: {self.asks}\nSee {self.where}") from broken


def rule(
    collection: list[Rule[S]],
    *,
    where: str = PAGE,
    runs: bool = False,
    scope: Scope[S] | None = None,
) -> Callable[[Callable[[S], None]], Callable[[S], None]]:
    """Make a rule of a function; its docstring says what the contract asks.

    Args:
        collection: Where the rule is added.
        where: The page that says so.
        runs: Whether the plugin's tool or runtime is run for it.
        scope: What it is about, if not everything.
    """

    def add(function: Callable[[S], None]) -> Callable[[S], None]:
        asks = " ".join((function.__doc__ or "").split())
        collection.append(Rule(function.__name__, asks, where, function, runs, scope))
        return function

    return add


class Verdict(Enum):
    """What came of checking a rule."""

    OK = "ok"
    FAILED = "FAILED"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """What came of checking one rule.

    Args:
        sentence: The rule.
        verdict: Whether it is kept.
        text: What was found, or why it was skipped.
    """

    sentence: str
    verdict: Verdict
    text: str = ""


def judge(one: Rule[S], subject: S) -> Finding:
    """Check a rule, whatever the plugin does."""
    try:
        one.check(subject)
    except NotApplicable as reason:
        return Finding(one.sentence, Verdict.SKIPPED, str(reason))
    except (Violation, TurnkeyError) as error:
        return Finding(one.sentence, Verdict.FAILED, str(error))
    # The plugin's own code runs here, and may raise anything; Ctrl-C passes.
    except (Exception, SystemExit):  # noqa: BLE001
        return Finding(one.sentence, Verdict.FAILED, traceback.format_exc().rstrip())
    return Finding(one.sentence, Verdict.OK)


def check_exceptions(rules: Iterable[Rule[S]], exceptions: Mapping[str, str]) -> None:
    """Check what an author says about rules that do not apply.

    Raises:
        Violation: There is no such rule, or no reason is given.
    """
    names = {one.name for one in rules}
    for name, reason in exceptions.items():
        if name not in names:
            raise Violation(f"not_applicable names {name!r}, and there is no such rule.")
        if len(reason.split()) < 3:
            raise Violation(f"not_applicable gives no reason for {name!r}: {reason!r}.")
