"""Which result of one side belongs to which of the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from turnkeyml_plugin_compare.results import Identity, Result


@dataclass(frozen=True)
class Pair:
    """What belongs together; None where a side has nothing.

    Args:
        identity: What was measured, as the first side has it, else the second.
        before: Of the first side.
        after: Of the second.
    """

    identity: Identity
    before: Result | None
    after: Result | None


def pair_up(
    before: Sequence[Result], after: Sequence[Result], ignored: Collection[str] = ()
) -> list[Pair]:
    """Find the partner of each result.

    Results that differ in nothing but in how often was measured are told apart by that; where even
    that is the same, the newest counts. A failure is the partner of a result that has no other one,
    or that the same benchmark did not come to again.

    Args:
        before: The first side. Its failures that the second says nothing of are left out.
        after: The second.
        ignored: Fields of `Identity` that may differ.
    """
    first, second = _good(before, ignored), _good(after, ignored)
    failures = _Failures(after, ignored), _Failures(before, ignored)
    pairs = []
    for key in dict.fromkeys([*first, *second]):
        for old, new in _matched(first.get(key, []), second.get(key, [])):
            pairs.append(_with_failures(old, new, *failures))
    pairs += _failed_on_both(before, after, ignored, pairs)
    return pairs


def _key(identity: Identity, ignored: Collection[str]) -> Identity:
    return replace(identity, **dict.fromkeys(ignored, ""))


def _good(results: Iterable[Result], ignored: Collection[str]) -> dict[Identity, list[Result]]:
    found: defaultdict[Identity, list[Result]] = defaultdict(list)
    for result in results:
        if result.is_good:
            found[_key(result.identity, ignored)].append(result)
    return found


def _matched(
    before: Sequence[Result], after: Sequence[Result]
) -> list[tuple[Result | None, Result | None]]:
    if len(before) <= 1 and len(after) <= 1:
        return [(before[0] if before else None, after[0] if after else None)]
    first, second = _newest(before), _newest(after)
    if len(first) == len(second) == 1:
        return list(zip(first.values(), second.values(), strict=True))
    return [(first.get(key), second.get(key)) for key in dict.fromkeys([*first, *second])]


def _newest(results: Iterable[Result]) -> dict[tuple[str, str, Identity], Result]:
    ordered = sorted(results, key=lambda result: result.measured_at)
    # Where an ignored field lets several results meet, those that are equal in it belong together.
    return {(one.iterations, one.schedule, one.identity): one for one in ordered}


class _Failures:
    """Failures of one side, by what is known of what failed."""

    def __init__(self, results: Iterable[Result], ignored: Collection[str]) -> None:
        self._ignored = ignored
        self._found: defaultdict[str, list[Result]] = defaultdict(list)
        for result in results:
            if not result.is_good:
                self._found[result.identity.model].append(result)

    def of_benchmark(self, result: Result) -> Result | None:
        """Give the failure of the very benchmark that came to a result."""
        key = _key(result.identity, self._ignored)
        for failure in self._found[result.identity.model]:
            same = failure.iterations == result.iterations
            if same and _key(failure.identity, self._ignored) == key:
                return failure
        return None

    def of_model(self, result: Result) -> Result | None:
        """Give the failure of the model: what is not known of it may be anything."""
        key = _key(result.identity, self._ignored)
        for failure in self._found[result.identity.model]:
            known = _key(failure.identity, self._ignored)
            if all(
                getattr(known, name) in ("", getattr(key, name))
                for name in ("hash", "parameters", "device", "runtime", "rt_args")
            ):
                return failure
        return None


def _with_failures(
    before: Result | None, after: Result | None, failed_after: _Failures, failed_before: _Failures
) -> Pair:
    if before is not None and after is not None:
        # A result from before stays in a cache also if measuring it again fails.
        failure = failed_after.of_benchmark(after)
        return Pair(before.identity, before, failure or after)
    if before is not None:
        return Pair(before.identity, before, failed_after.of_model(before))
    if after is None:
        raise ValueError("a pair has at least one side")
    return Pair(after.identity, failed_before.of_model(after), after)


def _failed_on_both(
    before: Sequence[Result],
    after: Sequence[Result],
    ignored: Collection[str],
    pairs: Sequence[Pair],
) -> list[Pair]:
    # How far a chain came before it failed does not make it another one.
    ignored = {*ignored, "chain"}
    used = {id(side) for pair in pairs for side in (pair.before, pair.after)}
    old = {_key(r.identity, ignored): r for r in before if not r.is_good and id(r) not in used}
    new = {_key(r.identity, ignored): r for r in after if not r.is_good and id(r) not in used}
    return [Pair(new[key].identity, old.get(key), new[key]) for key in new]
