"""Write docs/models.md from the results of a sweep: how far the scripts came, and why not further.

python models/dev/sweep_table.py            # writes the page
python models/dev/sweep_table.py --check    # says whether it is what it should be
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import check_scripts
import sweep
from check_scripts import MODELS, TOO_LARGE, find_scripts
from sweep import FIRST, SECOND, STAGES, SweepResult, read_results, scripts_to_run

PAGE = MODELS.parent / "docs" / "models.md"
COLUMNS = ("scripts", "found", "exported", "optimized", "converted", "within tolerance", "run")
_WITHIN = "ok"
_CHECKED = ("ok", "mismatch")


@dataclass
class Tally:
    """Counts of one corpus.

    Attributes:
        scripts: All that can be run here.
        tried: Those of which a result is there.
        reached: How many came through each stage with all of their models.
        compared: Of how many all float16 models could be compared with PyTorch.
        within: How many of those compute what PyTorch does.
    """

    scripts: int = 0
    tried: int = 0
    reached: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    compared: int = 0
    within: int = 0

    def add(self, other: Tally) -> None:
        """Count another corpus in."""
        self.scripts += other.scripts
        self.tried += other.tried
        self.compared += other.compared
        self.within += other.within
        for stage, number in other.reached.items():
            self.reached[stage] += number


def tally_of(scripts: Iterable[str], by_script: Mapping[str, Sequence[SweepResult]]) -> Tally:
    """Count the scripts of a corpus."""
    tally = Tally()
    for script in scripts:
        tally.scripts += 1
        results = by_script.get(script)
        if not results:
            continue
        tally.tried += 1
        for stage in STAGES:
            tally.reached[stage] += all(_came_through(r, stage) for r in results)
        tally.compared += all(result.parity in _CHECKED for result in results)
        tally.within += all(result.parity == _WITHIN for result in results)
    return tally


def _came_through(result: SweepResult, stage: str) -> bool:
    return (result.stages or {}).get(stage) == "successful"


def page_from(
    facts: Mapping[str, str],
    results: Sequence[SweepResult],
    scripts: Sequence[str],
    large: int,
    plain: int,
) -> str:
    """Give the text of the page.

    Args:
        facts: How the results were made.
        results: One a model.
        scripts: All scripts that can be run, relative to the corpora.
        large: How many cannot, since their weights take more than 24 GB.
        plain: How many of the scripts have been run to their end by plain Python.
    """
    by_script: dict[str, list[SweepResult]] = defaultdict(list)
    for result in results:
        by_script[result.script].append(result)
    by_corpus: dict[str, list[str]] = defaultdict(list)
    for script in scripts:
        by_corpus[script.partition("/")[0]].append(script)
    tallies = {name: tally_of(names, by_script) for name, names in sorted(by_corpus.items())}
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    known = [result for result in results if result.script in set(scripts)]
    return "\n".join(
        [
            *_head(facts, whole, large, plain),
            *_again(known),
            *_table(tallies, whole),
            *_causes([r for r in known if r.failed_step or r.error]),
            *_departures([r for r in known if r.parity and r.parity != _WITHIN]),
        ]
    )


def _head(facts: Mapping[str, str], whole: Tally, large: int, plain: int) -> list[str]:
    versions = ", ".join(
        f"{key.removeprefix('version.')} {value}"
        for key, value in facts.items()
        if key.startswith("version.")
    )
    lines = [
        "# How far the models come",
        "",
        "The scripts of `models/` are taken through",
        "",
        f"    turnkey -i SCRIPT {facts.get('turnkey', '')}",
        "",
        f"on {facts.get('device_name', 'a processor')}, with {versions}. "
        "`python models/dev/sweep.py CACHE` does it again, and `models/sweep_results.jsonl` has "
        "the results of each model. A script has come through a stage if all of its models have.",
        "",
        f"{large} further scripts are left out, because their weights alone take more than 24 GB; "
        "[models/README.md](https://github.com/turnkeyml/turnkey/blob/main/models/README.md) "
        "names them.",
        "",
        f"By plain Python {_share(plain, whole.scripts)} of {whole.scripts:,} scripts come to "
        "their end; `models/check_results.jsonl` says so of each.",
        "",
    ]
    if whole.tried < whole.scripts:
        lines += [
            f"**{whole.tried:,} of {whole.scripts:,} scripts have been run so far**, drawn at "
            "random. Shares are of those.",
            "",
        ]
    return lines


def _again(results: Sequence[SweepResult]) -> list[str]:
    """Say of how many the failure is that of a first attempt."""
    scripts = {r.script for r in results if not r.is_whole and r.attempts == 1}
    if not scripts:
        return []
    room = f"{SECOND.memory} instead of {FIRST.memory}".replace("GB", " GB")
    return [
        f"**Scripts that failed and have been tried only once, beside others: {len(scripts):,}.** "
        f"They are to be tried again alone, with {room}.",
        "",
    ]


def _table(tallies: Mapping[str, Tally], whole: Tally) -> list[str]:
    lines = ["| corpus | " + " | ".join(COLUMNS) + " |", "|---" + "|--:" * len(COLUMNS) + "|"]
    rows = [*((f"`{name}`", tally) for name, tally in tallies.items()), ("all", whole)]
    for name, tally in rows:
        numbers = [tally.reached[stage] for stage in STAGES[:-1]]
        numbers += [tally.within, tally.reached[STAGES[-1]]]
        cells = [f"{tally.tried:,}", *(_share(number, tally.tried) for number in numbers)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [
        *lines,
        "",
        f"The outputs of {whole.compared:,} scripts could be compared with PyTorch's; "
        f"{_share(whole.within, whole.compared)} of them are within the tolerance. Models with "
        "random weights often have outputs that are too small for float16, or nothing but zeros.",
        "",
    ]


def _share(number: int, of: int) -> str:
    return f"{number:,} ({100 * number / of:.1f} %)" if of else "-"


def _causes(failed: Sequence[SweepResult]) -> list[str]:
    if not failed:
        return []
    groups: dict[tuple[str, str], list[SweepResult]] = defaultdict(list)
    for result in failed:
        groups[result.failed_step, result.cause or result.error].append(result)
    lines = [
        "## Why not further",
        "",
        "| models | stage | what it says | scripts |",
        "|--:|---|---|---|",
    ]
    for (step, _), group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        names = ", ".join(f"`{result.script}`" for result in group)
        lines.append(f"| {len(group)} | {step or 'discover'} | {_cell(group[0].error)} | {names} |")
    return [*lines, ""]


def _departures(results: Sequence[SweepResult]) -> list[str]:
    departed = [result for result in results if result.parity in _CHECKED]
    unchecked = [result for result in results if result.parity not in _CHECKED]
    lines: list[str] = []
    if departed:
        lines += [
            "## Beyond the tolerance of float16",
            "",
            "The largest difference from PyTorch, relative to its value there or, where that is "
            "larger, to the root mean square of that output. The tolerance is 0.05.",
            "",
            "| script | difference | how |",
            "|---|--:|---|",
        ]
        for result in departed:
            value = "-" if result.parity_error is None else f"{result.parity_error:.3g}"
            lines.append(f"| `{result.script}` | {value} | {_cell(result.parity_reason)} |")
        lines.append("")
    if unchecked:
        lines += ["## Not compared", "", "| script | why |", "|---|---|"]
        for result in unchecked:
            lines.append(f"| `{result.script}` | {_cell(result.parity_reason or result.parity)} |")
        lines.append("")
    return lines


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")


def main(words: Sequence[str]) -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="Write nothing.")
    options = parser.parse_args(words)
    if not sweep.RESULTS.exists():
        parser.error(f"there is no {sweep.RESULTS}; python models/dev/sweep.py CACHE writes it")
    facts, results = read_results()
    scripts = [path.as_posix() for path in scripts_to_run([])]
    large = sum(TOO_LARGE in _first_line(path) for path in find_scripts([]))
    checked = check_scripts.read_results(check_scripts.RESULTS)
    plain = sum(s in checked and checked[s].outcome == "ok" for s in scripts)
    text = page_from(facts, results, scripts, large, plain)
    if options.check:
        return 0 if PAGE.exists() and PAGE.read_text("utf-8") == text else 1
    PAGE.write_text(text, "utf-8")
    return 0


def _first_line(path: Path) -> str:
    return (MODELS / path).read_text("utf-8").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
