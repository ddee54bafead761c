"""Plans: chains checked whole before anything runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from core_env import FakePlugins, run_here

from turnkeyml.errors import ExitCode, PlanError, UsageError
from turnkeyml.options import option
from turnkeyml.plan import Plan, first_tool_for, make_default_plan, make_plan
from turnkeyml.request import DefaultChainOptions
from turnkeyml.sequence import Sequence, Step
from turnkeyml.tool import Contract, FirstTool, Tool


class Find(FirstTool):
    """Find models."""

    name = "find"
    suffixes = (".toy",)
    produces = "model"

    def start(self, source, options, context):
        yield from ()


class Load(FirstTool):
    """Load a file."""

    name = "load"
    suffixes = (".bin", ".dat")
    produces = "file"

    def start(self, source, options, context):
        yield from ()


@dataclass(frozen=True)
class MakeOptions:
    level: int = option(1, help="Effort.", shorthand="--level")
    mood: str = option("calm", help="Mood.")


class Make(Tool):
    """Make a file of a model."""

    name = "make"
    aliases = ("mk",)
    consumes = ("model",)
    produces = "file"
    Options = MakeOptions

    def run(self, state, options):
        return state


class Polish(Tool):
    """Polish a file."""

    name = "polish"
    consumes = ("file",)
    produces = "file"

    def run(self, state, options):
        return state


class Cut(Tool):
    """Cut an oddity out of a file."""

    name = "cut"
    consumes = ("file",)
    produces = "oddity"

    def run(self, state, options):
        return state


class Look(Tool):
    """Look at a file or a model."""

    name = "look"
    consumes = ("model", "file")

    def run(self, state, options):
        return state


@dataclass(frozen=True)
class RunOptions:
    runtime: str | None = option(None, help="Runtime.", shorthand="--runtime")
    level: int = option(3, help="Effort.", shorthand="--level")


class Run(Tool):
    """Run a file, or the model itself."""

    name = "benchmark"
    Options = RunOptions
    alternatives: tuple[Any, ...] = ("not-there", Sequence("not-there", "make"), "make", "polish")

    @classmethod
    def resolve(cls, options, registry):
        return replace(options, runtime=options.runtime or "filert")

    @classmethod
    def contract(cls, options, registry):
        kind = {"filert": "file", "livert": "model", "oddrt": "oddity"}[options.runtime]
        return Contract(
            (kind,), default_sequence=cls.alternatives, environment={"A": options.runtime}
        )

    def run(self, state, options):
        return state


@pytest.fixture
def chain(plugins: FakePlugins):
    plugins.add({"tools": [Find, Load, Make, Polish, Cut, Look, Run]})
    registry = plugins.registry()

    def plan(*steps: Any, suffix: str = ".toy", **shorthand: Any) -> Plan:
        values = {f"--{name}": value for name, value in shorthand.items()}
        return make_plan(steps, suffix, registry, values)

    plan.registry = registry
    return plan


def names(plan: Plan) -> list[str]:
    return [step.name for step in plan.steps]


def test_steps_get_the_newest_kind_that_they_take(chain) -> None:
    plan = chain("find", "look", "make", "look", "polish")
    assert [step.consumes for step in plan.steps] == [None, "model", "model", "file", "file"]
    assert [step.number for step in plan.steps] == [1, 2, 3, 4, 5]


def test_a_step_can_go_back_to_an_older_kind(chain) -> None:
    plan = chain("find", "make", Step("benchmark"), Step("benchmark", {"runtime": "livert"}))
    assert [step.consumes for step in plan.steps[2:]] == ["file", "model"]


def test_the_same_tool_twice_has_two_occurrences_and_identities(chain) -> None:
    plan = chain("find", "make", "look", "make", "look")
    assert [step.occurrence for step in plan.steps] == [1, 1, 1, 2, 2]
    assert len({step.identity for step in plan.steps}) == 5


def test_aliases_stand_for_their_tool(chain) -> None:
    assert names(chain("find", "mk")) == ["find", "make"]


def test_identities_are_the_same_in_every_run(chain) -> None:
    steps = ("find", Step("make", {"level": "2"}), "polish")
    first, second = chain(*steps), chain(*steps)
    assert [s.identity for s in first.steps] == [s.identity for s in second.steps]
    assert all(len(s.identity) == 8 for s in first.steps)


def test_a_default_that_is_typed_in_does_not_change_the_identity(chain) -> None:
    typed = chain("find", Step("make", {"level": 1}))
    assert typed.steps[-1].identity == chain("find", "make").steps[-1].identity


def test_other_options_change_the_identity_of_their_step_and_all_after_it(chain) -> None:
    one = chain("find", Step("make", {"level": 1}), "polish")
    two = chain("find", Step("make", {"level": 2}), "polish")
    assert one.steps[0].identity == two.steps[0].identity
    assert one.steps[1].identity != two.steps[1].identity
    assert one.steps[2].identity != two.steps[2].identity


def test_a_resolved_default_is_part_of_the_plan(chain) -> None:
    assert chain("find", "make", "benchmark").steps[-1].options.runtime == "filert"


def test_a_wrong_order_is_an_error_that_names_step_kinds_and_order(chain) -> None:
    with pytest.raises(PlanError) as caught:
        chain("find", "polish", "make")
    assert caught.value.message == (
        "Step 2, polish, takes file, but the steps before it give model."
    )
    assert caught.value.hint == "Put make before polish."


def test_a_gap_that_an_installed_tool_closes_is_an_error_with_that_tool(chain) -> None:
    with pytest.raises(PlanError) as caught:
        chain("find", "polish")
    assert caught.value.hint == "Put make before it."


def test_a_gap_that_no_tool_closes_says_so(chain) -> None:
    with pytest.raises(PlanError) as caught:
        chain("find", Step("benchmark", {"runtime": "oddrt"}))
    assert "takes oddity" in caught.value.message


def test_a_gap_that_a_known_package_closes_names_it(plugins: FakePlugins) -> None:
    class Eat(Tool):
        """Eat ONNX."""

        name = "eat"
        consumes = ("onnx-model",)

        def run(self, state, options):
            return state

    plugins.add({"tools": [Find, Eat]})
    with pytest.raises(PlanError, match="pip install turnkeyml-plugin-export-pytorch"):
        make_plan(["find", "eat"], ".toy", plugins.registry())


def test_a_gap_is_filled_with_the_first_alternative_that_is_wholly_installed(chain) -> None:
    plan = chain("find", "benchmark")
    assert names(plan) == ["find", "make", "benchmark"]
    assert plan.steps[1].inserted == "default of benchmark: make"
    assert plan.steps[0].inserted is None
    assert plan.steps[2].inserted is None


def test_the_first_alternative_wins_even_if_a_later_one_is_installed_too(
    chain, monkeypatch
) -> None:
    monkeypatch.setattr(Run, "alternatives", (Sequence("make", "polish", name="both"), "make"))
    plan = chain("find", "benchmark")
    assert names(plan) == ["find", "make", "polish", "benchmark"]
    assert plan.steps[1].inserted == "default of benchmark: both"


def test_an_alternative_that_starts_from_what_is_there_wins(chain, monkeypatch) -> None:
    monkeypatch.setattr(Run, "alternatives", (Sequence("make", "cut", name="long"), "cut"))
    plan = chain("load", "benchmark", suffix=".bin", runtime="oddrt")
    assert names(plan) == ["load", "cut", "benchmark"]
    assert plan.steps[1].inserted == "default of benchmark: cut"
    longer = chain("find", "benchmark", runtime="oddrt")
    assert names(longer) == ["find", "make", "cut", "benchmark"]


def test_nothing_is_put_in_where_the_kinds_meet(chain) -> None:
    assert names(chain("find", "make", "benchmark")) == ["find", "make", "benchmark"]
    assert names(chain("load", "benchmark", suffix=".bin")) == ["load", "benchmark"]


def test_no_gap_is_filled_if_the_user_gave_the_maker_later(chain) -> None:
    with pytest.raises(PlanError, match=r"Step 2, benchmark.*Put make before benchmark"):
        chain("find", "benchmark", "make")


def test_a_gap_without_an_installed_alternative_is_an_error(chain, monkeypatch) -> None:
    monkeypatch.setattr(Run, "alternatives", ("not-there", "not-there-either"))
    with pytest.raises(PlanError, match="Step 2, benchmark, takes file") as caught:
        chain("find", "benchmark")
    assert caught.value.hint == (
        "What benchmark puts before itself is not installed: not-there or not-there-either. "
        "Name another sequence."
    )


def test_shorthand_values_reach_every_step_that_offers_them_also_those_put_in(chain) -> None:
    plan = chain("find", "benchmark", level="7")
    assert [step.options.level for step in plan.steps[1:]] == [7, 7]


def test_an_option_of_the_step_goes_before_a_shorthand_value(chain) -> None:
    plan = chain("find", Step("make", {"level": 2}), "benchmark", level="7")
    assert [step.options.level for step in plan.steps[1:]] == [2, 7]


def test_the_environment_of_all_steps_is_the_plans(chain) -> None:
    assert chain("find", "make", "benchmark").environment == {"A": "filert"}


def test_a_chain_must_start_with_a_tool_that_can_start_one(chain) -> None:
    with pytest.raises(PlanError) as caught:
        chain("make")
    assert "Step 1, make, takes model and cannot start from a .toy file" in str(caught.value)
    assert caught.value.hint == "Put find before it."


def test_a_file_that_nothing_starts_from_is_said_for_every_first_step(chain) -> None:
    with pytest.raises(PlanError, match=r"cannot start from a \.xyz file\. Files with the suffix"):
        chain("make", suffix=".xyz")


def test_a_tool_that_starts_a_chain_cannot_follow(chain) -> None:
    with pytest.raises(PlanError, match=r"Step 3, find, starts a chain, so it cannot follow make"):
        chain("find", "make", "find")


def test_a_first_tool_for_other_files_names_the_right_one(chain) -> None:
    with pytest.raises(PlanError) as caught:
        chain("load", suffix=".toy")
    assert "load, takes .bin, .dat files, not .toy" in caught.value.message
    assert caught.value.hint == "Start the chain with find."


def test_a_suffix_that_nothing_takes_is_said_with_those_that_are_taken(chain) -> None:
    with pytest.raises(PlanError) as caught:
        first_tool_for(".xyz", chain.registry)
    assert "'.xyz'" in caught.value.message
    assert ".toy" in str(caught.value.hint)
    assert ".dat" in str(caught.value.hint)


def test_a_suffix_that_a_known_package_takes_names_it(chain) -> None:
    with pytest.raises(PlanError, match="pip install turnkeyml-plugin-discover"):
        first_tool_for(".py", chain.registry)


def test_a_suffix_whose_known_package_is_broken_says_why(plugins: FakePlugins) -> None:
    plugins.add_entry_point("no_such_module", distribution="turnkeyml-plugin-discover")
    with pytest.raises(PlanError, match="broken: turnkeyml-plugin-discover .*no_such_module"):
        first_tool_for(".py", plugins.registry())


def test_a_suffix_whose_tool_cannot_be_loaded_says_why(plugins: FakePlugins) -> None:
    lost = {"class": "no_such_module:Lost", "name": "lost", "role": "first"}
    plugins.add({"tools": [lost]})
    with pytest.raises(UsageError, match=r"fakeplug 1\.2 .*no_such_module"):
        first_tool_for(".py", plugins.registry())


def test_a_file_without_suffix_is_said_as_such(chain) -> None:
    with pytest.raises(PlanError, match="Files without a suffix"):
        first_tool_for("", chain.registry)


def test_an_empty_chain_is_refused(chain) -> None:
    with pytest.raises(PlanError, match="no step"):
        chain()


def test_a_tool_that_stands_alone_cannot_be_in_a_chain(chain) -> None:
    with pytest.raises(PlanError, match="'version' stands alone"):
        chain("find", "version")


def test_an_unknown_tool_is_answered_with_the_nearest(chain) -> None:
    with pytest.raises(UsageError, match=r"no tool 'polsih'. Did you mean 'polish'\?"):
        chain("find", "polsih")


def test_an_unknown_option_in_a_step_names_the_tool_and_its_options(chain) -> None:
    with pytest.raises(UsageError, match="make: there is no option 'lvl'. It has: level, mood"):
        chain("find", Step("make", {"lvl": 3}))


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ({}, ["find", "compile", "shrink", "benchmark"]),
        ({"sequence": "compile"}, ["find", "compile", "benchmark"]),
        ({"analyze_only": True}, ["find"]),
        ({"build_only": True}, ["find", "compile", "shrink"]),
        ({"build_only": True, "sequence": "compile"}, ["find", "compile"]),
        ({"analyze_only": True, "build_only": True, "sequence": "compile"}, ["find"]),
    ],
)
def test_the_default_chain_is_first_tool_build_benchmark(
    toys: FakePlugins, chosen: dict[str, Any], names: list[str]
) -> None:
    plan = make_default_plan(".toy", toys.registry(), DefaultChainOptions(**chosen))
    assert [step.name for step in plan.steps] == names


def test_an_unknown_sequence_is_answered_with_the_nearest(toys: FakePlugins) -> None:
    with pytest.raises(UsageError, match=r"no sequence 'toy-smal'. Did you mean 'toy-small'\?"):
        make_default_plan(".toy", toys.registry(), DefaultChainOptions(sequence="toy-smal"))


def test_without_a_benchmark_tool_the_default_chain_names_its_package(plugins: FakePlugins) -> None:
    plugins.add({"tools": [Find]})
    with pytest.raises(UsageError, match="pip install turnkeyml-plugin-benchmark"):
        make_default_plan(".toy", plugins.registry(), DefaultChainOptions())


def test_a_tool_that_cannot_be_loaded_does_not_spoil_the_plans_of_others(
    plugins: FakePlugins,
) -> None:
    lost = {"class": "no_such_module:Lost", "name": "lost", "role": "first"}
    late = {"class": "no_such_module:Late", "name": "late"}
    plugins.add({"tools": [lost, late]}, distribution="a-broken-one")
    plugins.add({"tools": [Find, Make, Polish]})
    registry = plugins.registry()
    assert first_tool_for(".toy", registry).name == "find"
    with pytest.raises(PlanError, match="Put make before it"):
        make_plan(["find", "polish"], ".toy", registry)


def test_words_of_a_step_make_it_again(chain) -> None:
    step = chain("find", Step("make", {"level": 2, "mood": "so so"})).steps[-1]
    assert step.words() == ["make", "--level", "2", "--mood", "so so"]


def test_dry_run_shows_the_plan_and_runs_nothing(toys: FakePlugins, tmp_path: Path) -> None:
    Path("a.toy").write_text("raise never\n")
    Path("b.toyfile").write_text("compiled")
    done = run_here("a.toy", "b.toyfile", "--dry-run", "--toy-mode", "fancy")
    assert done.code == ExitCode.OK, done
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == "Plan for 1 .toy file:".split()
    assert lines[1] == "1 find .toy -> toy-model".split()
    assert lines[2][:6] == "2 compile toy-model -> toy-file --mode".split()
    assert "default of benchmark: toy-small" in done.out
    assert "5 benchmark" not in done.out
    assert "Plan for 1 .toyfile file:" in done.out
    assert not (tmp_path / "cache").exists()


def test_dry_run_refuses_what_a_run_would_refuse(toys: FakePlugins) -> None:
    Path("a.toy").write_text("one 1\n")
    done = run_here("--dry-run", "-i", "a.toy", "find", "shrink", "compile")
    assert done.code == ExitCode.USAGE
    assert "Put compile before shrink." in done.err
