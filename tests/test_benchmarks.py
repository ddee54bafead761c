"""The scripts that measure turnkey say what they measure, and refuse numbers that count nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(
    path.relative_to(ROOT)
    for folder in ("benchmarks", "plugins/*/*/benchmarks")
    for path in ROOT.glob(f"{folder}/*.py")
    if '__name__ == "__main__"' in path.read_text("utf-8")
)


def run(script: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / script), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_there_are_scripts_in_both_places():
    assert {path.parts[0] for path in SCRIPTS} == {"benchmarks", "plugins"}


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_help_says_what_is_measured(script):
    done = run(script, "-h")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")
    assert len(done.stdout.split("\n\n")[1]) > 40, "a description"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("bench_startup.py", ["--rounds", "0"]),
        ("bench_latency.py", ["--rounds", "0"]),
        ("bench_verdict.py", ["--runs", "-1"]),
        ("bench_report.py", ["0"]),
        ("bench_report.py", ["many"]),
    ],
)
def test_a_number_that_counts_nothing_is_refused(script, words):
    done = run(Path("benchmarks", script), *words)
    assert done.returncode == 2
    assert words[-1] in done.stderr
    assert "Traceback" not in done.stderr
