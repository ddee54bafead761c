"""Take every script of the corpora through turnkey, and keep how far each came.

    python models/dev/sweep.py CACHE                    # all of which there is no result yet
    python models/dev/sweep.py CACHE timm diffusers     # some corpora
    python models/dev/sweep.py CACHE --gather           # only write down what there is so far

Each script runs in a process of its own. What failed is tried a second time, alone and with more
memory and time, so that what is left did not fail for want of those. Whole commands are shown as
they are run. What came of it is written to ``models/sweep_results.jsonl``, which is gone on with on
any machine: what it tells is not run again (to run all, remove it and name another CACHE). From
there it is taken to
``docs/models.md`` by ``python models/dev/sweep_table.py``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from check_scripts import MODELS, TO_FAIL, TOO_LARGE, find_scripts

RESULTS = MODELS / "sweep_results.jsonl"
CHAIN = (
    *("discover", "export-pytorch", "optimize-onnx", "convert-fp16"),
    *("benchmark", "--iterations", "10"),
)
SIDE_BY_SIDE = ("--threads", "1", "--share-device")
"""Whether models run is asked, not how fast. Benchmarks that wait until nothing else runs kept a
job waiting for 282 of 400 s."""
STAGES = ("found", "exported", "optimized", "converted", "run")
LIBRARIES = ("transformers", "timm", "torchvision", "diffusers", "torch-geometric")
PRELOAD = ("transformers.modeling_utils", "timm", "diffusers", "torch_geometric.nn")


@dataclass(frozen=True)
class Pass:
    """How the scripts are run.

    Attributes:
        jobs: How many side by side.
        memory: What one may have.
        timeout_s: What one may take.
    """

    jobs: int
    memory: str
    timeout_s: int


FIRST = Pass(2, "8GB", 900)
SECOND = Pass(1, "20GB", 3600)
FIRST_CACHE, SECOND_CACHE = "first", "second"
"""Folders of the builds."""


@dataclass(frozen=True)
class SweepResult:
    """How one model of a script fared.

    Attributes:
        script: Relative to the corpora.
        model: The eight digits by which it is named; empty where none was found.
        parameters: How many it has.
        stages: How each went: ``successful``, ``failed``, or another status of turnkey.
        parity: How the check of the float16 model against PyTorch ended.
        parity_error: The largest difference from PyTorch, relative to its value there or, where
            that is larger, to the root mean square of that output.
        parity_reason: Why it could not be compared, or how it departs.
        failed_step: Where it ended.
        cause: Why, without names and numbers.
        error: Why.
        attempts: How often it was tried: 2 if it failed at first.
    """

    script: str
    model: str = ""
    parameters: int = 0
    stages: Mapping[str, str] | None = None
    parity: str = ""
    parity_error: float | None = None
    parity_reason: str = ""
    failed_step: str = ""
    cause: str = ""
    error: str = ""
    attempts: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether it came to the end."""
        return (self.stages or {}).get("run") == "successful"


def scripts_to_run(patterns: Sequence[str]) -> list[Path]:
    """Name the scripts that can be run here and are not meant to fail.

    They come in an order that is random and always the same: what has been run of them when one
    looks is a fair sample.
    """
    paths = [path for path in find_scripts(patterns) if not _has(path, TO_FAIL, TOO_LARGE)]
    return sorted(paths, key=lambda path: hashlib.sha256(path.as_posix().encode()).digest())


def _has(path: Path, *labels: str) -> bool:
    first = (MODELS / path).read_text("utf-8").partition("\n")[0]
    return any(label in first for label in labels)


def command_of(scripts: Path, cache: Path, how: Pass) -> list[str]:
    """Give the command that takes a list of scripts through the tools."""
    return [
        *("turnkey", "-i", str(scripts), "-d", str(cache), "--process-isolation"),
        *("--executor-args", f"preload::[{','.join(PRELOAD)}]"),
        *("--jobs", str(how.jobs), "--memory-limit", how.memory, "--timeout", str(how.timeout_s)),
        *("--lean-cache", "--verbosity", "static"),
        *CHAIN,
        *(SIDE_BY_SIDE if how.jobs > 1 else ()),
    ]


def run(cache: Path, paths: Sequence[Path], how: Pass) -> None:
    """Run scripts, or go on with them; that some fail is what one wants to know."""
    cache.mkdir(parents=True, exist_ok=True)
    scripts = cache / "scripts.txt"
    scripts.write_text("".join(f"{MODELS / path}\n" for path in paths), "utf-8")
    words = command_of(scripts, cache, how)
    print("+", *words, flush=True)
    # Jobs side by side that each use all processors wait for each other's threads: a sixth of the
    # time of 14 scripts. What runtimes are measured with, they choose themselves.
    threads = str(max(1, (os.cpu_count() or 1) // how.jobs))
    env = {"OMP_NUM_THREADS": threads, **os.environ, "HF_HUB_OFFLINE": "1"}
    code = subprocess.run(words, check=False, env=env).returncode
    if code not in (0, 1):
        sys.exit(code)


def rows_in(cache: Path) -> Iterator[Mapping[str, Any]]:
    """Give the rows of turnkey's own report on a cache; none if there are no builds yet."""
    if next(cache.glob("*/*_state.yaml"), None) is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        words = ["turnkey", "report", "-d", str(cache), "-r", folder, "--format", "jsonl"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        for file in Path(folder).glob("*.jsonl"):
            with file.open(encoding="utf-8") as lines:
                yield from map(json.loads, lines)


def result_from(row: Mapping[str, Any]) -> SweepResult | None:
    """Take what matters from a row; None if its script is none of the corpora."""
    path = Path(row.get("script", ""))
    if path.parent.parent != MODELS:
        return None
    return SweepResult(
        script=path.relative_to(MODELS).as_posix(),
        model=row.get("hash", ""),
        parameters=row.get("parameters", 0),
        stages={stage: row[stage] for stage in STAGES if stage in row},
        parity=row.get("convert-fp16.parity.status", ""),
        parity_error=row.get("convert-fp16.parity.max_rel"),
        parity_reason=row.get("convert-fp16.parity.reason", "")[:300],
        failed_step=row.get("failed_step", ""),
        cause=row.get("cause", ""),
        error=row.get("error", "").partition("\n")[0][:300],
    )


def results_in(cache: Path) -> tuple[dict[str, str], list[SweepResult]]:
    """Give what a cache says of how its builds were made, and of the scripts that have ended."""
    found: list[SweepResult] = []
    facts: dict[str, str] = {}
    for row in rows_in(cache):
        result = result_from(row)
        if result is None or row.get("status") in ("interrupted", "running", "not_started"):
            continue
        found.append(result)
        facts |= {key: value for key, value in row.items() if key.startswith("version.")}
        facts |= {key: row[key] for key in ("device_name", "runtime_version") if key in row}
    return facts, merged([], found)


def merged(known: Sequence[SweepResult], new: Sequence[SweepResult]) -> list[SweepResult]:
    """Let results replace those of the same model, unless these are of a later pass."""
    found = {(r.script, r.model): r for r in known if not _was_found_again(r, known, new)}
    for result in new:
        old = found.get((result.script, result.model))
        if old is None or old.attempts <= result.attempts:
            found[result.script, result.model] = result
    with_models = {script for script, model in found if model}
    # An attempt that found nothing says nothing once another has found something.
    results = [r for (script, model), r in found.items() if model or script not in with_models]
    return sorted(results, key=lambda result: (result.script, result.model))


def _was_found_again(
    failed: SweepResult, known: Sequence[SweepResult], new: Sequence[SweepResult]
) -> bool:
    """Tell whether a later pass found a model that failed, under other digits.

    Random weights may be others on another machine, and the digits with them.
    """
    if failed.is_whole:
        return False
    before = {r.model for r in known if r.script == failed.script and r.model}
    again = {
        r.model
        for r in new
        if r.script == failed.script and r.model and r.attempts > failed.attempts
    }
    return failed.model not in again and len(again) >= len(before) > 0


def gather(cache: Path) -> list[SweepResult]:
    """Add to what is written down what the builds of both passes say; give all of it."""
    facts, results = read_results()
    for attempts, name in enumerate((FIRST_CACHE, SECOND_CACHE), start=1):
        new_facts, new = results_in(cache / name)
        facts |= new_facts
        results = merged(results, [replace(result, attempts=attempts) for result in new])
    facts["turnkey"] = " ".join(CHAIN)
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            facts[f"version.{name}"] = version(name)
    lines = [json.dumps({"facts": dict(sorted(facts.items()))})]
    lines += [json.dumps(_without_nothing(asdict(result))) for result in results]
    temporary = RESULTS.with_suffix(".tmp")
    temporary.write_text("\n".join(lines) + "\n", "utf-8")
    temporary.replace(RESULTS)
    return results


def _without_nothing(values: Mapping[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in values.items() if value not in ("", None, {})}
    if told["attempts"] == 1:
        del told["attempts"]
    return told


def read_results() -> tuple[dict[str, str], list[SweepResult]]:
    """Read what was gathered: facts on how it was made, and the results; nothing if none was."""
    if not RESULTS.is_file():
        return {}, []
    first, *lines = RESULTS.read_text("utf-8").splitlines()
    return json.loads(first)["facts"], [SweepResult(**json.loads(line)) for line in lines]


def main(words: Sequence[str]) -> int:
    """Run what is left, try again what failed, and write everything down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("cache", type=Path, metavar="CACHE", help="A folder for the builds.")
    parser.add_argument("patterns", nargs="*", metavar="CORPUS or PATTERN")
    parser.add_argument("--gather", action="store_true", help="Run nothing.")
    options = parser.parse_args(words)
    cache = options.cache.resolve()
    if not options.gather:
        paths = scripts_to_run(options.patterns)
        if not paths:
            parser.error("no script has such a name")
        ended = {result.script for result in gather(cache)}
        left = [path for path in paths if path.as_posix() not in ended]
        if left:
            run(cache / FIRST_CACHE, left, FIRST)
        results = gather(cache)
        failed = {r.script for r in results if not r.is_whole and r.attempts == 1}
        ended = {result.script for result in results} - failed
        again = [path for path in paths if path.as_posix() not in ended]
        if again:
            run(cache / SECOND_CACHE, again, SECOND)
    results = gather(cache)
    whole_ones = sum(result.is_whole for result in results)
    print(f"{len(results)} models, {whole_ones} of which came to the end: {RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
