"""Global options that plugins add: where they stand, whom they reach, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from core_env import Ended, FakePlugins, run_here

from turnkeyml.errors import ExitCode, UsageError
from turnkeyml.options import option
from turnkeyml.plugins import hookimpl

FIND = ("-i", "a.toy", "find")


@pytest.fixture
def heard(weavers: FakePlugins, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "a.toy").write_text("one 1\n")
    found: dict[str, Any] = {}

    @hookimpl
    def turnkey_step_finished(state):
        if state is not None:
            found.update(state.context.settings)

    weavers.add(turnkey_step_finished=turnkey_step_finished)
    return found


def test_a_setting_is_shown_among_the_global_options(heard: dict[str, Any]) -> None:
    for words in (("-h",), ("a.toy", "-h")):
        out = " ".join(run_here(*words).out.split())
        assert "--loom TEXT What everything is woven on. [default: jacquard]" in out
        assert "--threads TEXT Threads to weave with. Takes several values." in out


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ((*FIND, "compile"), {"loom": "jacquard", "threads": ()}),
        (("--loom", "hand", *FIND, "compile"), {"loom": "hand", "threads": ()}),
        (
            ("--threads", "a", "b", "--loom", "hand", *FIND, "compile"),
            {"loom": "hand", "threads": ("a", "b")},
        ),
        (("a.toy", "--threads", "a", "b"), {"loom": "jacquard", "threads": ("a", "b")}),
        (("benchmark", "a.toy", "--loom", "hand"), {"loom": "hand", "threads": ()}),
    ],
)
def test_values_reach_tools_and_listeners(
    words: tuple[str, ...], values: dict[str, Any], heard: dict[str, Any]
) -> None:
    done = run_here(*words)
    assert done.code == ExitCode.OK, done.text
    assert heard == values


def test_a_setting_stands_before_the_first_tool(heard: dict[str, Any]) -> None:
    done = run_here(*FIND, "compile", "--loom", "hand")
    assert done.code == ExitCode.USAGE
    assert "--loom stands before the first tool." in done.err


def test_a_setting_is_no_part_of_any_key(heard: dict[str, Any]) -> None:
    run_here(*FIND, "weave")
    done = run_here("--loom", "hand", *FIND, "weave")
    assert "weave (as before)" in done.err
    assert heard["loom"] == "hand"


def test_the_registry_gives_defaults_and_refuses_names_that_nobody_has(
    heard: dict[str, Any], weavers: FakePlugins
) -> None:
    registry = weavers.registry()
    assert registry.settings_values({}) == {"loom": "jacquard", "threads": ()}
    assert registry.settings_values({"loom": "hand"})["loom"] == "hand"
    with pytest.raises(UsageError, match="No installed plugin has the global option 'tempo'"):
        registry.settings_values({"tempo": 1})
    with pytest.raises(UsageError, match="--loom takes a value of type str"):
        registry.settings_values({"loom": True})


@dataclass(frozen=True)
class TakesACoreName:
    rebuild: str = option("x", help="Mine.")


@dataclass(frozen=True)
class TakesACoreFlag:
    ink: str = option("x", help="Mine.", flags=("-i",))


@dataclass(frozen=True)
class TakesTheHelpFlag:
    hurry: bool = option(False, help="Mine.", flags=("-h",))


@dataclass(frozen=True)
class TakesAnothersName:
    loom: str = option("x", help="Mine.")


@dataclass(frozen=True)
class TakesItsOwnFlagTwice:
    one: str = option("x", help="Mine.", flags=("-x",))
    two: str = option("x", help="Mine.", flags=("-x",))


@dataclass(frozen=True)
class NotOptions:
    one: str = "x"


@dataclass(frozen=True)
class NoDefault:
    one: str


class NoDataclass:
    pass


def commands() -> list[Ended]:
    return [
        run_here(*words)
        for words in (("-h",), (*FIND, "weave"), ("a.toy",), ("a.toy", "-h"), ("version",))
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (TakesACoreName, "expected names that turnkeyml-core does not use, got 'rebuild'"),
        (TakesACoreFlag, "expected names that turnkeyml-core does not use, got '-i'"),
        (TakesTheHelpFlag, "expected names that turnkeyml-core does not use, got '-h'"),
        (TakesAnothersName, "expected names that weaveplug 1.0 does not use, got 'loom'"),
        (TakesItsOwnFlagTwice, "expected names that zebra 1.2 does not use, got '-x'"),
        (NotOptions, "expected a dataclass whose fields are made by option()"),
        (NoDefault, "expected a dataclass whose fields are made by option()"),
        (NoDataclass, "expected a dataclass whose fields are made by option()"),
        ("no_such_module:X", "expected 'no_such_module:X' to be importable"),
        ("toyplug:implements", "expected a subclass of object"),
        (3, "expected a class or text of the form 'package.module:Name'"),
    ],
)
def test_a_plugin_with_settings_that_cannot_be_is_set_aside_and_the_rest_works(
    settings: object, said: str, heard: dict[str, Any], weavers: FakePlugins
) -> None:
    weavers.add({"settings": settings}, distribution="zebra")
    assert [done.code for done in commands()] == [ExitCode.OK] * 5
    listed = run_here("plugins")
    assert listed.code == ExitCode.FAILED
    assert "Broken: zebra 1.2" in listed.err
    assert said in listed.err
    assert "pip uninstall zebra" in listed.err
    assert heard["loom"] == "jacquard"


def test_the_names_of_a_plugin_that_was_set_aside_are_free(
    heard: dict[str, Any], weavers: FakePlugins
) -> None:
    @dataclass(frozen=True)
    class HalfWrong:
        tempo: int = option(1, help="Mine.")
        rebuild: str = option("x", help="Mine.")

    @dataclass(frozen=True)
    class Right:
        tempo: int = option(2, help="Mine.")

    weavers.add({"settings": HalfWrong}, distribution="yak")
    weavers.add({"settings": Right}, distribution="zebra")
    run_here("--tempo", "5", *FIND, "compile")
    assert heard["tempo"] == 5
