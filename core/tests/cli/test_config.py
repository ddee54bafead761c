"""``--config FILE``: the same command as in words, and one clear sentence for what is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from core_env import Ended, FakePlugins, run_here
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turnkeyml import running
from turnkeyml.cli.located_yaml import MAX_BYTES
from turnkeyml.cli.tokens import before_tools, options_of
from turnkeyml.errors import ExitCode
from turnkeyml.options import OptionSpec
from turnkeyml.request import RunRequest

CHAIN = """
# A sweep.
input: [a.toy, sub/*.toy]
cache-dir: kept
rebuild: always
explain: true
tools:
- find: {limit: 3}
- compile:
    level: 2
    tag: 1.20
    only:
    - x
    - --y
    checks: false
- toy-small
- benchmark: {runtime: toyrt}
"""
CHAIN_WORDS = (
    "-i a.toy sub/*.toy --cache-dir kept --rebuild always --explain find --limit 3 compile "
    "--level 2 --tag 1.20 --only=x --only=--y --no-checks toy-small benchmark --runtime toyrt"
).split()
ONE_WORD = "input: a.toy\ncache-dir: kept\nruntime: toyrt\niterations: 7\nrt-args: [a::b, c]\n"
ONE_WORD_WORDS = "a.toy --cache-dir kept --runtime toyrt --iterations 7 --rt-args a::b c".split()


@pytest.fixture
def folder(toys: FakePlugins, tmp_path: Path) -> Path:
    """The toy plugin installed, and files with a model each in the working directory."""
    (tmp_path / "sub").mkdir()
    for name in ("a.toy", "b.toy", "sub/c.toy", "sub/d.toy"):
        (tmp_path / name).write_text("one 1\n")
    return tmp_path


@pytest.fixture
def requests(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[RunRequest]:
    """What would be run, instead of running it."""
    found: list[RunRequest] = []

    def keep(request: RunRequest, *others: Any) -> Any:
        found.append(request)
        return SimpleNamespace(exit_code=ExitCode.OK)

    monkeypatch.setattr(running, "run", keep)
    return found


def normal(request: RunRequest, folder: Path) -> tuple[dict[str, Any], Any]:
    data = request.to_json()
    options = data["options"]
    options["input_files"] = [str(folder / text) for text in options["input_files"]]
    for name in ("cache_dir", "output"):
        options[name] = options[name] and str(folder / options[name])
    return data, request.execution


def same(words: list[str], others: list[str], requests: list[RunRequest], folder: Path) -> None:
    for line in (words, others):
        done = run_here(*line)
        assert done.code == ExitCode.OK, done
    first, second = requests
    assert normal(first, folder) == normal(second, folder)
    requests.clear()


def refused(text: str | bytes, folder: Path, *more: str) -> Ended:
    (folder / "bad.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    done = run_here("--config", "bad.yaml", *more)
    assert done.code == ExitCode.USAGE, done
    assert "Traceback" not in done.text
    return done


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CHAIN, CHAIN_WORDS),
        (ONE_WORD, ONE_WORD_WORDS),
        (f"command: turnkey {' '.join(CHAIN_WORDS)}\n", CHAIN_WORDS),
        (f"command: {CHAIN_WORDS}\n", CHAIN_WORDS),
        (f"command: {' '.join(ONE_WORD_WORDS)}\n", ONE_WORD_WORDS),
    ],
)
def test_a_configuration_is_the_command_that_it_says(
    text: str, words: list[str], requests: list[RunRequest], folder: Path
) -> None:
    (folder / "c.yaml").write_text(text)
    same(["--config", "c.yaml"], words, requests, folder)
    same(["--config=c.yaml"], words, requests, folder)


@pytest.mark.parametrize(("text", "words"), [(CHAIN, CHAIN_WORDS), (ONE_WORD, ONE_WORD_WORDS)])
def test_the_plan_is_the_same(text: str, words: list[str], folder: Path) -> None:
    text, words = text.replace(", c]", "]"), [word for word in words if word not in ("a::b", "c")]
    (folder / "c.yaml").write_text(text.replace("rt-args: [a::b]\n", ""))
    words = [word for word in words if word != "--rt-args"]
    first = run_here("--config", "c.yaml", "--dry-run")
    at = 0 if words[0] == "-i" else len(words)
    second = run_here(*words[:at], "--dry-run", *words[at:])
    assert first.code == ExitCode.OK, first
    assert first.out.startswith("Plan for ")
    assert first == second


def sample(spec: OptionSpec) -> str:
    if spec.info.choices:
        return spec.info.choices[-1]
    if spec.name == "sweep":
        return "x=1,2"
    return {int: "12", float: "2.5", Path: "some/place"}.get(spec.type, "no: #text")


def test_every_option_before_the_tools_can_be_said(
    requests: list[RunRequest], folder: Path, toys: FakePlugins
) -> None:
    flags = before_tools(toys.registry())
    long = [(f, s) for f, s in flags.items() if f.startswith("--") and f != "--input-files"]
    assert len(long) > 20
    for flag, spec in long:
        if flag in ("--all", "--search-dir", spec.off_flag):
            continue
        value = "true" if not spec.takes_value else f"'{sample(spec)}'"
        (folder / "c.yaml").write_text(f"input: a.toy\n{flag[2:]}: {value}\n")
        words = [flag] if not spec.takes_value else [f"{flag}={sample(spec)}"]
        if spec.type is Path:
            words = [f"{flag}={folder}/{sample(spec)}"]
        same(["--config", "c.yaml"], ["a.toy", *words], requests, folder)


@pytest.mark.parametrize("tool", ["find", "compile", "act", "benchmark"])
def test_every_option_of_a_tool_can_be_said(
    tool: str, requests: list[RunRequest], folder: Path, toys: FakePlugins
) -> None:
    flags = {f: s for f, s in options_of(tool, toys.registry()).items() if f.startswith("--")}
    for flag, spec in flags.items():
        if flag == spec.off_flag:
            words, key, value = [flag], spec.flags[0][2:], "false"
        elif not spec.takes_value:
            words, key, value = [flag], flag[2:], "true"
        else:
            words, key, value = [f"{flag}={sample(spec)}"], flag[2:], f"'{sample(spec)}'"
        text = f"input: a.toy\ntools:\n- {tool}:\n    {key}: {value}\n"
        (folder / "c.yaml").write_text(text)
        same(["--config", "c.yaml"], ["-i", "a.toy", tool, *words], requests, folder)


def test_paths_are_relative_to_the_file(requests: list[RunRequest], folder: Path) -> None:
    (folder / "sub/c.yaml").write_text("input: [c.toy, '*.toy']\ncache-dir: ../kept\n")
    assert run_here("--config", "sub/c.yaml").code == ExitCode.OK
    (request,) = requests
    assert request.options.input_files == (f"{folder}/sub/c.toy", f"{folder}/sub/*.toy")
    assert request.options.cache_dir == folder / "sub/../kept"


def test_a_folder_whose_name_looks_like_a_pattern_is_taken_literally(folder: Path) -> None:
    odd = folder / "odd [x]"
    odd.mkdir()
    (odd / "e.toy").write_text("one 1\n")
    for name in ("e.toy", "*.toy"):
        (odd / "c.yaml").write_text(f"input: '{name}'\ntools: [find]\n")
        done = run_here("--config", str(odd / "c.yaml"), "--dry-run")
        assert "Plan for 1 .toy file" in done.out, done


def test_absolute_paths_and_those_at_home_stay(requests: list[RunRequest], folder: Path) -> None:
    (folder / "sub/c.yaml").write_text("input: [/x/a.toy, ~/b.toy::abcd]\ncache-dir: ~/kept\n")
    assert run_here("--config", "sub/c.yaml").code == ExitCode.OK
    assert requests[0].options.input_files == ("/x/a.toy", "~/b.toy::abcd")
    assert str(requests[0].options.cache_dir) == "~/kept"


@pytest.mark.parametrize(
    ("text", "words", "right"),
    [
        (CHAIN, ["--rebuild", "never"], {"rebuild": "never"}),
        (CHAIN, ["-d", "other"], {"cache_dir": "other"}),
        (CHAIN, ["-i", "b.toy"], {"input_files": ["b.toy"]}),
        (CHAIN, ["b.toy", "sub/c.toy"], {"input_files": ["b.toy", "sub/c.toy"]}),
        (ONE_WORD, ["-i", "b.toy"], {"input_files": ["b.toy"]}),
        (ONE_WORD, ["b.toy", "-d", "other"], {"input_files": ["b.toy"], "cache_dir": "other"}),
    ],
)
def test_words_on_the_command_line_win(
    text: str, words: list[str], right: dict[str, Any], requests: list[RunRequest], folder: Path
) -> None:
    (folder / "c.yaml").write_text(text)
    assert run_here("--config", "c.yaml", *words).code == ExitCode.OK
    found = requests[0].to_json()["options"]
    assert {name: found[name] for name in right} == right


def test_an_option_of_the_one_word_form_wins_too(requests: list[RunRequest], folder: Path) -> None:
    (folder / "c.yaml").write_text(ONE_WORD)
    for words in (["benchmark"], []):
        line = [*words, "--iterations", "9", "--rt-args", "z", "--config", "c.yaml"]
        assert run_here(*line).code == ExitCode.OK
        given = requests.pop().shorthand
        assert (given["--iterations"], given["--rt-args"]) == (9, ("z",))


def test_tools_on_the_command_line_replace_those_of_the_file(
    requests: list[RunRequest], folder: Path
) -> None:
    (folder / "c.yaml").write_text(CHAIN)
    assert run_here("--config", "c.yaml", "find", "compile", "--level", "5").code == ExitCode.OK
    data = requests[0].to_json()
    assert [step["tool"] for step in data["steps"]] == ["find", "compile"]
    assert data["steps"][1]["options"] == {"level": 5}
    assert data["options"]["rebuild"] == "always"


def test_a_search_directory_is_where_the_inputs_are(
    requests: list[RunRequest], folder: Path
) -> None:
    (folder / "c.yaml").write_text("input: c.toy\nsearch-dir: sub\n")
    assert run_here("--config", "c.yaml").code == ExitCode.OK
    assert requests[0].options.input_files == (f"{folder}/sub/c.toy",)


def test_a_configuration_runs(folder: Path) -> None:
    (folder / "c.yaml").write_text(CHAIN)
    done = run_here("--config", "c.yaml")
    assert done.code == ExitCode.OK, done
    assert (folder / "kept").is_dir()
    assert "Woohoo! The 'find compile toy-small benchmark' command is complete." in done.out


def test_help_needs_no_configuration(folder: Path) -> None:
    for words in (["--config", "none.yaml", "-h"], ["a.toy", "--config=none.yaml", "-h"]):
        done = run_here(*words)
        assert done.code == ExitCode.OK
        assert "--config FILE" in done.out
    (folder / "c.yaml").write_text("jobs: 2\n")
    assert "How hard to try." in run_here("--config", "c.yaml", "compile", "-h").out


WRONG = [
    ("jbos: 2", "bad.yaml, line 1: there is no option 'jbos'.", "Did you mean 'jobs'?"),
    ("input: a.toy\ncache_dir: x", "line 2: there is no option 'cache_dir'.", "'cache-dir'"),
    ("input-files: a.toy", "line 1: there is no option 'input-files'.", "'input'"),
    ("jobs: many", "line 1: --jobs takes a value of type int, not 'many'.", ""),
    ("jobs: 0", "line 1: --jobs takes at least 1, not '0'.", ""),
    ("jobs: [1, 2]", "line 1: 'jobs' takes one value, not a list.", ""),
    ("jobs: {a: 1}", "line 1: 'jobs' takes a value or a list of values.", ""),
    ("explain: 1", "line 1: 'explain' is true or false.", ""),
    ("explain: 'yes'", "line 1: 'explain' is true or false.", ""),
    ("explain: [true]", "line 1: 'explain' is true or false.", ""),
    ("rebuild: perhaps", "line 1: --rebuild takes one of if_needed, always, never", ""),
    ("input: [[a]]", "line 1: 'input' takes a value or a list of values.", ""),
    ("tools: find", "line 1: 'tools' is a list of tools.", "Write: - discover"),
    ("tools: []", "line 1: 'tools' is a list of tools.", ""),
    ("tools: [fnd]", "line 1: There is no tool 'fnd'.", "Did you mean 'find'?"),
    ("tools: [version]", "line 1: 'version' stands alone and cannot be part of a chain.", ""),
    ("tools:\n- find\n- {find: {}, act: {}}", "line 3: a tool is its name, or its name with", ""),
    ("tools:\n- [find]", "line 2: a tool is its name", ""),
    ("tools:\n- find: [limit]", "line 2: the options of find are no mapping.", ""),
    ("tools:\n- find:\n    limt: 3", "line 3: there is no option 'limt' of find.", "'limit'"),
    ("tools:\n- find:\n    xyz: 3", "line 3: there is no option 'xyz' of find.", "It has: limit."),
    ("tools:\n- find:\n    limit: -1", "line 3: --limit takes at least 1, not '-1'.", ""),
    ("tools:\n- toy-small: {x: 1}", "line 2: there is no option 'x' of toy-small.", "none"),
    ("input: a.toy\nruntime: x\ntools: [find]", "--runtime belongs to a tool", "below its tool"),
    ("jobs: 1\ntools: [find]", "No input is given, and bad.yaml names none.", "-i FILE"),
    ("jobs: 1", "No input is given.", ""),
    ("command: [a, [b]]", "line 1: 'command' takes a value or a list of values.", ""),
    ("command: a.toy 'x", "line 1: 'command' cannot be split", ""),
    ("command: a.toy\njobs: 2", "line 2: 'jobs' stands beside 'command'.", "among the words"),
    ("command: cache list", "line 1: 'cache' takes no configuration.", ""),
    ("command: a.toy --config x", "line 1: a configuration names no other one.", ""),
    ("command: a.toy --nonsense", "No such option '--nonsense", ""),
    ("config: x.yaml", "line 1: there is no option 'config'.", ""),
    ("", "bad.yaml: it is no mapping of options.", "Begin with: input: FILE"),
    ("- a", "line 1: it is no mapping of options.", ""),
    ("just text", "line 1: it is no mapping of options.", ""),
    ("jobs: 1\njobs: 2", "line 2: 'jobs' stands there twice.", ""),
    ("jobs: 1\n--- \njobs: 2", "line 3: it holds several documents.", ""),
    ("jobs: !!python/object/apply:os.system [true]", "line 1: the tag", "not allowed"),
    ("jobs: !!int 3", "line 1: the tag", "not allowed"),
    ("a: &x [1]\nb: [*x, *x]", "line 1: anchors and aliases are not allowed.", ""),
    ("b: *x", "line 1: anchors and aliases are not allowed.", ""),
    ("? [a]\n: 1", "line 1: a key is no text.", ""),
    ("a: " + "[" * 2000, "line 1: it is nested deeper than 8 levels.", ""),
    ("{" * 5000, "line 1: ", ""),
    ("jobs: 'x", "no YAML: ", ""),
    ("input: \"a\\0b\"", "line 1: a text has a NUL character in it.", ""),
    (b"jobs: 1\0", "no YAML: ", ""),
    (b"\xff\xfe\x00\xd8\x00\xd8", "no YAML: ", ""),
    (bytes(range(256)), "no YAML: ", ""),
    ("a" * (MAX_BYTES + 1), "has more than 1 MB.", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "hint"), WRONG)
def test_what_is_wrong_is_said_with_its_line(
    text: str | bytes, message: str, hint: str, folder: Path
) -> None:
    done = refused(text, folder)
    assert message in done.err, done.err
    assert hint in done.err, done.err
    assert not (folder / "cache").exists()


def test_what_is_no_file_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for name, message in [
        ("none.yaml", "There is no configuration file 'none.yaml'."),
        ("sub", "The configuration sub is a directory."),
        ("pipe", "The configuration pipe is no file."),
        ("a.toy/x", "cannot be read: Not a directory."),
        ("/dev/null", "The configuration /dev/null is no file."),
    ]:
        done = run_here("--config", name)
        assert (done.code, message in done.err) == (ExitCode.USAGE, True), done


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--config"], "The option --config is given no value."),
        (["--config="], "The option --config is given no value."),
        (["--config", "a", "--config", "b"], "--config is given more than once."),
        (["-i", "a.toy", "find", "--config", "x"], "--config stands before the first tool."),
    ],
)
def test_the_option_itself_can_be_wrong(words: list[str], message: str, folder: Path) -> None:
    done = run_here(*words)
    assert (done.code, message in done.err) == (ExitCode.USAGE, True), done


@pytest.mark.parametrize(
    "words",
    [
        [*CHAIN_WORDS[:3], "-d", *CHAIN_WORDS[4:]],
        ONE_WORD_WORDS[:-3],
        ["benchmark", "a.toy", "--device", "toydev::part1", "-b"],
        ["-i", "a.toy", "find", "compile", "-t", "x", "--fast", "--no-checks"],
    ],
)
def test_a_command_can_be_written_into_a_configuration(
    words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = 1 if words[0] == "benchmark" else 0
    done = run_here(*words[:at], "--write-config", "sub/new.yaml", *words[at:])
    assert done.code == ExitCode.OK, done
    assert done.out.startswith("Plan for ")
    assert done.out.endswith("Saved: sub/new.yaml\n")
    assert not (folder / "cache").exists()
    found: list[RunRequest] = []

    def keep(request: RunRequest, *others: Any) -> Any:
        found.append(request)
        return SimpleNamespace(exit_code=ExitCode.OK)

    monkeypatch.setattr(running, "run", keep)
    assert run_here("--config", "sub/new.yaml").code == ExitCode.OK
    assert run_here(*words).code == ExitCode.OK
    first, second = (normal(request, folder) for request in found)
    text = str(first).replace("/sub/../", "/")
    assert text == str(second)


def test_nothing_is_overwritten_and_nothing_wrong_is_written(folder: Path) -> None:
    (folder / "old.yaml").write_text("mine")
    done = run_here("a.toy", "--write-config", "old.yaml")
    assert (done.code, "old.yaml is there already." in done.err) == (ExitCode.USAGE, True)
    assert (folder / "old.yaml").read_text() == "mine"
    done = run_here("a.toy", "--write-config", "none/new.yaml")
    assert (done.code, "none/new.yaml cannot be written" in done.err) == (ExitCode.USAGE, True)
    assert run_here("a.toy", "--runtime", "none", "--write-config", "n.yaml").code == ExitCode.USAGE
    assert not (folder / "n.yaml").exists()


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
nodes = st.recursive(
    texts | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["input", "tools", "command", "jobs", "labels", "runtime", "explain"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.dictionaries(keys | texts, nodes, max_size=4))
def test_whatever_is_in_it_is_answered(content: dict[str, Any], folder: Path) -> None:
    import yaml

    (folder / "any.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    done = run_here("--config", "any.yaml", "--dry-run")
    assert done.code in (ExitCode.OK, ExitCode.USAGE)
    assert "Traceback" not in done.text
