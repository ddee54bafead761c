"""Completion in shells: what is offered, how soon, and that nothing hostile gets into a shell."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from core_env import Environment, FakePlugins, run_here
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.cli.answering import Answer, answer, complete, split_line
from turnkeyml.cli.catalogue import load_catalogue, make_catalogue
from turnkeyml.cli.completion_command import SHELLS

HOSTILE = [
    "$(touch owned)",
    "`touch owned`",
    "a;touch owned",
    "-rf",
    "a b",
    "a\nb",
    "a'b",
    "x\x1b[1m",
]


@pytest.fixture
def ask(toys: FakePlugins, tmp_path: Path) -> Callable[..., Answer]:
    """Ask what may stand at the end of some words."""
    catalogue = json.loads(json.dumps(make_catalogue(toys.registry())))
    return lambda *words: complete(words, catalogue)


def make_build(cache: Path, name: str) -> None:
    (cache / name).mkdir(parents=True)
    (cache / name / f"{name}_state.yaml").write_text("")


def names(found: Answer) -> set[str]:
    assert found.kind == "words", found
    return {name for name, _ in found.words}


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("f", {"find"}),
        ("comp", {"compile", "completion"}),
        ("toy", {"toy-small"}),
        ("-i a.toy ", {"find", "load-build", "load-toy"}),
        ("-i a.toy find ", {"act", "benchmark", "compile", "shrink", "toy-small"}),
        ("-i a.toy find compile --l", {"--level"}),
        ("-i a.toy seek --", {"--help", "--limit"}),
        ("-i a.toy find compile --mode ", {"plain", "fancy"}),
        ("-i a.toy find compile --mode=f", {"--mode=fancy"}),
        ("-i a.toy find compile --only x sh", {"shrink"}),
        ("-i a.toy find benchmark --runtime ", {"toyrt", "toy-live"}),
        ("-i a.toy find benchmark --runtime toyrt,toy-", {"toyrt,toy-live"}),
        ("a.toy --device toydev::part1::", {"toydev::part1::c1", "toydev::part1::c2"}),
        ("a.toy --device toydev::part2", {"toydev::part2"}),
        ("a.toy --seq", {"--sequence", "--sequence-file"}),
        ("a.toy --sequence ", {"toy-small"}),
        ("benchmark a.toy --toy", {"--toy-mode"}),
        ("--rebuild ", {"if_needed", "always", "never"}),
        ("--executor is", {"isolated"}),
        ("--conf", {"--config"}),
        ("cache ", {"benchmark", "clean", "delete", "list", "location", "report", "stats"}),
        ("cache clean --o", {"--older-than"}),
        ("cache benchmark --runt", {"--runtime"}),
        ("cache benchmark --runtime toyr", {"toyrt"}),
        ("report --format ", {"csv", "jsonl"}),
        ("report --format csv j", {"jsonl"}),
        ("completion ", {"bash", "zsh", "fish"}),
        ("plugins c", {"check"}),
        ("find --limit ", set()),
        ("cache clean --older-than ", set()),
    ],
)
def test_what_is_installed_is_offered(
    line: str, right: set[str], ask: Callable[..., Answer]
) -> None:
    found = ask(*line.split(" "))
    offered = names(found) if found.kind == "words" else {found.kind}
    assert offered == right


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("-i ", "files"),
        ("-i a.t", "files"),
        ("--input-files=", "files"),
        ("--config ", "files"),
        ("-d ", "folders"),
        ("cache list -d ", "folders"),
        ("sub/", "files"),
        ("a.toy ", "files"),
        ("benchmark a.t", "files"),
        ("--rebuild always x", "files"),
        ("plugins new --into ", "folders"),
        ("nonsense --nonsense=", "words"),
    ],
)
def test_files_are_offered_where_they_belong(
    line: str, kind: str, ask: Callable[..., Answer]
) -> None:
    assert ask(*line.split(" ")).kind == kind


@pytest.mark.parametrize("word", ["stats", "delete", "clean", "benchmark"])
def test_builds_are_offered(word: str, ask: Callable[..., Answer], tmp_path: Path) -> None:
    for name in ("one_1", "one_2", "two_3"):
        make_build(tmp_path / "cache", name)
        make_build(tmp_path / "other", f"other_{name}")
    (tmp_path / "cache/one_no_build").mkdir()
    assert names(ask("cache", word, "one")) == {"one_1", "one_2"}
    assert names(ask("cache", word, "one_1", "")) == {"one_2", "two_3"}
    other = str(tmp_path / "other")
    assert len(names(ask("cache", word, "-d", other, ""))) == 3
    assert len(names(ask("cache", word, f"--cache-dir={other}", ""))) == 3
    assert names(ask("cache", word, "-d", str(tmp_path / "none"), "")) == set()


def test_not_all_of_many_builds_are_offered(ask: Callable[..., Answer], tmp_path: Path) -> None:
    for number in range(600):
        make_build(tmp_path / "cache", f"b{number}")
    assert len(names(ask("cache", "delete", ""))) == 500
    assert names(ask("cache", "delete", "b599")) == {"b599"}


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(line=st.lists(words | st.sampled_from(["-i", "find", "--runtime", "cache", "-d", "--"])))
def test_any_words_have_an_answer(line: list[str]) -> None:
    catalogue = {
        "tools": {"find": ["first", "Find."]}, "aliases": {}, "sequences": {}, "values": {},
        "options": {"chain": {}, "one-word": {}}, "commands": {},
    }  # fmt: skip
    assert complete([*line, ""], catalogue).kind in ("files", "folders", "words")


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("turnkey ", ["turnkey", ""]),
        ("turnkey", ["turnkey"]),
        ("turnkey  a  b", ["turnkey", "a", "b"]),
        ("turnkey 'a b' c\\ d", ["turnkey", "a b", "c d"]),
        ('turnkey "a \\" b', ["turnkey", 'a " b']),
        ("turnkey 'a\\", ["turnkey", "a\\"]),
        ("X=1 Y='2 3' turnkey --a=b ", ["turnkey", "--a=b", ""]),
        ("  turnkey $(x) `y`", ["turnkey", "$(x)", "`y`"]),
    ],
)
def test_a_line_is_split_as_a_shell_would(line: str, right: list[str]) -> None:
    assert split_line(line) == right


@given(words)
def test_quoted_words_are_found_again(word: str) -> None:
    assert split_line(f"turnkey {shlex.quote(word)} x")[1:] == ([word, "x"] if word else ["x"])


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_are_printed(shell: str, toys: FakePlugins) -> None:
    done = run_here("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert "completion answer" in done.out
    assert run_here("completion", "tcsh").code == 2
    assert run_here("completion").code == 2


def test_bash_gets_what_stands_behind_the_last_divider(
    toys: FakePlugins,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    for line, breaks, right in [
        ("turnkey a.toy --device toydev::part1::", " :=", ["c1", "c2"]),
        ("turnkey a.toy --device toydev::part1::", " ", ["toydev::part1::c1", "toydev::part1::c2"]),
        ("turnkey --rebuild=a", " :=", ["always"]),
    ]:
        assert answer(["bash", line, breaks]) == 0
        assert capfd.readouterr().out.split() == ["words", *right]
    assert answer(["fish", "--rebuild", "al"]) == 0
    assert capfd.readouterr().out == "words\nalways\t\n"
    assert answer([]) == 0


def test_hostile_names_are_not_offered(
    toys: FakePlugins,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    for name in [*HOSTILE, "right_1"]:
        make_build(tmp_path / "cache", name)
    for shell in ("zsh", "fish"):
        answer([shell, "cache", "delete", ""])
        assert capfd.readouterr().out == "words\nright_1\t\n"
    answer(["bash", "turnkey cache delete "])
    assert capfd.readouterr().out == "words\nright_1\n"


def test_the_catalogue_is_kept_until_something_changes(
    environment: Environment, tmp_path: Path
) -> None:
    environment.install_toys()
    words = ("completion", "answer", "fish", "")
    first = environment.turnkey(*words)
    assert "find\tFind the models of a toy file." in first.out
    (kept,) = (environment.home / ".cache/turnkey-completion").iterdir()
    made = kept.stat().st_mtime_ns
    assert environment.turnkey(*words) == first
    assert kept.stat().st_mtime_ns == made
    code = "tools = [{'class': 'x:Y', 'name': 'newer', 'summary': 'New.', 'role': 'step'}]\n"
    environment.install("newplug", f"{code}implements = {{'tools': tools}}\n")
    assert "newer\tNew." in environment.turnkey(*words).out
    for damage in (b"", b"{", b"[]", b'{"schema": 1}', b"\xff" * 100, b"[" * 100_000):
        kept.write_bytes(damage)
        assert environment.turnkey(*words).out == environment.turnkey(*words).out != ""
    shutil.rmtree(kept.parent)
    kept.parent.write_text("in the way")
    assert "newer\tNew." in environment.turnkey(*words).out


def test_an_answer_imports_nothing_that_takes_long(environment: Environment) -> None:
    environment.install_toys()
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from turnkeyml.cli.main import main; main()\n"
    )
    words = ("completion", "answer", "bash", "turnkey cache delete ")
    environment.turnkey(*words)
    loaded = environment.turnkey(*words, code=code).err.split()
    assert "turnkeyml.cli.answering" in loaded
    slow = {"click", "pluggy", "pathlib", "importlib.metadata", "inspect", "yaml", "toyplug"}
    before = environment.turnkey(code="import sys; print(*sys.modules)").out.split()
    assert not (slow & set(loaded)) - set(before)


# Real shells from here on.


@pytest.fixture
def home(environment: Environment) -> Path:
    """A home with a program `turnkey`, builds, and files to be named."""
    environment.install_toys()
    home = environment.home
    (home / "bin").mkdir()
    program = home / "bin/turnkey"
    variables = {k: v for k, v in environment.environment().items() if k != "PATH"}
    settings = "".join(f"export {k}={shlex.quote(v)}\n" for k, v in variables.items())
    program.write_text(f'#!/bin/sh\n{settings}exec {shlex.join(environment.command())} "$@"\n')
    program.chmod(0o755)
    for name in [*HOSTILE, "right_1"]:
        make_build(environment.cache, name)
    (home / "my file.toy").write_text("")
    for shell in SHELLS:
        done = subprocess.run([program, "completion", shell], capture_output=True, check=True)
        (home / f"turnkey.{shell}").write_bytes(done.stdout)
    return home


def needs(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


def typed(words: list[str], home: Path, lines: list[str], wanted: str) -> str:
    """Type lines into an interactive shell until it shows something; gives what it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.environ.clear()
        os.environ.update(
            HOME=str(home),
            PATH=f"{home}/bin:/usr/bin:/bin",
            TERM="dumb",
            PS1="> ",
            LC_ALL="C.UTF-8",
        )
        os.execv(words[0], words)
    shown = ""
    try:
        for number, line in enumerate(lines):
            os.write(terminal, line.encode())
            # Each is answered before the next is typed.
            limit = time.monotonic() + (30 if number == len(lines) - 1 else 10)
            mark = wanted if number == len(lines) - 1 else "ready"
            while mark not in shown and time.monotonic() < limit:
                if select.select([terminal], [], [], 0.1)[0]:
                    shown += os.read(terminal, 1 << 16).decode("utf-8", "replace")
    except OSError:
        pass
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)
    return shown


BASH = ["--norc", "--noprofile", "-i"]
ZSH = ["-f", "-i"]
START = {
    "bash": "bind 'set bell-style none'; source turnkey.bash; echo rea''dy\n",
    "zsh": "autoload -Uz compinit; compinit -u -D; source turnkey.zsh; echo rea''dy\n",
}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("turnkey compil\t", "turnkey compile "),
        ("turnkey a.toy --device toydev::part2\t", "toydev::part2 "),
        ("turnkey -i my\t", "my\\ file.toy"),
        ("turnkey cache delete ri\t", "right_1 "),
        ("X=1 turnkey --rebuild=al\t", "--rebuild=always "),
    ],
)
def test_a_real_shell_completes(shell: str, line: str, wanted: str, home: Path) -> None:
    options = BASH if shell == "bash" else ZSH
    shown = typed([needs(shell), *options], home, [START[shell], line], wanted)
    assert wanted in shown.partition("ready")[2], shown


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_no_name_of_a_build_runs_in_a_real_shell(shell: str, home: Path) -> None:
    options = BASH if shell == "bash" else ZSH
    lines = [START[shell], "turnkey cache delete \t"]
    shown = typed([needs(shell), *options], home, lines, "right_1 ")
    assert "right_1 " in shown, shown
    assert not list(home.rglob("owned"))


def test_fish_completes(home: Path) -> None:
    fish = needs("fish")

    def offered(line: str) -> str:
        code = f"source turnkey.fish; complete -C {shlex.quote(line)}"
        variables = {"HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [fish, "--no-config", "-c", code],
            cwd=home,
            env=variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    assert offered("turnkey compil") == "compile\tCompile a toy.\n"
    assert offered("turnkey a.toy --device toydev::part2") == "toydev::part2\n"
    assert offered("turnkey cache delete ") == "right_1\n"
    assert "my file.toy" in offered("turnkey -i my").replace("\\", "")
    assert offered("turnkey --rebuild=al").strip() == "--rebuild=always"
    assert not list(home.rglob("owned"))


def test_the_default_cache_of_catalogues_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, toys: FakePlugins, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert load_catalogue() == load_catalogue()
    assert len(list((tmp_path / "xdg").rglob("*.json"))) == 1
