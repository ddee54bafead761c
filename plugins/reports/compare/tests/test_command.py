"""`turnkey compare` on caches, reports and baselines."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from compare_support import Ended, noisy_run, turnkey, write_failure, write_result

from turnkeyml.cache.layout import Cache
from turnkeyml.errors import ExitCode
from turnkeyml.plugins.registry import load_registry
from turnkeyml.report import gather
from turnkeyml.report.format import format_named
from turnkeyml_plugin_compare.markdown import escaped

HOSTILE = "a|b`<img src=x onerror=alert(1)>@everyone [x](http://e.x) \x1b[31m"


class Shell:
    """Two caches, and the command."""

    def __init__(self, folder: Path, capsys: Any) -> None:
        self.a, self.b, self._capsys = folder / "a", folder / "b", capsys
        rng = random.Random(1)

        def run(factor: float = 1.0) -> list[list[int]]:
            return [noisy_run(rng, factor * 1e6, noise=0.3)]

        for name, factor in (("slow", 1.2), ("quick", 0.8), ("equal", 1.0)):
            write_result(self.a, name, run())
            write_result(self.b, name, run(factor), runtime_version="1.3")
        write_result(self.a, "broken", run())
        write_failure(self.b, "broken")

    def __call__(self, *words: object, code: int = ExitCode.OK) -> Ended:
        done = turnkey(self._capsys, "compare", *words)
        assert done.code == code, done.out + done.err
        return done

    def report_of(self, cache: Path, kind: str) -> Path:
        registry = load_registry()
        path = cache.parent / f"{cache.name}.{kind}"
        format_named(kind, registry)().write(gather([Cache(cache)], registry), path)
        return path

    def verdicts(self, *words: object) -> dict[str, str]:
        found = json.loads(self(*words, "--json").out)
        return {one["model"]: one["verdict"] for one in found["results"]}


@pytest.fixture
def compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


ALL = {"slow": "slower", "quick": "faster", "equal": "same", "broken": "failed"}


def test_two_caches(compare: Shell) -> None:
    lines = compare(compare.a, compare.b).out.splitlines()
    assert lines[0].split() == "model runtime before after change 95% interval verdict".split()
    assert [line.split()[0] for line in lines[1:5]] == ["broken", "slow", "quick", "equal"]
    assert lines[1].endswith("failed") and lines[2].endswith("slower")
    assert "1 failed: export-pytorch: No operator." in lines
    assert "version of ort: 1.2 > 1.3 (3)" in lines
    assert lines[-1] == "1 failed, 1 slower, 1 faster, 1 same (threshold 5%)"


def test_the_numbers_as_json(compare: Shell) -> None:
    found = json.loads(compare(compare.a, compare.b, "--json").out)
    assert found["counts"] == {"failed": 1, "slower": 1, "faster": 1, "same": 1}
    slow = next(one for one in found["results"] if one["model"] == "slow")
    low, high = slow["interval_percent"]
    assert low < slow["change_percent"] < high
    assert slow["change_percent"] == pytest.approx(20, abs=5)
    assert slow["p_corrected"] <= 0.01
    assert slow["after"]["runtime_version"] == "1.3"


def test_a_baseline_says_what_its_cache_says(compare: Shell, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    assert "Saved" in compare(compare.a, "--save", baseline).err
    direct = compare(compare.a, compare.b, "--json").out
    assert compare(baseline, compare.b, "--json").out == direct
    again = tmp_path / "again.json"
    compare(baseline, "--save", again)
    assert again.read_bytes() == baseline.read_bytes()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_reports_say_what_their_caches_say(kind: str, compare: Shell) -> None:
    a, b = compare.report_of(compare.a, kind), compare.report_of(compare.b, kind)
    assert compare.verdicts(a, b) == ALL


def test_a_report_whose_cache_was_measured_again_cannot_tell(compare: Shell) -> None:
    report = compare.report_of(compare.a, "csv")
    write_result(compare.a, "slow", [noisy_run(random.Random(9), 3e6)])
    found = json.loads(compare(report, compare.b, "--json").out)["results"]
    slow = next(one for one in found if one["model"] == "slow")
    assert slow["verdict"] == "cannot tell"
    assert "measured again since the report" in slow["reason"]


def test_a_report_without_its_cache_cannot_tell(compare: Shell) -> None:
    report = compare.report_of(compare.a, "jsonl")
    compare.a.rename(compare.a.with_name("elsewhere"))
    done = compare(report, compare.b)
    assert "3 cannot tell: of the first, the cache that has its samples is not there" in done.out


@pytest.mark.parametrize(
    ("rule", "model"), [("slower", "slow"), ("slower:5%", "slow"), ("failed", "broken")]
)
def test_a_broken_rule_ends_with_1_and_says_what_broke_it(
    rule: str, model: str, compare: Shell
) -> None:
    done = compare(compare.a, compare.b, "--fail-on", rule, code=ExitCode.FAILED)
    assert done.err == f"Failed: --fail-on {rule}: {model}\n"


@pytest.mark.parametrize("rule", ["slower:40%", "missing", "cannot-tell"])
def test_a_rule_that_holds_ends_with_0(rule: str, compare: Shell) -> None:
    assert compare(compare.a, compare.b, "--fail-on", rule).err == ""


def test_a_cache_compared_with_itself_breaks_no_rule(compare: Shell) -> None:
    rules = ["slower:5%", "failed", "missing", "cannot-tell"]
    compare(compare.a, compare.a, "--fail-on", *rules)


def test_a_rule_has_a_threshold_of_its_own(compare: Shell) -> None:
    words = (compare.a, compare.b, "--threshold", "50%", "--fail-on")
    assert "4 same" not in compare(*words, "slower").out
    done = compare(*words, "slower:5%", code=ExitCode.FAILED)
    assert "slow " in done.out and "slower" not in done.out


def test_missing_models_break_their_rule(compare: Shell, tmp_path: Path) -> None:
    rest = tmp_path / "rest"
    write_result(rest, "equal", [noisy_run(random.Random(2))])
    done = compare(compare.a, rest, "--fail-on", "missing", code=ExitCode.FAILED)
    assert "broken, quick, slow" in done.err


def test_markdown_for_a_pull_request(compare: Shell, tmp_path: Path) -> None:
    path = tmp_path / "out.md"
    rule = ("--fail-on", "failed")
    compare(compare.a, compare.b, "--markdown", path, *rule, code=ExitCode.FAILED)
    text = path.read_text()
    assert text.startswith("### turnkey compare: 1 failed, 1 slower, 1 faster, 1 same\n")
    assert "**Failed:** --fail-on failed\\: broken" in text
    assert "| **slower** |" in text
    assert text.index("| slow |") < text.index("<details>") < text.index("| equal |")


def test_nothing_in_a_name_is_taken_for_markup(compare: Shell, tmp_path: Path) -> None:
    write_failure(compare.a, "fine", HOSTILE)
    write_failure(compare.b, "fine", HOSTILE)
    path = tmp_path / "out.md"
    done = compare(compare.a, compare.b, "--markdown", path)
    assert "\x1b" not in done.out
    text = path.read_text()
    assert "<img" not in text and "@everyone" not in text and "](" not in text
    assert "\x1b" not in text and "http://" not in text
    assert "&lt;img" in text


@pytest.mark.parametrize("text", ["a|b", "`x`", "<b>", "[x](y)", "*x*", "$x$", "#1", "~x~"])
def test_special_characters_are_escaped(text: str) -> None:
    for special in "|`<[*$#~":
        if special in text:
            assert f"\\{special}" in escaped(text) or "&lt;" in escaped(text)


def test_samples_outside_the_build_are_not_read(compare: Shell, tmp_path: Path) -> None:
    run = noisy_run(random.Random(3))
    (tmp_path / "a" / "own.json").write_text(json.dumps({"schema": 2, "runs": [{"timed_ns": run}]}))
    write_result(compare.a, "slow", [run], samples_file="../own.json")
    assert compare.verdicts(compare.a, compare.b)["slow"] == "cannot tell"


@pytest.mark.parametrize(
    "content", ["", "[]", '{"schema": 2}', '{"schema": 2, "runs": [{"timed_ns": ["x"]}]}',
                '{"schema": 2, "runs": [{"timed_ns": [-1]}]}', '{"schema": 2, "runs": [1]}'],
)  # fmt: skip
def test_damaged_samples_cannot_tell(content: str, compare: Shell) -> None:
    (compare.a / "slow_abababab" / "benchmark" / "samples-1.json").write_text(content)
    assert compare.verdicts(compare.a, compare.b) == {**ALL, "slow": "cannot tell"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere", "b"], "There is no cache, report or baseline 'nowhere'."),
        (["nowhere.csv", "b"], "There is no report 'nowhere.csv'."),
        (["nowhere.json", "b"], "There is no baseline 'nowhere.json'."),
        (["empty", "b"], "There are no results in 'empty'."),
        (["a"], "There is nothing to compare with."),
        (["a", "--save", "x.csv"], "A baseline's name ends with .json, not as 'x.csv' does."),
        (["a", "--save", "no/x.json"], "The baseline no/x.json cannot be written: No such file"),
        (["a", "b", "--markdown", "no/x.md"], "The file no/x.md cannot be written: No such file"),
        (["a", "b", "--threshold", "x"], "--threshold takes a percentage, such as 5%, not 'x'."),
        (["a", "b", "--fail-on", "slow"], "--fail-on does not know 'slow'."),
        (["a", "b", "--ignore", "time"], "Invalid value for '--ignore'"),
        ([], "Missing argument 'A'."),
    ],
)
def test_a_wrong_command_says_so(
    words: list[str], message: str, compare: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert message in compare(*words, code=ExitCode.USAGE).err


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"kind": "turnkey-baseline", "schema": 1, "results": 1}',
     '{"kind": "turnkey-baseline", "schema": 1, "results": [{"identity": {"model": 1}}]}',
     '{"kind": "turnkey-baseline", "schema": 1, "results": [{"identity": {"modell": "x"}}]}',
     '{"kind": "turnkey-baseline", "schema": 1, "results": [{"identity": {"model": "x"}, '
     '"latency_ms": "1"}]}',
     '{"kind": "turnkey-baseline", "schema": 1, "results": [{"identity": {"model": "x"}, '
     '"runs": [[0.5]]}]}'],
)  # fmt: skip
def test_a_damaged_baseline_is_refused(content: str, compare: Shell, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    done = compare(path, compare.b, code=ExitCode.FAILED)
    assert "is no baseline that turnkey wrote" in done.err


def test_a_newer_baseline_is_refused_with_advice(compare: Shell, tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    path.write_text('{"kind": "turnkey-baseline", "schema": 2, "results": []}')
    assert "Update turnkeyml-plugin-compare" in compare(path, compare.b, code=ExitCode.FAILED).err


def test_a_baseline_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from turnkeyml.errors import CacheError
    from turnkeyml_plugin_compare import baseline

    path = tmp_path / "b.json"
    path.write_text("{}")
    monkeypatch.setattr(baseline, "_LARGEST", 1)
    with pytest.raises(CacheError) as caught:
        baseline.load_baseline(path)
    assert caught.value.message == f"The baseline {path} is too large."
