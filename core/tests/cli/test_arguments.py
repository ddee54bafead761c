"""Words of the command line: where it goes, and options that take many values."""

from __future__ import annotations

from pathlib import Path

import pytest
from core_env import FakePlugins

from turnkeyml.cli.arguments import (
    Route,
    expand_chain,
    expand_single,
    find_route,
    require_step,
)
from turnkeyml.errors import UsageError
from turnkeyml.options import option_specs
from turnkeyml.plugins.registry import Registry
from turnkeyml.request import GlobalOptions


@pytest.fixture
def registry(toys: FakePlugins) -> Registry:
    return toys.registry()


@pytest.mark.parametrize(
    ("words", "route"),
    [
        ([], Route.CHAIN),
        (["-h"], Route.CHAIN),
        (["--version"], Route.CHAIN),
        (["-i", "a.toy", "find"], Route.CHAIN),
        (["--input-files=a.toy", "find"], Route.CHAIN),
        (["-d", "c", "-i", "a.toy", "find"], Route.CHAIN),
        (["find", "-h"], Route.CHAIN),
        (["toy-small"], Route.CHAIN),
        (["benchmark", "-h"], Route.CHAIN),
        (["benchmark", "--iterations", "3", "-i", "a.toy"], Route.CHAIN),
        (["nonsense"], Route.CHAIN),
        (["a.toy"], Route.SHORTHAND),
        (["sub/a", "b"], Route.SHORTHAND),
        (["*.toy"], Route.SHORTHAND),
        (["a.toy::abcd"], Route.SHORTHAND),
        (["--iterations", "3", "a.toy"], Route.SHORTHAND),
        (["a.toy", "find"], Route.SHORTHAND),
        (["here"], Route.SHORTHAND),
        (["benchmark", "a.toy"], Route.GUIDE),
        (["benchmark", "--iterations", "3", "here"], Route.GUIDE),
        (["version"], Route.MANAGEMENT),
        (["plugins", "-i", "x"], Route.MANAGEMENT),
    ],
)
def test_the_form_of_a_command_line_is_seen(
    words: list[str], route: Route, registry: Registry
) -> None:
    Path("here").touch()
    assert find_route(words, registry) is route


@pytest.mark.parametrize(
    ("words", "expanded"),
    [
        ("-i a b find", "-i a -i b find"),
        ("-i a -i b find", "-i a -i b find"),
        ("--input-files=a b find", "--input-files a --input-files b find"),
        ("-i a b -d c --labels x::1 y::2 find", "-i a -i b -d c --labels x::1 --labels y::2 find"),
        ("-i a --dry-run find", "-i a --dry-run find"),
        ("-i a find compile --only x y shrink", "-i a find compile --only x --only y shrink"),
        ("-i a find compile --tag shrink --only x", "-i a find compile --tag shrink --only x"),
        ("-i a find compile -t -x --only x", "-i a find compile -t -x --only x"),
        ("-i a find compile --level=3 --only x", "-i a find compile --level=3 --only x"),
        ("-i a seek toy-small", "-i a seek toy-small"),
        ("-i a discover", "-i a discover"),
        ("-i a find -- compile --only x y", "-i a find -- compile --only x y"),
        ("find -i a b", "find -i a b"),
        ("-i a find compile --nothing x y", "-i a find compile --nothing x y"),
        ("", ""),
    ],
)
def test_values_go_on_up_to_the_next_option_or_tool(
    words: str, expanded: str, registry: Registry
) -> None:
    assert expand_chain(words.split(), registry) == expanded.split()


def test_without_tools_values_go_on_up_to_the_next_option() -> None:
    specs = option_specs(GlobalOptions)
    words = ["a", "--labels", "x::1", "find", "--cache-dir", "--labels", "b"]
    assert expand_single(words, specs) == [
        *("a", "--labels", "x::1", "--labels", "find", "--cache-dir", "--labels", "b"),
    ]


@pytest.mark.parametrize(
    ("words", "inputs"),
    [
        ("--labels x::1 y::2 a.toy b", ["a.toy", "b"]),
        ("--labels x::1 sub/a.toy", ["sub/a.toy"]),
        ("--labels x::1 *.toy --dry-run", ["*.toy"]),
        ("--labels x::[1, 2/3, 4.5] a.toy", ["a.toy"]),
        ("--labels x::1 ort.io_binding verbose", []),
        ("--labels flag a/b.toy", []),
        ("--labels a.toy", []),
        ("--labels x::1 y::a.toy", []),
        ("--labels x::1 a.toy::12ab b", ["a.toy::12ab", "b"]),
        ("--labels x::1 *.toy::12ab", ["*.toy::12ab"]),
        ("--labels x::1 verbose", []),
    ],
)
def test_what_cannot_be_a_pair_is_an_input(
    words: str, inputs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.toy").touch()
    Path("verbose").mkdir()
    found = expand_single(words.split(), option_specs(GlobalOptions))
    flags = {n for n, word in enumerate(found) if word.startswith("-")}
    taken = {n + 1 for n in flags if found[n] == "--labels"}
    assert [word for n, word in enumerate(found) if n not in flags | taken] == inputs


@pytest.mark.parametrize("words", ["-i find", "-i -d x find", "-i a find compile --only"])
def test_an_option_without_a_value_is_refused(words: str, registry: Registry) -> None:
    with pytest.raises(UsageError, match="is given no value"):
        expand_chain(words.split(), registry)


def test_a_chain_needs_a_tool(registry: Registry) -> None:
    require_step(["-i", "a", "find"], registry)
    require_step(["-i", "a", "discover"], registry)
    require_step(["-i", "a", "-h"], registry)
    with pytest.raises(UsageError, match="Did you mean 'compile'"):
        require_step(["-i", "a", "compil"], registry)
    with pytest.raises(UsageError, match="No tool is given"):
        require_step(["-i", "compil.toy"], registry)
