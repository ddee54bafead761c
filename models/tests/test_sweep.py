from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sweep
import sweep_table

MODELS = Path(__file__).resolve().parent.parent

STAGES = dict.fromkeys(sweep.STAGES, "successful")


@pytest.fixture
def results(monkeypatch, tmp_path):
    monkeypatch.setattr(sweep, "RESULTS", tmp_path / "results.jsonl")
    monkeypatch.setattr(sweep, "version", lambda name: "1.2.3")


def row_of(script, **values):
    return {"script": str(MODELS / script), "hash": "0a1b2c3d", **STAGES, **values}


def say(monkeypatch, first=(), second=()):
    """Let the cache of each pass have rows."""
    passes = {"first": first, "second": second}
    monkeypatch.setattr(sweep, "rows_in", lambda cache: iter(passes[cache.name]))


def gathered(monkeypatch, rows, second=()):
    say(monkeypatch, rows, second)
    sweep.gather(Path("cache"))
    return sweep.read_results()


def test_scripts_come_in_an_order_that_is_no_alphabet_and_always_the_same():
    scripts = sweep.scripts_to_run([])
    assert len(scripts) > 1000
    assert scripts == sweep.scripts_to_run([])
    assert len({path.parts[0] for path in scripts[:60]}) >= 5
    names = {path.as_posix() for path in scripts}
    assert "selftest/no_model.py" not in names, "it is meant to fail"
    assert "diffusers/flux_1_dev.py" not in names, "it is too large"


def test_what_was_measured_comes_back_as_it_was_written(results, monkeypatch):
    rows = [
        row_of(
            "timm/vit.py",
            parameters=7,
            **{"convert-fp16.parity.status": "ok", "convert-fp16.parity.max_rel": 0.0},
            **{"version.torch": "2.13.0"},
        ),
        row_of(
            "selftest/lstm.py", run="failed", failed_step="benchmark", cause="why", error="Why."
        ),
        row_of("timm/cut_off.py", status="interrupted"),
        {"script": "/elsewhere/other.py", "hash": "1"},
    ]
    facts, found = gathered(monkeypatch, rows)
    assert facts["version.torch"] == "2.13.0"
    assert facts["version.timm"] == "1.2.3", "the models are the library's"
    lstm, vit = found
    assert (vit.script, vit.parity_error, vit.parameters) == ("timm/vit.py", 0.0, 7)
    assert vit.is_whole
    assert (lstm.failed_step, lstm.cause, lstm.error) == ("benchmark", "why", "Why.")
    assert not lstm.is_whole


def test_what_is_written_down_stays_until_it_is_run_again(results, monkeypatch):
    old = [row_of("timm/a.py"), row_of("timm/b.py", run="failed", error="Old.")]
    gathered(monkeypatch, [*old, row_of("timm/b.py", hash="1"), row_of("timm/d.py")])
    new = [row_of("timm/b.py", run="failed", error="New."), row_of("timm/c.py")]
    _, found = gathered(monkeypatch, new, [row_of("timm/d.py", error="Again.")])
    assert [(r.script, r.error, r.attempts) for r in found] == [
        ("timm/a.py", "", 1),
        ("timm/b.py", "New.", 1),
        ("timm/b.py", "", 1),
        ("timm/c.py", "", 1),
        ("timm/d.py", "Again.", 2),
    ]


def test_a_cache_without_builds_has_no_results(tmp_path):
    assert sweep.results_in(tmp_path / "none") == ({}, [])


def test_an_attempt_that_found_nothing_counts_only_while_no_other_found_something(
    results, monkeypatch
):
    nothing = {"script": str(MODELS / "timm/vit.py"), "found": "failed", "error": "Too slow."}
    _, found = gathered(monkeypatch, [nothing])
    assert [result.error for result in found] == ["Too slow."]
    _, found = gathered(monkeypatch, [nothing, row_of("timm/vit.py")])
    assert [result.error for result in found] == [""]


def test_the_page_counts_scripts_and_names_what_failed():
    failed = sweep.SweepResult(
        "timm/b.py",
        "1",
        stages={"found": "successful", "exported": "failed"},
        failed_step="export-pytorch",
        cause="no operator",
        error="No operator `aten::x|y` <here>.",
    )
    results = [
        sweep.SweepResult("timm/a.py", "1", stages=STAGES, parity="ok"),
        failed,
        # Of two models of one script one is beyond the tolerance: so is the script.
        sweep.SweepResult("selftest/two.py", "1", stages=STAGES, parity="ok"),
        sweep.SweepResult("selftest/two.py", "2", stages=STAGES, parity="mismatch", parity_error=2),
        sweep.SweepResult(
            "selftest/zero.py",
            "1",
            stages=STAGES,
            parity="not checked",
            parity_reason="It is zero.",
        ),
    ]
    scripts = ["timm/a.py", "timm/b.py", "timm/c.py", "selftest/two.py", "selftest/zero.py"]
    page = sweep_table.page_from({"device_name": "A processor"}, results, scripts, 3, 4)
    assert "**4 of 5 scripts have been run so far**" in page
    assert "**Scripts that failed and have been tried only once, beside others: 1.** " in page
    assert "alone, with 20 GB instead of 8 GB." in page
    assert (
        "| `timm` | 2 | 2 (100.0 %) | 1 (50.0 %) | 1 (50.0 %) | 1 (50.0 %) | 1 (50.0 %) "
        "| 1 (50.0 %) |" in page
    )
    assert (
        "| `selftest` | 2 | 2 (100.0 %) | 2 (100.0 %) | 2 (100.0 %) | 2 (100.0 %) | 0 (0.0 %) "
        "| 2 (100.0 %) |" in page
    )
    assert "By plain Python 4 (80.0 %) of 5 scripts come to their end" in page
    assert "of 2 scripts could be compared" in page
    assert "PyTorch's; 1 (50.0 %) of them are within" in page
    assert "| 1 | export-pytorch | No operator 'aten::x\\|y' &lt;here>. | `timm/b.py` |" in page
    assert "| `selftest/two.py` | 2 |  |" in page
    assert "| `selftest/zero.py` | It is zero. |" in page


def test_a_model_that_has_other_digits_when_it_is_tried_again_is_the_same_model():
    failed = sweep.SweepResult("timm/a.py", "1", stages={"found": "successful"})
    again = sweep.SweepResult("timm/a.py", "2", stages=STAGES, attempts=2)
    other = sweep.SweepResult("timm/b.py", "3", stages={"found": "successful"})
    assert sweep.merged([failed, other], [again]) == [again, other]


@pytest.mark.parametrize("was_whole", [True, False])
def test_a_model_that_is_not_found_again_is_not_forgotten(was_whole):
    """The second pass may end before it finds all that the first one found."""
    stages = STAGES if was_whole else {"found": "successful"}
    results = [
        sweep.SweepResult("timm/a.py", "1", stages=STAGES),
        sweep.SweepResult("timm/a.py", "2", stages=stages),
    ]
    again = sweep.SweepResult("timm/a.py", "1", stages=STAGES, attempts=2)
    assert sweep.merged(results, [again]) == [again, results[1]]


def test_what_failed_twice_is_not_to_be_tried_again():
    failed = sweep.SweepResult("timm/b.py", "1", stages={}, error="No.", attempts=2)
    assert "tried only once" not in sweep_table.page_from({}, [failed], ["timm/b.py"], 0, 0)


def test_the_page_in_the_docs_is_what_the_results_say():
    assert sweep_table.main(["--check"]) == 0, "python models/dev/sweep_table.py writes it"


def test_without_results_it_says_what_makes_them(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sweep, "RESULTS", tmp_path / "results.jsonl")
    with pytest.raises(SystemExit) as ended:
        sweep_table.main([])
    assert ended.value.code == 2
    assert "sweep.py CACHE writes it" in capsys.readouterr().err


def test_failures_of_one_kind_are_one_line():
    results = [
        sweep.SweepResult(f"timm/{n}.py", "1", failed_step="benchmark", cause="N", error=f"{n}")
        for n in range(3)
    ]
    page = sweep_table.page_from({}, results, [r.script for r in results], 0, 0)
    assert "| 3 | benchmark | 0 | `timm/0.py`, `timm/1.py`, `timm/2.py` |" in page


def test_what_has_a_result_is_not_run_again(results, monkeypatch, tmp_path):
    scripts = sweep.scripts_to_run(["selftest"])
    *others, failed, left = scripts
    rows = [*map(row_of, others), row_of(failed, run="failed")]
    runs = []

    def note(cache, paths, how):
        runs.append((cache, paths, how))

    monkeypatch.setattr(sweep, "run", note)
    say(monkeypatch, rows)
    assert sweep.main([str(tmp_path / "a"), "selftest"]) == 0
    assert runs == [
        (tmp_path / "a" / "first", [left], sweep.FIRST),
        (tmp_path / "a" / "second", [failed, left], sweep.SECOND),
    ]
    # One of its two models had been tried again when the pass was cut off.
    two = [row_of(failed, run="failed"), row_of(failed, run="failed", hash="2")]
    say(monkeypatch, [*rows[:-1], *two], two[:1])
    runs.clear()
    assert sweep.main([str(tmp_path / "a"), "selftest"]) == 0
    assert [paths for _, paths, _ in runs] == [[left], [failed, left]]
    # The builds may be gone, and a failure of the second pass stands.
    say(monkeypatch, second=two)
    assert sweep.main([str(tmp_path / "b"), "selftest"]) == 0
    say(monkeypatch, two)
    runs.clear()
    assert sweep.main([str(tmp_path / "c"), "selftest"]) == 0
    assert [paths for _, paths, _ in runs] == [[left], [left]]


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (1, 0), (2, 2), (130, 130)])
def test_what_failed_is_tried_once_more_with_more_room(tmp_path, code, expected):
    """A stand-in for turnkey notes how it was called, and reports nothing."""
    tools = tmp_path / "bin"
    tools.mkdir()
    stand_in = tools / "turnkey"
    stand_in.write_text(
        f"#!{sys.executable}\nimport json, sys\nwords = sys.argv[1:]\n"
        f"if words[0] == 'report':\n    open(words[4] + '/a.jsonl', 'w')\n    sys.exit()\n"
        f"open({str(tmp_path / 'calls')!r}, 'a').write(json.dumps(words) + '\\n')\n"
        f"sys.exit({code})\n"
    )
    stand_in.chmod(0o755)
    program = (
        f"import sys; sys.path.insert(0, {str(MODELS / 'dev')!r}); "
        "import sweep; from pathlib import Path; "
        f"sweep.RESULTS = Path({str(tmp_path / 'results.jsonl')!r}); "
        f"sys.exit(sweep.main([{str(tmp_path / 'cache')!r}, 'selftest']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == expected, done.stderr
    calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    if expected:
        assert len(calls) == 1, "a command that was wrong or stopped is not gone on with"
        return
    assert [call[call.index("--memory-limit") + 1] for call in calls] == ["8GB", "20GB"]
    assert ["--share-device" in call[call.index("benchmark") :] for call in calls] == [True, False]
    first, second = (Path(call[1]).read_text().splitlines() for call in calls)
    assert first == second
    assert any(line.endswith("selftest/linear.py") for line in first)
    assert (tmp_path / "results.jsonl").exists()
