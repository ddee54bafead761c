from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import check_scripts
import pytest

MODELS = Path(__file__).resolve().parent.parent
LABELS = "# labels: test_group::corpus name::{} author::me task::test\n"


@pytest.fixture
def check(tmp_path):
    """A tree with the tool and a corpus; returns what runs the tool on it."""
    program = tmp_path / "dev/check_scripts.py"
    program.parent.mkdir()
    shutil.copy(MODELS / "dev/check_scripts.py", program)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "good.py").write_text(LABELS.format("good") + "open('ran', 'a').write('x')\n")

    def run(*words):
        command = [sys.executable, str(program), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)

    run.corpus = corpus
    run.runs = lambda: len((tmp_path / "ran").read_text())
    run.outcomes = lambda: [
        (entry["script"], entry["outcome"], entry["error"])
        for entry in map(json.loads, (tmp_path / "check_results.jsonl").read_text().splitlines())
    ]
    return run


def test_a_script_is_run_once_until_its_text_changes(check):
    assert check().returncode == 0
    assert check().stdout == "1 ok\n"
    assert check.runs() == 1
    path = check.corpus / "good.py"
    path.write_text(path.read_text() + "# changed\n")
    check()
    assert check.runs() == 2


def test_a_failure_is_named_with_its_last_line_and_does_not_end_the_others(check):
    (check.corpus / "bad.py").write_text(
        LABELS.format("bad") + "raise ValueError('no such size')\n"
    )
    done = check()
    assert done.returncode == 1
    assert "corpus/bad.py: failed: ValueError: no such size" in done.stdout
    assert done.stdout.endswith("1 failed, 1 ok\n")


def test_a_script_that_failed_is_run_again_when_asked(check):
    bad = check.corpus / "bad.py"
    bad.write_text(LABELS.format("bad") + "open('ran', 'a').write('x')\nraise SystemExit(3)\n")
    check("corpus/bad.py")
    check("corpus/bad.py")
    assert check.runs() == 1
    check("corpus/bad.py", "--again")
    assert check.runs() == 2


def test_a_script_over_its_time_is_ended_with_its_children(check):
    text = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('child', 'w').write(str(child.pid))\nchild.wait()\n"
    )
    (check.corpus / "slow.py").write_text(LABELS.format("slow") + text)
    done = check("corpus/slow.py", "--timeout-s", "3")
    assert done.returncode == 1
    assert [outcome[1] for outcome in check.outcomes()] == ["timeout"]
    child = Path("/proc", (check.corpus.parent / "child").read_text())
    assert not child.exists() or "Z" in (child / "stat").read_text().split()[2]


def test_a_script_over_its_memory_fails(check):
    (check.corpus / "large.py").write_text(LABELS.format("large") + "x = bytearray(10**10)\n")
    done = check("corpus/large.py", "--memory-gb", "2")
    assert "corpus/large.py: failed: MemoryError" in done.stdout


def test_what_is_labelled_too_large_is_named_and_not_run(check):
    labels = LABELS.format("huge").replace("\n", " memory::over_24gb\n")
    (check.corpus / "huge.py").write_text(labels + "raise SystemExit(1)\n")
    assert check("corpus/huge.py").stdout == "1 too_large\n"


def test_a_script_that_is_meant_to_fail_is_no_failure(check):
    labels = LABELS.format("failing").replace("::corpus", "::selftest_failing")
    (check.corpus / "failing.py").write_text(labels + "raise SystemExit(1)\n")
    done = check("corpus/failing.py")
    assert (done.returncode, done.stdout) == (0, "1 failed\n")


def test_a_line_cut_off_by_a_kill_is_no_obstacle(check):
    check()
    with (check.corpus.parent / "check_results.jsonl").open("a") as file:
        file.write('{"script": "corpus/go')
    assert check().returncode == 0
    assert check.runs() == 1


def test_every_script_that_is_not_too_large_has_run_to_its_end_as_it_is():
    outcomes = check_scripts.read_results(check_scripts.RESULTS)
    wrong = []
    for path in check_scripts.find_scripts([]):
        text = (MODELS / path).read_bytes()
        is_large = check_scripts.TOO_LARGE.encode() in text.partition(b"\n")[0]
        outcome = outcomes.get(path.as_posix())
        has_run = outcome is not None and outcome.digest == hashlib.sha256(text).hexdigest()
        if not has_run or outcome.outcome != ("too_large" if is_large else "ok"):
            wrong.append(path.as_posix())
    assert not wrong, "python models/dev/check_scripts.py runs them"
