"""`turnkey report` and `turnkey cache report`: files, what is said, and wrong words."""

from __future__ import annotations

import io
import json
import re
import sys
from datetime import date
from pathlib import Path

import pluggy
import pytest
from core_env import Ended, Environment, FakePlugins, run_here
from report_builds import RESULT, stats_of, write_build

from turnkeyml.errors import ExitCode
from turnkeyml.report import get_dict

TODAY = f"{date.today():%Y-%m-%d}.csv"


@pytest.fixture
def cache(toys: FakePlugins, tmp_path: Path) -> Path:
    cache = tmp_path / "cache"
    write_build(cache, "bert")
    failed = {"status": "failed", "failed_step": "export-pytorch", "error": "No operator 'x'."}
    write_build(cache, "gpt", failed, stats_of(results={}))
    return cache


def command(*words: str, code: int = ExitCode.OK) -> Ended:
    done = run_here(*words)
    assert done.code == code, done.text
    return done


@pytest.mark.parametrize("words", [("report",), ("cache", "report")])
def test_the_report_is_named_by_the_date_and_lies_in_the_working_directory(
    words: tuple[str, ...], cache: Path, tmp_path: Path
) -> None:
    done = command(*words)
    assert done.out.splitlines()[-1] == f"Saved: {tmp_path / TODAY}"
    assert get_dict(tmp_path / TODAY, ["status"]) == {
        "bert": {"status": "successful"},
        "gpt": {"status": "failed"},
    }


def test_the_summary(cache: Path, tmp_path: Path) -> None:
    assert command("report").out.splitlines() == [
        "model  runtime  ms     IPS",
        "bert   ort      2.500  400.0  noisy",
        "gpt    -        -      -      failed",
        "",
        "2 builds, 1 result",
        "  found      2",
        "  exported   2",
        "  run        2",
        "Why not, most frequent first:",
        "      1  export-pytorch: No operator ....",
        f"Saved: {tmp_path / TODAY}",
    ]


@pytest.mark.parametrize("flag", ["-d", "-i", "--cache-dir", "--input-caches"])
@pytest.mark.parametrize("target", ["-r", "-o", "--report-dir", "--output-dir"])
def test_several_caches_into_a_folder(flag: str, target: str, cache: Path, tmp_path: Path) -> None:
    write_build(tmp_path / "other", "vit")
    command("report", flag, "cache", "other", target, "new/reports")
    assert set(get_dict(tmp_path / "new" / "reports" / TODAY)) == {"bert", "gpt", "vit"}


def test_patterns_and_the_home_directory(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_build(tmp_path / "x_one", "vit")
    write_build(tmp_path / "x_two", "cnn")
    command("report", "-d", "~/x_*", "-r", "~/reports")
    assert set(get_dict(tmp_path / "reports" / TODAY)) == {"vit", "cnn"}


def test_several_formats_at_once(cache: Path, tmp_path: Path) -> None:
    out = command("report", "--format", "jsonl", "csv", "csv").out
    first, second = tmp_path / TODAY.replace("csv", "jsonl"), tmp_path / TODAY
    assert out.splitlines()[-2:] == [f"Saved: {first}", f"Saved: {second}"]
    assert len(first.read_text().splitlines()) == 2


def test_the_summary_as_json(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = command("report", "-d", "cache", "empty", "--json")
    found = json.loads(done.out)
    assert (found["rows"], found["builds"], found["results"]) == (2, 2, 1)
    assert found["stages"]["exported"] == {"passed": 2, "tried": 2}
    assert found["causes"] == [{"cause": "export-pytorch: No operator ....", "rows": 1}]
    assert found["files"] == [str(tmp_path / TODAY)]
    assert done.err == f"Warning: there are no builds in the cache {tmp_path / 'empty'}.\n"


def test_a_stage_that_some_did_not_pass(cache: Path, tmp_path: Path) -> None:
    stats = stats_of(results={})
    stats["steps"]["0000000b"] |= {"status": "failed", "error": "No operator 'y'."}
    failed = {"status": "failed", "failed_step": "export-pytorch", "error": "No operator 'y'."}
    write_build(cache, "t5", failed, stats)
    out = command("report").out
    assert "  exported   2, 1 not\n" in out
    assert "      2  export-pytorch: No operator ....\n" in out


def test_only_the_first_of_many_rows_are_shown(cache: Path) -> None:
    results = {str(n): {**RESULT, "iterations": n} for n in range(30)}
    write_build(cache, "bert", None, stats_of(results=results))
    out = command("report").out
    assert "... and 11 more rows\n" in out
    assert out.count("noisy") == 20


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_a_table_on_a_terminal(columns: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from turnkeyml.cli.main import run_command
    from turnkeyml.console import Console

    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "xterm")
    write_build(cache, "long", {"input": "/a_model_with_quite_a_long_name[red]markup[bold].py"})
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    assert run_command(["report"], Console(out, io.StringIO())) == ExitCode.OK
    shown = re.sub("\x1b\\[[0-9;]*m", "", out.getvalue())
    table = shown.partition("builds,")[0].splitlines()
    assert all(len(line) <= int(columns) for line in table)
    joined = "".join("".join(line.split()) for line in table)
    assert "2.500" in joined and "failed" in joined
    if columns == "200":
        assert "a_model_with_quite_a_long_name[red]markup[bold]" in joined
    assert ("IPS" in joined) == (columns != "40")


def test_names_that_would_control_the_terminal_are_shown_escaped(cache: Path) -> None:
    state = {"input": "/x\x1b[31m\n.py", "status": "failed", "error": "\x1b]0;x\x07"}
    write_build(cache, "evil", state, stats_of(results={}))
    done = command("report")
    assert "\x1b" not in done.text and "\x07" not in done.text
    assert r"x\x1b[31m\n" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-d", "nothing"), "There is no cache directory 'nothing'."),
        (("-d", "noth*"), "There is no cache directory 'noth*'."),
        (("-d", "file"), "There is no cache directory 'file'."),
        (("-d", "empty"), "There are no builds in the cache"),
        (("-d", "~nobody-of-that-name/x"), "is in the home of an unknown user"),
        (("-d",), "The option -d is given no value."),
        (("-r", "file/x"), "The folder file/x cannot be made: Not a directory."),
        (("--format", "xlsx"), "There is no report format 'xlsx'. Installed: csv, jsonl."),
        (("cache",), "unexpected extra argument"),
        (("--nonsense",), "No such option"),
    ],
)
def test_wrong_words(words: tuple[str, ...], said: str, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    done = command("report", *words, code=ExitCode.USAGE)
    assert said.lower() in " ".join(done.err.split()).lower()
    assert not (tmp_path / TODAY).exists()


def test_a_report_that_cannot_be_written(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / TODAY).mkdir()
    done = command("report", code=ExitCode.FAILED)
    assert f"The report {tmp_path / TODAY} cannot be written: Is a directory." in done.err
    assert "Name another folder with -r." in done.err


def test_a_cache_with_one_build_that_is_damaged(tmp_path: Path, toys: FakePlugins) -> None:
    build = write_build(tmp_path / "cache", "b")
    build.state_file.write_text("{half")
    assert "b      -        -   -    unreadable\n" in command("report").out


def test_a_plugin_that_cannot_add_columns_is_told_of(cache: Path, toys: FakePlugins) -> None:
    @pluggy.HookimplMarker("turnkeyml")
    def turnkey_report_columns(row: object) -> object:
        raise ValueError("\x1bno")

    toys.add(turnkey_report_columns=turnkey_report_columns)
    done = command("report")
    assert "Warning: The plugin fakeplug:main could not add columns" in done.err
    assert "\x1b" not in done.err


ASK = """
import sys
from turnkeyml.cli.main import run_command
from turnkeyml.console import Console
for words in (["report", "-h"], ["cache", "-h"], ["cache", "report", "-h"], ["models", "-h"],
              ["system-info", "-h"]):
    assert run_command(words, Console()) == 0, words
    found = {"rich", "sqlite3", "yaml", "filelock"} & set(sys.modules)
    assert not found, (words, found)
"""


def test_help_loads_nothing_that_only_reports_need(environment: Environment) -> None:
    done = environment.turnkey(code=ASK)
    assert (done.code, done.err) == (0, "")
