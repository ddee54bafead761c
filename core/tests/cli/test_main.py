"""The command line: every wrong command has one clear sentence and its exit code."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from core_env import COMMAND, Environment, FakePlugins, run_here
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from turnkeyml.cache.layout import Cache
from turnkeyml.cache.stats import Stats
from turnkeyml.errors import ExitCode
from turnkeyml.outcomes import Status
from turnkeyml.saved_state import load_state

ONE = "one 1\n"


@pytest.fixture
def folder(toys: FakePlugins, tmp_path: Path) -> Path:
    """The toy plugin installed, and a file with one model in the working directory."""
    (tmp_path / "a.toy").write_text(ONE)
    return tmp_path


def builds(folder: Path) -> list:
    return Cache(folder / "cache").builds()


def test_a_chain_runs_its_tools_in_order_and_ends_with_0(folder: Path) -> None:
    done = run_here("-i", "a.toy", "find", "compile", "--level", "2", "shrink")
    assert done.code == ExitCode.OK, done
    assert "Woohoo! The 'find compile shrink' command is complete." in done.out
    (build,) = builds(folder)
    state = load_state(build)
    assert state.status is Status.SUCCESSFUL
    assert [a.kind for a in state.artifacts] == ["toy-file", "toy-file"]


def test_results_go_to_standard_output_and_progress_to_standard_error(folder: Path) -> None:
    done = run_here("-i", "a.toy", "find", "compile")
    assert "Model successfully built!" in done.out
    assert "a.toy one: compile (" in done.err
    assert "a.toy one" not in done.out


def test_the_cache_can_be_named_before_or_after_the_inputs(folder: Path) -> None:
    assert run_here("-d", "c1", "-i", "a.toy", "find").code == ExitCode.OK
    assert run_here("-i", "a.toy", "--cache-dir", "c2", "find").code == ExitCode.OK
    assert not (folder / "cache").exists()
    assert (folder / "c1").is_dir()
    assert (folder / "c2").is_dir()


def test_one_option_takes_several_inputs_up_to_the_next_tool(folder: Path) -> None:
    for name in ("b.toy", "c d.toy"):
        (folder / name).write_text(ONE)
    done = run_here("-i", "a.toy", "b.toy", "c d.toy", "find")
    assert done.code == ExitCode.OK
    assert "[3/3] c d.toy: 1 model, 1 successful" in done.err
    assert run_here("--input-files=a.toy", "b.toy", "find").code == ExitCode.OK


def test_a_tool_takes_several_values_up_to_the_next_option_or_tool(folder: Path) -> None:
    words = ["find", "compile", "--only", "x", "y", "--level", "2", "--only", "z", "shrink"]
    done = run_here("-i", "a.toy", *words)
    assert done.code == ExitCode.OK
    log = (builds(folder)[0].path / "log_compile.txt").read_text()
    assert log == "compiled None x y z\n"


def test_a_value_that_starts_with_a_dash_is_taken_by_an_option_of_one_value(folder: Path) -> None:
    assert run_here("-i", "a.toy", "find", "compile", "--tag", "--fast").code == ExitCode.OK
    assert run_here("-i", "a.toy", "find", "compile", "--tag=-x").code == ExitCode.OK
    texts = {file.read_text() for file in (builds(folder)[0].path / "toy").iterdir()}
    assert any("tag='--fast'" in text and "fast=False" in text for text in texts)
    assert any("tag='-x'" in text for text in texts)


def test_a_value_that_is_a_tools_name_is_taken_by_an_option_of_one_value(folder: Path) -> None:
    done = run_here("-i", "a.toy", "find", "compile", "--tag", "shrink")
    assert done.code == ExitCode.OK
    assert "compile (" in done.err
    assert "shrink (" not in done.err


def test_the_same_tool_twice_keeps_both_logs_and_both_entries(folder: Path) -> None:
    words = ["find", "act", "--do", "say", "--word", "1st", "act", "--do", "say", "--word", "2nd"]
    assert run_here("-i", "a.toy", *words).code == ExitCode.OK
    (build,) = builds(folder)
    assert "1st" in (build.path / "log_act.txt").read_text()
    assert "2nd" in (build.path / "log_act_2.txt").read_text()
    steps = [s for s in Stats.load(build).steps.values() if s["tool"] == "act"]
    assert [s["occurrence"] for s in steps] == [1, 2]
    assert [s["options"]["word"] for s in steps] == ["1st", "2nd"]


def test_a_named_sequence_is_a_command(folder: Path) -> None:
    done = run_here("-i", "a.toy", "find", "toy-small")
    assert done.code == ExitCode.OK
    assert "a.toy one: shrink" in done.err
    assert "The 'find toy-small' command is complete" in done.out


def test_an_alias_is_a_command(folder: Path) -> None:
    assert run_here("-i", "a.toy", "seek", "compile").code == ExitCode.OK


def test_a_file_alone_runs_the_default_chain_with_the_tools_options(folder: Path) -> None:
    done = run_here("a.toy", "--iterations", "12", "--toy-mode", "fancy", "--rt-args", "loud")
    assert done.code == ExitCode.OK, done
    assert "Successfully benchmarked on Toy Device 3000 (toyrt v9.1)" in done.out
    assert "Woohoo! The 'benchmark' command is complete." in done.out
    (result,) = Stats.load(builds(folder)[0]).results.values()
    assert result["iterations"] == 12
    assert result["arguments"] == ["calm", 1, None, True]


def test_benchmark_and_a_file_is_the_same_as_the_file_alone(folder: Path) -> None:
    done = run_here("benchmark", "a.toy", "--iterations", "12")
    assert done.code == ExitCode.OK, done
    (result,) = Stats.load(builds(folder)[0]).results.values()
    assert result["iterations"] == 12
    assert result["device"] == "toydev::part1::c1"


def test_files_may_stand_after_the_options_of_the_default_chain(folder: Path) -> None:
    done = run_here("--iterations", "3", "a.toy")
    assert done.code == ExitCode.OK, done


def test_rt_args_take_many_values(folder: Path) -> None:
    args = ["--rt-args", "mood::gay", "repeats::2", "parts::[a,b]", "loud"]
    done = run_here("-i", "a.toy", "find", "compile", "benchmark", *args, "--iterations", "2")
    assert done.code == ExitCode.OK, done
    (result,) = Stats.load(builds(folder)[0]).results.values()
    assert result["arguments"] == ["gay", 2, ["a", "b"], True]
    assert "mood:           gay" in done.out


def test_one_chain_may_benchmark_with_two_runtimes(folder: Path) -> None:
    done = run_here(
        *("-i", "a.toy", "find", "compile"),
        *("benchmark", "--runtime", "toyrt", "benchmark", "--runtime", "toy-live"),
    )
    assert done.code == ExitCode.OK, done
    assert done.out.count("Successfully benchmarked on") == 2
    results = Stats.load(builds(folder)[0]).results
    assert {r["runtime"] for r in results.values()} == {"toyrt", "toy-live"}


WRONG = [
    ([], "Usage: turnkey", ""),
    (["-i"], "The option -i is given no value.", "Name files after it."),
    (["-i", "find"], "The option -i is given no value.", ""),
    (["find"], "No input is given.", "Name files with -i"),
    (["-i", "a.toy"], "No tool is given.", "Name the tools"),
    (["-i", "a.toy", "findd"], "There is no tool 'findd'.", "Did you mean 'find'?"),
    (["-i", "a.toy", "find", "compiel"], "There is no tool 'compiel'.", "Did you mean 'compile'?"),
    (["-i", "a.toy", "fnid", "compile"], "There is no file 'fnid'.", "the tool 'find'?"),
    (["-i", "a.toy", "find.toy"], "No tool is given.", "Name the tools"),
    (["compiel"], "There is no tool 'compiel'.", "Did you mean 'compile'?"),
    (["-i", "b.toy", "find"], "There is no file 'b.toy'.", "Did you mean 'a.toy'?"),
    (["b.toy"], "There is no file 'b.toy'.", "Did you mean 'a.toy'?"),
    (["sub/b.toy"], "There is no file 'sub/b.toy'.", ""),
    (["-i", "sub", "find"], "sub is a directory.", "sub/*.py"),
    (["*.none"], "No file matches '*.none'.", ""),
    (["-i", "n.txt", "find"], "name no file", ""),
    (["a.py", "--dry-run"], "There is no file 'a.py'.", ""),
    (
        ["x.xyz"],
        "suffix '.xyz' are taken by no installed tool.",
        "Give files with one of: .yaml, .toy",
    ),
    (["-i", "x.xyz", "find"], "suffix '.xyz' are taken by no installed tool.", ""),
    (["-i", "s.py", "find"], "pip install turnkeyml-plugin-discover", ""),
    (["-i", "a.toy", "discover"], "There is no tool 'discover'.", "pip install turnkeyml-plugin-"),
    (["-i", "a.toy", "compile"], "Step 1, compile, takes toy-model", "Put find before it."),
    (["-i", "a.toy", "find", "shrink", "compile"], "Step 2, shrink, takes toy-file", "Put compile"),
    (["-i", "a.toy", "find", "compile", "find"], "Step 3, find, starts a chain", "Put it first"),
    (["-i", "a.toy", "load-toy"], "takes .toyfile files, not .toy", "Start the chain with find."),
    (["-i", "a.toy", "find", "version"], "'version' stands alone", ""),
    (["-i", "a.toy", "find", "--dry-run"], "--dry-run stands before the first tool.", "-h"),
    (["-i", "a.toy", "find", "compile", "--levle", "3"], "No such option", "--level"),
    (["-i", "a.toy", "find", "compile", "--level", "x"], "'x' is not a valid int", ""),
    (["-i", "a.toy", "find", "compile", "--level", "-3"], "-3 is not in the range x>=0", ""),
    (["-i", "a.toy", "find", "compile", "--mode", "odd"], "'odd' is not one of 'plain'", ""),
    (["-i", "a.toy", "find", "compile", "--tag"], "requires an argument", ""),
    (["a.toy", "--runtime", "toyrtt"], "There is no runtime 'toyrtt'.", "Did you mean 'toyrt'?"),
    (["a.toy", "--device", "toydef"], "There is no device 'toydef'.", "Did you mean 'toydev'?"),
    (["a.toy", "--device", "toydev::p"], "has no part 'p'", "It has: part1, part2."),
    (["a.toy", "--device", "toydev::part1::c"], "has no configuration 'c'", "It has: c1, c2."),
    (["a.toy", "--device", "a::b::c::d"], "'a::b::c::d' is no device.", "Write family"),
    (["a.toy", "--rt-args", "mod::x"], "has no argument 'mod'", "It takes: mood, repeats"),
    (["a.toy", "--rt-args", "repeats::x"], "takes 'repeats' as int, not 'x'", ""),
    (["a.toy", "--rt-args", "=="], "'==' is no argument", "Write key::value"),
    (["--labels", "a::b", "c::d", "a.toy"], "None of the 1 inputs has the labels a::b c::d.", ""),
    (["-i", "a.toy", "frobnicate"], "There is no tool 'frobnicate'.", "Installed: "),
    (["--input-files=a.toy", "frobnicate"], "There is no tool 'frobnicate'.", "Installed: "),
    (["-i", "a.toy", "--lean-cache"], "No tool is given.", "Name the tools"),
    (["-i", "a.toy", "-d", "b", "--dry-run"], "No tool is given.", "Name the tools"),
    (["-i", "a.toy", "--labels", "a::1", "b::2"], "No tool is given.", "Name the tools"),
    (["a.toy", "--sequence", "frobnicate"], "no sequence 'frobnicate'.", ", shrink, toy-small"),
    (["a.toy", "--labels", "nonsense"], "'nonsense' is no label.", "Write key::value"),
    (["a.toy", "--labels", "a::b"], "None of the 1 inputs has the labels a::b.", "first line"),
    (["a.toy::xyz"], "'xyz' is no hash", ""),
    (["-d", "a.toy", "-i", "a.toy", "find"], "The cache directory", "Give another one with -d"),
    (["-d", "a.toy/sub", "-i", "a.toy", "find"], "cannot be written: Not a directory", ""),
    (["--nonsense"], "No such option", ""),
    (["-x", "a.toy"], "No such option", ""),
    (["version", "extra"], "unexpected extra argument", "turnkey version -h"),
    (["plugins", "--nonsense"], "No such option", "turnkey plugins -h"),
    (["-i", "~nobody-of-that-name/a.toy", "find"], "There is no file", ""),
    (["-i", "n" * 300, "find"], "cannot be read: File name too long", ""),
    (["n" * 300 + ".toy"], "cannot be read: File name too long", ""),
    (["-i", "a.toy/b.toy", "find"], "There is no file", ""),
    (["-i", "", "find"], "", ""),
    ([""], "", ""),
]


@pytest.mark.parametrize("words", ["-h", "a.toy -h", "compile -h", "cache clean -h", "plugins -h"])
@pytest.mark.parametrize("columns", [40, 59, 60, 100])
def test_help_is_as_wide_as_the_terminal(
    words: str, columns: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    done = run_here(*words.split())
    assert done.code == ExitCode.OK
    # Examples and the names of options stay whole.
    whole = ("turnkey", "-")
    text = [line for line in done.out.splitlines() if not line.strip().startswith(whole)]
    assert max(map(len, text)) <= columns
    assert "--help" in done.out


@pytest.mark.parametrize(("words", "message", "hint"), WRONG)
def test_a_wrong_command_has_one_clear_sentence_and_exit_code_2(
    words: list[str], message: str, hint: str, folder: Path
) -> None:
    (folder / "sub").mkdir()
    (folder / "x.xyz").write_text("x")
    (folder / "s.py").write_text("x = 1")
    (folder / "n.txt").write_text("# nothing\n")
    done = run_here(*words)
    assert done.code == ExitCode.USAGE, done
    assert message in done.err
    assert hint in done.err
    assert "Traceback" not in done.text
    assert not done.out
    assert not (folder / "cache").exists()


def test_without_words_the_help_is_shown_and_is_no_error_message(folder: Path) -> None:
    done = run_here()
    assert done.code == ExitCode.USAGE
    assert done.err.startswith("Usage: turnkey")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_without_write_permission_is_refused(folder: Path) -> None:
    (folder / "locked").mkdir(mode=0o500)
    done = run_here("-d", "locked", "-i", "a.toy", "find")
    assert done.code == ExitCode.USAGE
    assert "cannot be written: Permission denied" in done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_input_without_read_permission_is_refused(folder: Path) -> None:
    (folder / "secret.py").touch(mode=0o000)
    done = run_here("-i", "secret.py", "find")
    assert done.code == ExitCode.USAGE
    assert "secret.py" in done.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.toy has no models."),
        ("raise sad", "find broke on a.toy: ValueError: sad"),
        ("refuse not this one", "a.toy: not this one"),
        ("exit 0", "find broke on a.toy: SystemExit: 0"),
    ],
)
def test_an_input_that_fails_in_running_ends_with_1(text: str, message: str, folder: Path) -> None:
    (folder / "a.toy").write_text(text)
    done = run_here("-i", "a.toy", "find", "compile")
    assert done.code == ExitCode.FAILED
    assert message in done.err
    assert "1 input broke" in done.err
    assert "log: " in done.err
    assert "Traceback (most recent call last)" not in done.err
    assert "Woohoo" not in done.out


def test_a_hash_that_no_model_has_ends_with_1_and_names_those_there_are(folder: Path) -> None:
    done = run_here("-i", "a.toy::abcdef12", "find")
    assert done.code == ExitCode.FAILED
    assert "a.toy has no model with the hash abcdef12. It has: " in done.err


@pytest.mark.parametrize(
    "words",
    [
        ["-h"],
        ["--help"],
        ["find", "-h"],
        ["find", "--help"],
        ["compile", "-h"],
        ["benchmark", "-h"],
        ["seek", "-h"],
        ["toy-small", "-h"],
        ["version", "-h"],
        ["plugins", "-h"],
        ["a.toy", "-h"],
        ["benchmark", "a.toy", "-h"],
        ["-i", "a.toy", "-h"],
        ["-i", "a.toy", "find", "-h"],
        ["-i", "a.toy", "find", "compile", "-h"],
        ["-i", "a.toy", "find", "compile", "--level", "3", "-h"],
        ["-i", "a.toy", "find", "compile", "--only", "a", "b", "-h", "shrink"],
        ["-i", "missing.toy", "compile", "-h"],
    ],
)
def test_h_anywhere_explains_and_runs_nothing(words: list[str], folder: Path) -> None:
    done = run_here(*words)
    assert done.code == ExitCode.OK, done
    assert done.out.startswith("Usage: turnkey")
    assert "-h, --help" in done.out
    assert not done.err
    assert not (folder / "cache").exists()


def test_the_help_of_a_tool_is_its_docstring_and_options(folder: Path) -> None:
    for words in (["compile", "-h"], ["-i", "a.toy", "find", "compile", "-h"]):
        text = run_here(*words).out
        assert "Compile a toy into a file." in text
        assert "-t, --tag" in text
        assert "--checks / --no-checks" in text


def test_the_help_of_the_default_chain_has_the_options_of_its_tools(folder: Path) -> None:
    text = run_here("a.toy", "-h").out
    for option in (
        "--iterations",
        "--rt-args",
        "--device",
        "--runtime",
        "--toy-mode",
        "--cache-dir",
    ):
        assert option in text
    assert "--level" not in text


def test_help_lists_tools_by_where_they_may_stand(folder: Path) -> None:
    text = run_here("-h").out
    first, rest = text.split("Tools that follow:")
    assert "find (seek)" in first
    follow, alone = rest.split("Commands that stand alone:")
    assert "compile" in follow
    assert "plugins" in alone
    assert "toy-small  Compile and shrink." in alone


def test_the_core_alone_says_which_tools_are_missing(environment: Environment) -> None:
    helped = environment.turnkey("-h")
    assert helped.code == ExitCode.OK
    assert "No tool that starts a chain from a model is installed." in helped.out
    assert "pip install 'turnkeyml-core[all]'" in helped.out
    (environment.home / "a.py").write_text("x = 1")
    for words in (["a.py"], ["-i", "a.py", "discover", "benchmark"]):
        done = environment.turnkey(*words)
        assert done.code == ExitCode.USAGE
        assert "pip install turnkeyml-plugin-" in done.err
        assert "Traceback" not in done.text


def test_version_is_printed(environment: Environment) -> None:
    from importlib.metadata import version

    for words in (["version"], ["--version"]):
        done = environment.turnkey(*words)
        assert (done.code, done.err) == (ExitCode.OK, "")
        assert version("turnkeyml-core") in done.out


def test_an_interrupted_command_ends_with_130(folder: Path) -> None:
    done = run_here("-i", "a.toy", "find", "act", "--do", "interrupt")
    assert done.code == ExitCode.INTERRUPTED
    assert "Interrupted." in done.err
    (build,) = builds(folder)
    assert load_state(build).status is Status.INTERRUPTED


def test_ctrl_c_from_outside_ends_with_130_and_without_traceback(environment: Environment) -> None:
    import signal
    import subprocess

    environment.install_toys()
    (environment.home / "a.toy").write_text(ONE)
    words = ["-i", "a.toy", "find", "compile", "act", "--do", "wait-for", "--word", "go"]
    # A shell that runs the tests in the background has them ignore the signal.
    code = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {COMMAND}"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with environment.started(*words, code=code, **pipes) as process:
        deadline = time.monotonic() + 30
        while not (environment.home / "go.here").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert b"Interrupted." in err
    assert b"Traceback" not in err
    (build,) = Cache(environment.cache).builds()
    state = load_state(build)
    assert state.status is Status.INTERRUPTED
    assert [a.kind for a in state.artifacts] == ["toy-file"]


def test_the_cache_of_the_environment_is_used(environment: Environment, tmp_path: Path) -> None:
    environment.install_toys()
    (environment.home / "a.toy").write_text(ONE)
    other = tmp_path / "other cache"
    done = environment.turnkey("-i", "a.toy", "find", variables={"TURNKEY_CACHE_DIR": str(other)})
    assert done.code == ExitCode.OK
    assert other.is_dir()
    done = environment.turnkey("-i", "a.toy", "find", variables={"TURNKEY_CACHE_DIR": ""})
    assert done.code == ExitCode.OK
    assert (environment.home / ".cache" / "turnkey").is_dir()


def test_a_broken_plugin_is_warned_of_when_a_chain_runs(folder: Path, toys: FakePlugins) -> None:
    toys.add({"tools": 3}, distribution="odd-one")
    done = run_here("-i", "a.toy", "find")
    assert done.code == ExitCode.OK
    assert "Warning: odd-one 1.2 " in done.err


def test_what_a_runtime_needs_in_its_environment_is_set_before_anything_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOY_THREADS")
    act = ["act", "--do", "tell-environment", "--word", "TOY_THREADS"]
    assert run_here("-i", "a.toy", "find", *act, "compile", "benchmark").code == ExitCode.OK
    told = [s["variable"] for s in Stats.load(builds(folder)[0]).steps.values() if "variable" in s]
    assert told == ["3"]


def test_what_the_user_has_set_stands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_THREADS", "8")
    assert run_here("-i", "a.toy", "find", "compile", "benchmark").code == ExitCode.OK
    assert os.environ["TOY_THREADS"] == "8"


WORDS = st.sampled_from(
    [
        "-i", "--input-files", "-d", "--labels", "--dry-run", "-h", "--", "-", "=", "::", "find",
        "compile", "shrink", "act", "benchmark", "toy-small", "version", "plugins", "load-toy",
        "a.toy", "sub", "*.toy", "n.txt", "a.toy::abcd", "nothing.toy", "--level", "--level=2",
        "--only", "--tag", "-t", "--fast", "--no-checks", "--rt-args", "mood::x", "--device",
        "toydev", "--runtime", "toyrt", "--iterations", "1", "0", "-1", "--mode", "fancy",
    ]
)  # fmt: skip
ANY = WORDS | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
FUZZ = {
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
    "derandomize": True,
}


def run_any(folder: Path, words: list[str]) -> None:
    (folder / "sub").mkdir(exist_ok=True)
    (folder / "n.txt").write_text("a.toy\n")
    done = run_here("--dry-run", *words) if "-i" in words else run_here(*words, "--dry-run")
    assert done.code in set(ExitCode), done
    assert "Traceback" not in done.text
    assert done.code != ExitCode.USAGE or done.err.strip()


@settings(max_examples=100, **FUZZ)
@example(["-i", "a.toy", "find", "compile", "--only"])
@example(["--labels", "::"])
@given(st.lists(ANY, max_size=7))
def test_no_words_show_a_traceback(folder: Path, words: list[str]) -> None:
    run_any(folder, words)


@pytest.mark.slow
@settings(max_examples=5000, **FUZZ)
@given(st.lists(ANY, max_size=10))
def test_no_words_at_all_show_a_traceback(folder: Path, words: list[str]) -> None:
    run_any(folder, words)


def test_the_command_is_installed() -> None:
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="turnkey")
    assert script.value == "turnkeyml.cli.main:main"
    assert sys.modules["turnkeyml.cli.main"].main is script.load()
