"""Sequences: steps in line, nested and named."""

from __future__ import annotations

import pytest
from core_env import FakePlugins

from turnkeyml.errors import PlanError, PluginError
from turnkeyml.sequence import Sequence, Step, flatten, is_installed, step_identity
from turnkeyml.tool import Tool


class One(Tool):
    """One."""

    name = "one"
    aliases = ("uno",)

    def run(self, state, options):
        return state


class Two(Tool):
    """Two."""

    name = "two"

    def run(self, state, options):
        return state


def tools_of(items, registry) -> list[str]:
    return [step.tool for step in flatten(items, registry)]


def test_nested_and_named_sequences_are_put_in_line(plugins: FakePlugins) -> None:
    inner = Sequence("one", Step("two", {"x": 1}))
    plugins.add({"tools": [One, Two], "sequences": {"both": inner}})
    steps = flatten(["both", Sequence("uno", Sequence("both"))], plugins.registry())
    assert [step.tool for step in steps] == ["one", "two", "one", "one", "two"]
    assert steps[1].options == {"x": 1}


def test_sequences_that_contain_each_other_are_refused(plugins: FakePlugins) -> None:
    plugins.add({"sequences": {"ping": Sequence("pong"), "pong": Sequence("ping")}})
    with pytest.raises(PlanError, match="contain each other: ping -> pong -> ping"):
        flatten(["ping"], plugins.registry())


def test_a_sequence_that_contains_itself_is_refused(plugins: FakePlugins) -> None:
    loop = Sequence("one", name="loop")
    loop.steps = ("one", loop)
    plugins.add({"tools": [One]})
    with pytest.raises(PlanError, match="contain each other: loop -> loop"):
        flatten([loop], plugins.registry())


def test_a_sequence_is_installed_if_all_its_tools_are(plugins: FakePlugins) -> None:
    plugins.add({"tools": [One], "sequences": {"some": Sequence("one", "two")}})
    registry = plugins.registry()
    assert is_installed("one", registry)
    assert is_installed(Sequence("one", "uno"), registry)
    assert not is_installed("some", registry)
    assert not is_installed("absent", registry)


def test_an_unknown_name_is_answered_with_the_nearest(plugins: FakePlugins) -> None:
    plugins.add({"sequences": {"optimize": Sequence("one")}})
    with pytest.raises(PlanError, match="Did you mean 'optimize'"):
        flatten(["optimise"], plugins.registry())


def test_a_reference_to_something_else_than_a_sequence_names_the_package(
    plugins: FakePlugins,
) -> None:
    module = plugins.add({"sequences": {"odd": "fakeplug_self:thing"}})
    del module
    with pytest.raises(PluginError, match=r"fakeplug 1\.2 .*implements\['sequences'\]\['odd'\]"):
        flatten(["odd"], plugins.registry())


def test_what_is_referred_to_must_be_a_sequence(plugins: FakePlugins) -> None:
    plugins.add({"sequences": {"odd": "math:pi"}})
    with pytest.raises(PlanError, match="fakeplug 1.2|'odd'"):
        flatten(["odd"], plugins.registry())


def test_the_identity_of_a_step_depends_on_all_before_it() -> None:
    first = step_identity("start", "one", {"a": 1, "b": 2})
    assert first == step_identity("start", "one", {"b": 2, "a": 1})
    assert first != step_identity("start", "one", {"a": 1, "b": 3})
    assert first != step_identity("start", "two", {"a": 1, "b": 2})
    assert first != step_identity("other", "one", {"a": 1, "b": 2})


def test_a_sequence_shows_its_steps() -> None:
    assert repr(Sequence("a", Step("b"), name="n")) == (
        "Sequence('a', Step(tool='b', options={}), name='n')"
    )
