"""What all ways to show a comparison have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from turnkeyml_plugin_compare.comparing import Answer, Comparison
from turnkeyml_plugin_compare.judging import Verdict
from turnkeyml_plugin_compare.results import FIELDS, Identity, Result

HEADS = ("model", "runtime", "before", "after", "change", "95% interval", "verdict")
NONE = "-"


def counts_of(comparison: Comparison) -> str:
    """Say how many results there are of each verdict: ``1 slower, 3 same``."""
    found = [(comparison.count(verdict), verdict.value) for verdict in Verdict]
    return ", ".join(f"{count} {name}" for count, name in found if count) or "nothing to compare"


def names_of(answers: Sequence[Answer]) -> list[str]:
    """Name each result by its model, and by what else tells it from others of that model."""
    seen: dict[str, list[Answer]] = {}
    for answer in answers:
        seen.setdefault(answer.pair.identity.model, []).append(answer)
    names = []
    for answer in answers:
        identity, same = answer.pair.identity, seen[answer.pair.identity.model]
        differing = [
            name
            for name in FIELDS
            if name != "runtime" and len({getattr(a.pair.identity, name) for a in same}) > 1
        ]
        more = [getattr(identity, name) for name in differing]
        names.append(" ".join([identity.model, *(text for text in more if text)]))
    return names


def cells_of(answer: Answer, name: str) -> tuple[str, ...]:
    """Give the cells of a row, as `HEADS` says."""
    pair = answer.pair
    change = interval = NONE
    if answer.judgement is not None:
        shift = answer.judgement.shift
        change = _percent(shift.estimate)
        interval = f"{_percent(shift.low)} to {_percent(shift.high)}"
    before, after = _runtime(pair.before), _runtime(pair.after)
    runtime = before if before == after or not after else f"{before} > {after}" if before else after
    return (
        name,
        runtime or NONE,
        _latency(pair.before),
        _latency(pair.after),
        change,
        interval,
        answer.verdict.value,
    )


def reasons_of(answers: Sequence[Answer]) -> list[tuple[str, str, int]]:
    """Give the reasons behind verdicts, with the number of results that have each."""
    found: dict[tuple[str, str], list[str]] = {}
    for answer in answers:
        if answer.reason:
            found.setdefault((answer.verdict.value, answer.reason), []).append(answer.detail)
    return [
        (verdict, _with_detail(reason, details), len(details))
        for (verdict, reason), details in found.items()
    ]


def _with_detail(reason: str, details: Sequence[str]) -> str:
    if len(set(details)) == 1:
        return f"{reason}: {details[0]}" if details[0] else reason
    return f"{reason} (--json says why)"


def advice_on(comparison: Comparison) -> str:
    """Say what keeps results of the same models apart; empty if nothing does."""
    missing = [a.pair.identity for a in comparison.answers if a.verdict is Verdict.MISSING]
    new: dict[str, list[Identity]] = {}
    for answer in comparison.answers:
        if answer.verdict is Verdict.NEW:
            new.setdefault(answer.pair.identity.model, []).append(answer.pair.identity)
    ways = Counter(
        min((_differing(old, other) for other in new[old.model]), key=len)
        for old in missing
        if old.model in new
    )
    if not ways:
        return ""
    fields, count = ways.most_common(1)[0]
    return f"Of those that are missing, {count} would be compared with --ignore {' '.join(fields)}."


def _differing(one: Identity, other: Identity) -> tuple[str, ...]:
    return tuple(name for name in FIELDS if getattr(one, name) != getattr(other, name))


def changes_of(comparison: Comparison) -> list[str]:
    """Say what else differs between the sides."""
    return [
        f"{what}: {before or NONE} > {after or NONE} ({count})"
        for what, before, after, count in comparison.changes
    ]


def _runtime(result: Result | None) -> str:
    return "" if result is None else result.identity.runtime


def _latency(result: Result | None) -> str:
    """Give the median, which is what is compared, or else the mean."""
    if result is None:
        return NONE
    if not result.is_good:
        return "failed"
    latency = result.median_ms or result.latency_ms or 0.0
    return f"{latency:.3f} ms" if latency >= 0.01 else f"{latency:#.3g} ms"


def _percent(share: float) -> str:
    return f"{100 * share:+.1f}%"
