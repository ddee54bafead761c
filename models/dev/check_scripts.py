"""Run every model script by plain python, one after the other, and keep what became of each.

    python models/dev/check_scripts.py                      # all; continues where it was stopped
    python models/dev/check_scripts.py timm 'diffusers/*'   # some
    python models/dev/check_scripts.py --again              # those too that failed before
    python models/dev/check_scripts.py --warm timm          # forked after timm was imported

A script runs on one thread, at the lowest priority, within limits of time and memory. A line of
JSON is added to the results for each. What has not changed since its last line is not run again.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib
import json
import os
import resource
import runpy
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

MODELS = Path(__file__).resolve().parent.parent
RESULTS = MODELS / "check_results.jsonl"
NOT_CORPORA = {"dev", "generate", "src", "tests"}
FIRST_LINE = "# labels:"
TOO_LARGE = "memory::over_24gb"
TO_FAIL = "test_group::selftest_failing"
ENDED = {"ok", "failed", "timeout", "too_large"}


@dataclass(frozen=True)
class Outcome:
    """What became of one script.

    Attributes:
        script: Its path, relative to the folder of the corpora.
        digest: SHA-256 of its text.
        outcome: ``ok``, ``failed``, ``timeout`` or ``too_large``, which was not run.
        seconds: Wall time.
        peak_memory_bytes: Largest resident memory of the process.
        error: The last line that it wrote to standard error, if it failed.
    """

    script: str
    digest: str
    outcome: str
    seconds: float = 0.0
    peak_memory_bytes: int = 0
    error: str = ""


@dataclass(frozen=True)
class Limits:
    """What one script may use: seconds of wall time, bytes of address space."""

    timeout_s: float
    memory_bytes: int


def find_scripts(patterns: Sequence[str]) -> list[Path]:
    """Find the scripts of all corpora, or those that a pattern names, relative to their folder."""
    found = sorted(
        path.relative_to(MODELS)
        for path in MODELS.glob("*/*.py")
        if path.parent.name not in NOT_CORPORA
    )
    if not patterns:
        return found
    return [path for path in found if any(_is_meant(path, pattern) for pattern in patterns)]


def _is_meant(path: Path, pattern: str) -> bool:
    return path.parts[0] == pattern or path.match(pattern) or path.as_posix() == pattern


def read_results(path: Path) -> dict[str, Outcome]:
    """Read the last outcome of each script; a line that was cut off by a kill is left out."""
    results: dict[str, Outcome] = {}
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            try:
                outcome = Outcome(**json.loads(line))
            except (ValueError, TypeError):
                continue
            results[outcome.script] = outcome
    return results


def run_script(path: Path, limits: Limits, *, warm: bool) -> Outcome:
    """Run one script in a process of its own, in its own session, and wait for it."""
    text = (MODELS / path).read_bytes()
    digest = hashlib.sha256(text).hexdigest()
    if TOO_LARGE.encode() in text.partition(b"\n")[0]:
        return Outcome(path.as_posix(), digest, "too_large")
    with tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        process = os.fork()
        if process == 0:
            _become(MODELS / path, limits, errors.fileno(), warm=warm)
        status, usage, in_time = _wait(process, limits.timeout_s)
        seconds = time.monotonic() - start
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    outcome = "ok" if status == 0 else "failed" if in_time else "timeout"
    last = lines[-1].strip() if lines else ""
    if os.WIFSIGNALED(status) and in_time:
        last = f"ended by signal {os.WTERMSIG(status)}; {last}"
    return Outcome(
        script=path.as_posix(),
        digest=digest,
        outcome=outcome,
        seconds=round(seconds, 2),
        peak_memory_bytes=usage.ru_maxrss * 1024,
        error="" if outcome == "ok" else last[:500],
    )


def _become(path: Path, limits: Limits, errors: int, *, warm: bool) -> NoReturn:
    """Turn the forked process into one that runs the script, and end with it."""
    os.setsid()
    with Path(os.devnull).open("r+b") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    os.dup2(errors, 2)
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    if not warm:
        os.execv(sys.executable, [sys.executable, str(path)])
    sys.argv = [str(path)]
    sys.path[0] = str(path.parent)
    code = 1
    try:
        runpy.run_path(str(path), run_name="__main__")
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # a script may raise anything, and all of it is written down
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def _wait(process: int, timeout_s: float) -> tuple[int, resource.struct_rusage, bool]:
    end = time.monotonic() + timeout_s
    pause = 0.01
    while True:
        found, status, usage = os.wait4(process, os.WNOHANG)
        if found:
            return status, usage, True
        if time.monotonic() > end:
            os.killpg(process, signal.SIGKILL)
            _, status, usage = os.wait4(process, 0)
            return status, usage, False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def warm_up(modules: Sequence[str]) -> None:
    """Import modules once, for all scripts; nothing is computed before a fork."""
    for name in modules:
        importlib.import_module(name)
    # A thread that computed would leave locks behind in every child.
    importlib.import_module("torch").set_num_threads(1)
    gc.collect()
    gc.freeze()


def check(paths: Sequence[Path], options: argparse.Namespace) -> Iterator[Outcome]:
    """Run what is left, and give each outcome as it comes."""
    limits = Limits(options.timeout_s, int(options.memory_gb * 1e9))
    done = read_results(options.results)
    with options.results.open("a", encoding="utf-8") as file:
        for path in paths:
            before = done.get(path.as_posix())
            digest = hashlib.sha256((MODELS / path).read_bytes()).hexdigest()
            if before is not None and before.digest == digest and _stands(before, options.again):
                yield before
                continue
            outcome = run_script(path, limits, warm=bool(options.warm))
            file.write(json.dumps(asdict(outcome)) + "\n")
            file.flush()
            yield outcome


def _stands(before: Outcome, again: bool) -> bool:
    return before.outcome in ({"ok", "too_large"} if again else ENDED)


def main(words: Sequence[str]) -> int:
    """Check, print what failed and the counts; 1 if a script failed that should not."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("patterns", nargs="*", metavar="CORPUS or PATTERN")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--timeout-s", type=float, default=600)
    parser.add_argument("--memory-gb", type=float, default=20, help="Of address space.")
    parser.add_argument("--again", action="store_true", help="Run those too that failed before.")
    parser.add_argument("--warm", nargs="+", metavar="MODULE", help="Fork after these imports.")
    options = parser.parse_args(words)
    paths = find_scripts(options.patterns)
    if not paths:
        parser.error("no script has such a name")
    os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1")
    os.nice(19)
    if options.warm:
        warm_up(options.warm)
    counts: dict[str, int] = {}
    unexpected = 0
    for outcome in check(paths, options):
        text = (MODELS / outcome.script).read_text("utf-8").partition("\n")[0]
        meant_to_fail = TO_FAIL in text
        counts[outcome.outcome] = counts.get(outcome.outcome, 0) + 1
        if outcome.outcome in {"failed", "timeout"} and not meant_to_fail:
            unexpected += 1
            print(f"{outcome.script}: {outcome.outcome}: {outcome.error}", flush=True)
    print(", ".join(f"{number} {word}" for word, number in sorted(counts.items())))
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
