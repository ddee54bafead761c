"""`turnkey FILE...`: files are looked for in a directory, and stages come from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from core_env import FakePlugins, run_here
from rough_tools import Perform

from turnkeyml.cache.layout import Cache
from turnkeyml.errors import ExitCode

SEQUENCE = "from turnkeyml.sequence import Sequence\n"


@pytest.fixture
def folder(toys: FakePlugins, tmp_path: Path) -> Path:
    """The toys and a tool for scripts installed, and files of both kinds in a folder."""
    toys.add({"tools": [Perform]}, distribution="rough")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.toy").write_text("one 1\n")
    for name in ("b.py", "c.py"):
        (tmp_path / "sub" / name).write_text("x = 1\n")
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(build.name.rpartition("_")[0] for build in Cache(folder / "cache").builds())


@pytest.mark.parametrize("words", [["--search-dir", "sub"], ["-s", "sub"], ["--search-dir=sub"]])
def test_files_are_looked_for_in_the_search_directory(words: list[str], folder: Path) -> None:
    assert run_here("a.toy", *words, "-a").code == ExitCode.OK
    assert run_here("benchmark", "a.toy", *words, "-a").code == ExitCode.OK
    assert names(folder) == ["a"]


def test_patterns_and_absolute_paths_work_with_a_search_directory(folder: Path) -> None:
    path = str(folder / "sub/a.toy")
    assert run_here(path, "b*.py", "-s", "sub", "--analyze-only").code == ExitCode.OK
    assert names(folder) == ["a", "b"]


@pytest.mark.parametrize("words", [["--all"], ["benchmark", "--all"]])
def test_all_takes_every_script_of_the_directory_and_nothing_else(
    words: list[str], folder: Path
) -> None:
    done = run_here(*words, "-s", "sub", "-a")
    assert done.code == ExitCode.OK, done
    assert names(folder) == ["b", "c"]


def test_all_without_a_directory_means_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "sub")
    done = run_here("benchmark", "--all", "-a")
    assert done.code == ExitCode.OK, done
    assert names(folder) == ["b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "sequence = Sequence('compile')",
        "anything = Sequence('compile')",
        "other = Sequence('shrink'); sequence = Sequence('compile')",
        "if __name__ == '__main__': raise SystemExit(3)\nsequence = Sequence('compile')",
    ],
)
def test_a_sequence_file_gives_the_stages(text: str, folder: Path) -> None:
    (folder / "stages.py").write_text(SEQUENCE + text)
    done = run_here("a.toy", "-s", "sub", "--sequence-file", "stages.py", "-b")
    assert done.code == ExitCode.OK, done
    (build,) = Cache(folder / "cache").builds()
    assert sorted(path.name for path in build.path.glob("log_*")) == [
        "log_compile.txt",
        "log_find.txt",
    ]


def test_a_sequence_file_is_read_by_the_process_of_a_job_too(
    folder: Path, toys: FakePlugins
) -> None:
    puppet = {"class": "puppet:Puppet", "summary": "Strings."}
    toys.add({"executors": {"puppet": puppet}}, distribution="theatre")
    (folder / "stages.py").write_text(SEQUENCE + "sequence = Sequence('compile', 'shrink')")
    words = ["--executor", "puppet", "--executor-args", "of::nobody"]
    done = run_here("sub/a.toy", "--sequence-file", "stages.py", "-b", *words)
    assert done.code == ExitCode.OK, done
    (build,) = Cache(folder / "cache").builds()
    assert (build.path / "log_shrink.txt").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["-d", "other", "benchmark", "sub/a.toy", "-a"],
        ["-a", "benchmark", "sub/a.toy", "-d", "other"],
        ["--analyze-only", "-d", "other", "benchmark", "a.toy", "-s", "sub"],
    ],
)
def test_options_may_stand_before_the_word_benchmark(words: list[str], folder: Path) -> None:
    done = run_here(*words)
    assert done.code == ExitCode.OK, done
    assert [build.name[:2] for build in Cache(folder / "other").builds()] == ["a_"]


def test_a_file_called_benchmark_is_a_file(folder: Path) -> None:
    (folder / "benchmark").touch()
    done = run_here("--dry-run", "benchmark", "sub/a.toy")
    assert done.code == ExitCode.USAGE
    assert "Files without a suffix are taken by no installed tool." in done.err
