"""Inputs in which no model was found are in the report, although they have no build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from core_env import FakePlugins, run_here
from report_builds import rows_of

from turnkeyml.errors import ExitCode
from turnkeyml.execution.journal import COMMANDS, JOURNAL
from turnkeyml.plugins.registry import Registry
from turnkeyml.report import broken_inputs as module
from turnkeyml.report import get_dict
from turnkeyml.report.broken_inputs import broken_inputs


@pytest.fixture
def registry(toys: FakePlugins, tmp_path: Path) -> Registry:
    (tmp_path / "good.toy").write_text("one 1\n")
    (tmp_path / "bad.toy").write_text("raise no luck\n")
    return toys.registry()


def run(*words: str) -> None:
    run_here("-i", "good.toy", "bad.toy", *(words or ("find", "compile")))


def test_they_are_rows_with_their_reason_and_log(registry: Registry, tmp_path: Path) -> None:
    run()
    good, bad = rows_of(registry, tmp_path / "cache")
    assert good.text("status") == "successful"
    assert bad.text("model_name") == "bad" and bad.text("script") == str(tmp_path / "bad.toy")
    assert (bad.text("status"), bad.text("found")) == ("failed", "failed")
    assert bad.text("error").startswith("find broke on bad.toy: ValueError: no luck")
    assert bad.text("cause") and Path(bad.text("log")).is_file()
    assert bad.text("build_name") == "" and bad.text("cache") == str(tmp_path / "cache")


def test_the_newest_word_counts(registry: Registry, tmp_path: Path) -> None:
    run()
    run("find")
    assert len(rows_of(registry, tmp_path / "cache")) == 2
    (tmp_path / "bad.toy").write_text("two 2\n")
    run("find", "compile", "shrink")
    rows = rows_of(registry, tmp_path / "cache")
    assert [row.text("model_name") for row in rows] == ["bad", "good"]
    assert [row.text("status") for row in rows] == ["successful", "successful"]


def test_the_command_counts_them(registry: Registry, tmp_path: Path) -> None:
    run()
    done = run_here("report", "--json", "--format", "jsonl")
    assert done.code == ExitCode.OK, done.text
    summary = json.loads(done.out)
    assert (summary["builds"], summary["rows"]) == (1, 2)
    assert summary["stages"]["found"] == {"passed": 1, "tried": 2}
    found = get_dict(summary["files"][0], ["found"])
    assert found == {"good": {"found": "successful"}, "bad": {"found": "failed"}}


def test_a_cache_with_nothing_else_is_reported(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "good.toy").write_text("refuse no\n")
    run()
    done = run_here("report")
    assert done.code == ExitCode.OK
    assert "0 builds, 0 results" in done.out
    assert "  found      0, 2 not" in done.out


def test_the_names_are_those_of_the_journal() -> None:
    assert (module._COMMANDS, module._JOURNAL) == (COMMANDS, JOURNAL)


def line(**report: Any) -> bytes:
    source = {"path": "/a.py", "hashes": [], "labels": {"author": ["me"]}, "parameters": {"b": "8"}}
    error = {"message": "It broke.", "hint": None, "ending": None}
    whole = {"source": source, "models": [], "error": error, "notes": [], "log": None, **report}
    event = {"event": "ended", "job": "1", "ending": "reported", "report": whole}
    return json.dumps({**event, "at": "2026-11-21T11:20:05.211+00:00"}).encode() + b"\n"


def test_labels_and_parameters(tmp_path: Path) -> None:
    write(tmp_path, line())
    (row,) = broken_inputs(tmp_path)
    assert (row["author"], row["parameter.b"], row["error"]) == ("me", "8", "It broke.")


def write(cache: Path, content: bytes) -> Path:
    path = cache / COMMANDS / "1" / JOURNAL
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\n",
        line()[:-30],
        line()[:200],
        line(error=None),
        line(models=[{}]),
        line(source=5),
        line(source={"path": "/a"}),
        line(error={"message": "x"})[:-2] + b"[" * 100_000,
        b'"event": "ended" "source": {}, "models": "models": [], "error": { "at": "2026-11-21"}',
    ],
)
def test_lines_of_another_form_say_nothing(content: bytes, tmp_path: Path) -> None:
    write(tmp_path, content)
    assert broken_inputs(tmp_path) == []


def test_a_journal_that_is_a_link_or_a_folder(tmp_path: Path) -> None:
    path = write(tmp_path, line())
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert broken_inputs(tmp_path) == []
    path.unlink()
    path.mkdir()
    assert broken_inputs(tmp_path) == []


def test_an_input_alone_is_a_row_until_a_model_is_found_in_it(
    registry: Registry, tmp_path: Path
) -> None:
    bad, cache = tmp_path / "bad.toy", tmp_path / "cache"
    for text, options in (("raise no luck\n", ()), ("refuse no\n", ("--rebuild", "always"))):
        bad.write_text(text)
        run_here("-i", "bad.toy", *options, "find")
        (row,) = rows_of(registry, cache)
        assert row.text("script") == str(bad)
        assert row.text("status") == "failed"
    bad.write_text("two 2\n")
    run_here("-i", "bad.toy", "find", "compile")
    assert [row.text("status") for row in rows_of(registry, cache)] == ["successful"]
    before = sorted(path.name for path in (cache / COMMANDS).iterdir())
    (tmp_path / "fine.toy").write_text("three 3\n")
    run_here("-i", "fine.toy", "find")
    assert sorted(path.name for path in (cache / COMMANDS).iterdir()) == before


def test_where_it_cannot_be_noted_the_command_ends_as_ever(
    registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "bad.toy").write_text("refuse no\n")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / COMMANDS).write_text("in the way")
    done = run_here("-i", "bad.toy", "find")
    assert done.code == ExitCode.FAILED
    assert "Traceback" not in done.text
