"""How often the judgement cries wolf, and whether it sees what is slower."""

from __future__ import annotations

import json
import math
import random
from itertools import combinations
from pathlib import Path

import pytest
from compare_support import noisy_run

from turnkeyml_plugin_compare.judging import Values, Verdict, are_enough, judge, values_of

MEASURED = Path(__file__).parent / "data" / "measured_runs.json"
ALARMS = (Verdict.SLOWER, Verdict.FASTER)
MARGIN = 0.05

Pair = tuple[Values, Values]


def pairs_of(
    seed: int, count: int, factor: float = 1.0, runs: int = 1, noise: float = 1.0
) -> list[Pair]:
    rng = random.Random(seed)

    def side(latency_ns: float) -> Values:
        return values_of([noisy_run(rng, latency_ns, noise=noise) for _ in range(runs)])

    return [(side(1e6), side(1e6 * factor)) for _ in range(count)]


def alarms_alone(pairs: list[Pair]) -> int:
    """Count alarms when each pair is a comparison of its own: nothing to account for."""
    return sum(judge([pair], MARGIN)[0].verdict in ALARMS for pair in pairs if are_enough(*pair))


def verdicts_together(pairs: list[Pair]) -> list[Verdict]:
    enough = [pair for pair in pairs if are_enough(*pair)]
    return [found.verdict for found in judge(enough, MARGIN)]


@pytest.mark.parametrize("seed", range(4))
def test_no_hundred_equal_pairs_give_an_alarm(seed: int) -> None:
    found = verdicts_together(pairs_of(seed, 100))
    assert not any(verdict in ALARMS for verdict in found)
    # And they are not all left open.
    assert found.count(Verdict.SAME) >= 75


def test_of_equal_pairs_compared_one_by_one_under_one_in_a_hundred_gives_an_alarm() -> None:
    pairs = [pair for seed in range(5) for pair in pairs_of(seed, 100)]
    assert alarms_alone(pairs) < len(pairs) / 100


def test_no_equal_pairs_of_three_runs_each_give_an_alarm() -> None:
    pairs = pairs_of(11, 100, runs=3)
    assert alarms_alone(pairs) == 0
    assert verdicts_together(pairs).count(Verdict.SAME) >= 60


def test_no_measured_equal_pairs_give_an_alarm() -> None:
    """Runs of one model with one runtime on a machine that others used too, each a process."""
    pairs = []
    for series in json.loads(MEASURED.read_bytes()):
        pairs += list(combinations([values_of([run]) for run in series], 2))
    assert len(pairs) >= 500
    assert alarms_alone(pairs) <= len(pairs) / 100
    assert verdicts_together(pairs).count(Verdict.SAME) >= len(pairs) / 4


def test_ignoring_how_samples_depend_on_each_other_would_cry_wolf() -> None:
    """What the blocks are for: a machine that is slow for a while, and no other difference."""
    rng = random.Random(8)
    naive = blocked = 0
    for _ in range(100):
        sides = []
        for _ in range(2):
            away, run = 0.0, []
            for _ in range(100):
                away = 0.95 * away + rng.gauss(0, 0.03)
                run.append(1e6 * math.exp(away))
            sides.append(run)
        logs = [tuple(map(math.log, run)) for run in sides]
        as_if = tuple(Values(log, (sorted(log)[50],), (sorted(log)[50],)) for log in logs)
        naive += judge([(as_if[0], as_if[1])], MARGIN)[0].verdict in ALARMS
        blocked += alarms_alone([(values_of([sides[0]]), values_of([sides[1]]))])
    assert naive >= 10
    assert blocked <= naive / 5


@pytest.mark.parametrize(
    ("noise", "runs", "least"), [(1, 1, 65), (0.5, 1, 95), (1, 5, 85), (0.5, 5, 98)]
)
def test_a_hundred_results_that_are_a_tenth_slower_are_seen(
    noise: float, runs: int, least: int
) -> None:
    found = verdicts_together(pairs_of(30, 100, factor=1.1, runs=runs, noise=noise))
    assert found.count(Verdict.SLOWER) >= least
    assert Verdict.FASTER not in found


def test_a_measured_run_that_is_made_a_tenth_slower_is_seen() -> None:
    pairs = []
    for series in json.loads(MEASURED.read_bytes()):
        for first, second in zip(series[::2], series[1::2], strict=False):
            slower = [round(1.1 * sample) for sample in second]
            pairs.append((values_of([first]), values_of([slower])))
    alone = [judge([pair], MARGIN)[0].verdict for pair in pairs if are_enough(*pair)]
    assert alone.count(Verdict.SLOWER) >= 0.5 * len(pairs)
    assert Verdict.FASTER not in alone


def test_those_that_are_slower_are_found_among_a_hundred_and_no_others() -> None:
    rng = random.Random(23)
    pairs = pairs_of(23, 90)
    pairs += [
        (values_of([noisy_run(rng) for _ in range(3)]),
         values_of([noisy_run(rng, 1.15e6) for _ in range(3)]))
        for _ in range(10)
    ]  # fmt: skip
    found = judge(pairs, MARGIN)
    assert not any(one.verdict in ALARMS for one in found[:90])
    assert sum(one.verdict is Verdict.SLOWER for one in found[90:]) >= 9


def test_faster_is_seen_as_slower_is() -> None:
    pairs = pairs_of(24, 30, factor=1.2)
    there = [found.verdict for found in judge(pairs, MARGIN)]
    back = [found.verdict for found in judge([(b, a) for a, b in pairs], MARGIN)]
    mirrored = {Verdict.SLOWER: Verdict.FASTER, Verdict.FASTER: Verdict.SLOWER}
    assert there.count(Verdict.SLOWER) >= 25
    assert back == [mirrored.get(verdict, verdict) for verdict in there]
