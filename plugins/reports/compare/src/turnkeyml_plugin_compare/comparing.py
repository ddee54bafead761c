"""Compare two sides: judge each pair, and give the answers in the order of their weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from turnkeyml_plugin_compare.judging import (
    Judgement,
    Values,
    Verdict,
    are_enough,
    judge,
    values_of,
)
from turnkeyml_plugin_compare.pairing import Pair, pair_up
from turnkeyml_plugin_compare.results import Result

_UNTRUSTED = ("noisy", "invalid")
_ORDER = {verdict: rank for rank, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class Answer:
    """What is said of one result.

    Args:
        pair: What was compared.
        verdict: What became of it.
        reason: Why it cannot be told, or the error; empty where the numbers say it.
        judgement: What the samples say; None where they were not compared.
        detail: More about the reason, where that is the same for many results.
    """

    pair: Pair
    verdict: Verdict
    reason: str = ""
    judgement: Judgement | None = None
    detail: str = ""


@dataclass(frozen=True)
class Comparison:
    """The answers to one question: what differs by more than a margin?

    Args:
        margin: A share; what differs by less is the same.
        answers: What matters most comes first.
        changes: What else differs between the sides, such as versions: what, from, to, and in how
            many results.
    """

    margin: float
    answers: tuple[Answer, ...]
    changes: tuple[tuple[str, str, str, int], ...]

    def count(self, verdict: Verdict) -> int:
        """Tell how many results have a verdict."""
        return sum(answer.verdict is verdict for answer in self.answers)


class Comparer:
    """Two sides whose results belong together; what they say of one margin or another is asked.

    Args:
        before: The first side.
        after: The second.
        ignored: Fields of `Identity` that may differ.
    """

    def __init__(
        self, before: Sequence[Result], after: Sequence[Result], ignored: Collection[str] = ()
    ) -> None:
        self._pairs = pair_up(before, after, ignored)
        self._ignored = ignored
        self._values: dict[int, tuple[Values, Values]] = {}
        self._reasons: dict[int, tuple[str, str]] = {}
        self._answered: dict[float, Comparison] = {}
        for index, pair in enumerate(self._pairs):
            if _settled(pair) is None:
                self._prepare(index, pair)

    def answer(self, margin: float) -> Comparison:
        """Judge all pairs.

        Args:
            margin: A share, such as 0.05.
        """
        if margin not in self._answered:
            self._answered[margin] = self._compare(margin)
        return self._answered[margin]

    def _compare(self, margin: float) -> Comparison:
        judged = judge(list(self._values.values()), margin)
        judgements = dict(zip(self._values, judged, strict=True))
        answers = [
            self._answer(index, pair, judgements.get(index), margin)
            for index, pair in enumerate(self._pairs)
        ]
        answers.sort(key=_weight)
        return Comparison(margin, tuple(answers), _changes_of(self._pairs))

    def _prepare(self, index: int, pair: Pair) -> None:
        if pair.before is None or pair.after is None:
            return
        reason, detail = _doubt(pair.before, pair.after, self._ignored)
        if not reason:
            values = values_of(pair.before.runs), values_of(pair.after.runs)
            if are_enough(*values):
                self._values[index] = values
                return
            reason = (
                "the samples depend too much on each other to be compared; measure more, or "
                "several times (--iterations, --repeat)"
            )
        self._reasons[index] = (reason, detail)

    def _answer(self, index: int, pair: Pair, judgement: Judgement | None, margin: float) -> Answer:
        settled = _settled(pair)
        if settled is not None:
            return settled
        if judgement is None:
            reason, detail = self._reasons[index]
            return Answer(pair, Verdict.CANNOT_TELL, reason, detail=detail)
        reason = _open(judgement, margin) if judgement.verdict is Verdict.CANNOT_TELL else ""
        return Answer(pair, judgement.verdict, reason, judgement)


def compare_results(
    before: Sequence[Result],
    after: Sequence[Result],
    margin: float,
    ignored: Collection[str] = (),
) -> Comparison:
    """Compare two sides.

    Args:
        before: The first side.
        after: The second.
        margin: A share; what differs by less is the same.
        ignored: Fields of `Identity` that may differ.
    """
    return Comparer(before, after, ignored).answer(margin)


def _settled(pair: Pair) -> Answer | None:
    """Give the answer where a side has nothing to measure."""
    before, after = pair.before, pair.after
    if after is None:
        return Answer(pair, Verdict.MISSING, "it is not in the second")
    if before is None:
        return Answer(pair, Verdict.NEW, _error_of(after))
    if not after.is_good:
        verdict = Verdict.FAILED if before.is_good else Verdict.STILL_FAILED
        return Answer(pair, verdict, _error_of(after))
    return None if before.is_good else Answer(pair, Verdict.FIXED)


def _error_of(result: Result) -> str:
    step = f"{result.failed_step}: " if result.failed_step else ""
    return f"{step}{result.error}" if result.error else ""


def _doubt(before: Result, after: Result, ignored: Collection[str]) -> tuple[str, str]:
    """Say why two results cannot be compared, and more about it; empty if they can."""
    for which, result in (("first", before), ("second", after)):
        if result.verdict in _UNTRUSTED:
            return f"the {which} is {result.verdict}", result.verdict_reasons
        if not result.runs:
            return f"of the {which}, {result.unsampled or 'there are no samples'}", ""
    if "device" not in ignored and before.device_name != after.device_name:
        names = f"{before.device_name} and {after.device_name}"
        return "they were measured on different devices", names
    return "", ""


def _open(judgement: Judgement, margin: float) -> str:
    shift = judgement.shift
    lower, upper = 1 / (1 + margin) - 1, margin
    if shift.low > upper or shift.high < lower:
        return "it looks so, but with so few samples or so many results it may be chance"
    return f"the interval reaches over the threshold of {100 * margin:.3g} %"


def _weight(answer: Answer) -> tuple[int, float, str]:
    size = 0.0 if answer.judgement is None else -abs(answer.judgement.shift.estimate)
    return _ORDER[answer.verdict], size, answer.pair.identity.model


def _changes_of(pairs: Sequence[Pair]) -> tuple[tuple[str, str, str, int], ...]:
    found: Counter[tuple[str, str, str]] = Counter()
    for pair in pairs:
        before, after = pair.before, pair.after
        if before is None or after is None or not (before.is_good and after.is_good):
            continue
        runtime = after.identity.runtime
        for what, old, new in (
            ("device", before.device_name, after.device_name),
            (f"version of {runtime}", before.runtime_version, after.runtime_version),
            ("version of turnkey", before.turnkey_version, after.turnkey_version),
        ):
            if old != new:
                found[(what, old, new)] += 1
    return tuple((*key, count) for key, count in found.most_common())
