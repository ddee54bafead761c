"""Which executor runs a command, with which limits, and what a sweep makes of its inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from builds import builds_in, steps_of
from core_env import FakePlugins, run_here
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.cache.stats import Stats
from turnkeyml.context import RunContext
from turnkeyml.errors import ExitCode, PlanError, UsageError
from turnkeyml.execution.choosing import (
    choose_execution,
    parse_size,
    parse_sweep,
    with_parameters,
)
from turnkeyml.executor import Executor, ExecutorSetup, JobQueue, Limits, Stopping
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import Registry
from turnkeyml.request import ExecutionOptions
from turnkeyml.state import ModelInfo, State
from turnkeyml.tool import FirstTool

TUNE = ("-i", "a.tune", "tune", "act", "--do", "say", "--word", "hello")


class Far(Executor):
    """An executor that has arguments, and runs nothing."""

    made: ClassVar[list[Far]] = []

    def __init__(
        self,
        partition: str,
        nodes: int = 1,
        speed: Literal["slow", "fast"] = "slow",
        extra: list[str] | None = None,
    ) -> None:
        self.partition, self.nodes, self.speed, self.extra = partition, nodes, speed, extra
        self.made.append(self)

    def run(
        self, queue: JobQueue, setup: ExecutorSetup, stopping: Stopping
    ) -> Generator[None, None, None]:
        yield from ()


class Tune(FirstTool):
    """Find a model whose weight is a parameter of its script."""

    name = "tune"
    suffixes = (".tune",)
    produces = "toy-model"
    takes_parameters = True

    def start(self, source: Source, options: Any, context: RunContext) -> Iterator[State]:
        weight = source.parameters.get("weight", "none")
        print(f"The weight is {weight}.")
        digest = hashlib.sha256(weight.encode()).hexdigest()
        state = context.new_state(source, ModelInfo("tuned", digest, "Toy"))
        state.add("toy-model", live=weight, live_key={"weight": digest})
        yield state


@pytest.fixture
def registry(toys: FakePlugins, tmp_path: Path) -> Registry:
    (tmp_path / "a.tune").write_text("")
    (tmp_path / "b.tune").write_text("")
    (tmp_path / "a.toy").write_text("one 1\n")
    tools = [{"class": Tune, "name": "tune", "summary": "Tune.", "role": "first"}]
    executors = {"far": {"class": Far, "summary": "Far away."}}
    toys.add({"tools": tools, "executors": executors}, distribution="tuners")
    return toys.registry()


# Executors


@pytest.mark.parametrize(
    ("options", "name", "jobs"),
    [
        ({}, "in-process", None),
        ({"jobs": 1}, "in-process", 1),
        ({"jobs": 2}, "isolated", 2),
        ({"process_isolation": True}, "isolated", None),
        ({"process_isolation": True, "jobs": 4}, "isolated", 4),
        ({"executor": "isolated", "process_isolation": True}, "isolated", None),
        ({"executor": "in-process", "jobs": 1}, "in-process", 1),
        ({"executor": "far", "executor_args": ("partition::gpu",), "jobs": 3}, "far", 3),
    ],
)
def test_the_executor_is_what_the_options_say(
    options: dict[str, Any], name: str, jobs: int | None, registry: Registry
) -> None:
    execution = choose_execution(ExecutionOptions(**options), registry)
    assert (execution.name, execution.jobs) == (name, jobs)


def test_the_arguments_of_an_executor_are_converted(registry: Registry) -> None:
    words = ("partition::gpu", "nodes::3", "speed::fast", "extra::[--a=1,--b]")
    options = ExecutionOptions(executor="far", executor_args=words)
    far = choose_execution(options, registry).executor
    assert isinstance(far, Far)
    assert (far.partition, far.nodes, far.speed) == ("gpu", 3, "fast")
    assert far.extra == ["--a=1", "--b"]


WRONG = [
    (["--executor", "isolate"], "There is no executor 'isolate'.", "Did you mean 'isolated'?"),
    (["--executor", "far"], "The executor 'far' needs the argument 'partition'", "partition::"),
    (
        ["--executor", "far", "--executor-args", "partition::a", "nodes::many"],
        "The executor 'far' takes 'nodes' as int, not 'many'.",
        "",
    ),
    (
        ["--executor", "far", "--executor-args", "partition::a", "speed::9"],
        "takes 'speed' as one of slow, fast, not '9'.",
        "",
    ),
    (
        ["--executor", "far", "--executor-args", "partition::a", "colour::red"],
        "The executor 'far' has no argument 'colour'.",
        "It takes: partition, nodes, speed, extra.",
    ),
    (["--executor-args", "=="], "--executor-args: '==' is no argument.", "Write key::value"),
    (["--executor-args", "a::1", "a::2"], "--executor-args: 'a' is given twice.", ""),
    (
        ["--timeout", "5"],
        "--timeout needs a process that can be ended",
        "Add --process-isolation or --use-slurm.",
    ),
    (["--memory-limit", "8GB"], "--memory-limit needs a process", "Add --process-isolation"),
    (["--process-isolation", "--timeout", "0"], "0.0 is not in the range x>=0.1", ""),
    (["--process-isolation", "--timeout", "nan"], "takes at least 0.1, not nan.", ""),
    (["--process-isolation", "--timeout", "inf"], "--timeout inf is no time", ""),
    (["--process-isolation", "--timeout", "soon"], "'soon' is not a valid", ""),
    (["--process-isolation", "--memory-limit", "much"], "'much' is no size.", "512MB"),
    (["--process-isolation", "--memory-limit", "0"], "'0' is no size.", ""),
    (["--jobs", "0"], "0 is not in the range x>=1", ""),
    (
        ["--executor", "in-process", "--jobs", "2"],
        "--jobs 2 needs processes of their own, and 'in-process' has one.",
        "Leave out --executor",
    ),
    (
        ["--executor", "in-process", "--process-isolation"],
        "--executor and --process-isolation exclude each other.",
        "Give one of them.",
    ),
    (
        ["--use-slurm", "--process-isolation"],
        "--process-isolation and --use-slurm exclude each other.",
        "",
    ),
    (["--sweep", "weight"], "--sweep: 'weight' says nothing.", "batch_size=1,8,32"),
    (["--sweep", "weight="], "--sweep: 'weight=' says nothing.", ""),
    (["--sweep", "weight=1,,2"], "--sweep: 'weight=1,,2' says nothing.", ""),
    (["--sweep", "=1"], "--sweep: '=1' says nothing.", ""),
    (["--sweep", "a b=1"], "--sweep: 'a b=1' says nothing.", ""),
    (["--sweep", "w=1", "w=2"], "--sweep: 'w' is given twice.", ""),
    (["--sweep", "w=1"], "a.toy has no parameters that --sweep could set.", ".tune"),
]


@pytest.mark.parametrize(("words", "message", "hint"), WRONG)
@pytest.mark.parametrize("is_shorthand", [False, True])
def test_what_is_wrong_is_said_before_anything_runs(
    words: list[str], message: str, hint: str, is_shorthand: bool, registry: Registry
) -> None:
    command = ["a.toy", *words] if is_shorthand else [*words, "-i", "a.toy", "find"]
    done = run_here(*command)
    assert done.code == ExitCode.USAGE, done
    assert message in done.err
    assert hint in done.err
    assert "Traceback" not in done.text
    assert not Path("cache").exists()


def test_an_executor_that_is_not_installed_names_its_package(registry: Registry) -> None:
    done = run_here("--use-slurm", "-i", "a.toy", "find")
    assert done.code == ExitCode.USAGE
    assert "There is no executor 'slurm'." in done.err or "turnkeyml-plugin-slurm" in done.err


# Limits


def limits(**options: Any) -> ExecutionOptions:
    return ExecutionOptions(process_isolation=True, **options)


def test_limits_are_those_of_the_options(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choose_execution(limits(), registry).limits == Limits(3600.0, None)
    given = limits(timeout=0.5, memory_limit="2GiB")
    assert choose_execution(given, registry).limits == Limits(0.5, 2**31)
    monkeypatch.setenv("TURNKEY_TIMEOUT_SECONDS", " 1800 ")
    assert choose_execution(limits(), registry).limits == Limits(1800.0, None)
    assert choose_execution(given, registry).limits == Limits(0.5, 2**31)
    assert choose_execution(ExecutionOptions(), registry).limits == Limits()


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf", "1e999", "1 h"])
def test_a_timeout_of_the_environment_that_is_none_is_said(
    value: str, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURNKEY_TIMEOUT_SECONDS", value)
    with pytest.raises(UsageError, match="TURNKEY_TIMEOUT_SECONDS is"):
        choose_execution(limits(), registry)
    # Whoever has no use for it is not bothered.
    choose_execution(ExecutionOptions(), registry)
    choose_execution(limits(timeout=3), registry)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("512", 512),
        ("512B", 512),
        ("1k", 1000),
        ("1KB", 1000),
        ("1KiB", 1024),
        ("1.5M", 1_500_000),
        ("8GB", 8 * 10**9),
        ("8 GB", 8 * 10**9),
        ("2GiB", 2**31),
        ("2gi", 2**31),
        (" 1TiB ", 2**40),
        ("0.5K", 500),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "GB", "-1", "1e9", "8 G B", "0", "0.0GB", "0.4", "1PB", "9" * 400, "1GB\n2", "∞"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        parse_size(text)


@given(st.text(max_size=12))
def test_any_text_is_a_size_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert parse_size(text) >= 1


# Sweeps


def test_sweeps_are_read() -> None:
    assert parse_sweep(["batch_size=1,8, 32", "name=a=b", "x=1,1"]) == {
        "batch_size": ("1", "8", "32"),
        "name": ("a=b",),
        "x": ("1",),
    }
    assert parse_sweep([]) == {}


@given(st.text(max_size=20))
def test_any_text_is_a_sweep_or_refused(text: str) -> None:
    with suppress(UsageError):
        (values,) = parse_sweep([text]).values()
        assert all(values)


def test_each_input_comes_with_each_combination(registry: Registry) -> None:
    sources = [Source(Path("/x/a.tune")), Source(Path("/x/b.tune"))]
    sweep = {"batch": ("1", "8"), "length": ("16", "32")}
    found = with_parameters(sources, sweep, registry)
    assert [source.title for source in found] == [
        f"{name} batch={batch} length={length}"
        for name in ("a.tune", "b.tune")
        for batch in ("1", "8")
        for length in ("16", "32")
    ]
    assert with_parameters(sources, {}, registry) == sources


def test_what_has_no_parameters_cannot_be_swept(registry: Registry) -> None:
    sources = [Source(Path("/x/a.tune")), Source(Path("/x/a.toy"))]
    with pytest.raises(UsageError, match=r"a\.toy has no parameters"):
        with_parameters(sources, {"batch": ("1",)}, registry)


def test_a_sweep_makes_a_build_for_each_combination(registry: Registry) -> None:
    done = run_here("--sweep", "weight=1,2", "length=16,32", *TUNE)
    assert done.code == ExitCode.OK, done
    builds = builds_in(Path("cache"))
    assert len(builds) == 4
    found = [Stats.load(build).model["script_parameters"] for build in builds]
    assert sorted(tuple(parameters.values()) for parameters in found) == [
        ("1", "16"),
        ("1", "32"),
        ("2", "16"),
        ("2", "32"),
    ]
    assert "a.tune weight=2 length=32:" in done.out
    assert "[4/4] a.tune weight=2 length=32: 1 model, 1 successful" in done.err
    logs = [path.read_text() for path in Path("cache/.logs").iterdir()]
    assert sorted(logs) == ["The weight is 1.\n"] * 2 + ["The weight is 2.\n"] * 2


def test_a_sweep_of_one_value_is_shown_with_it(registry: Registry) -> None:
    done = run_here("--sweep", "weight=7", *TUNE)
    assert done.code == ExitCode.OK
    assert "a.tune weight=7:" in done.out
    assert steps_of(Path("cache"))["act"]["status"] == "successful"


def test_a_sweep_is_continued_with_the_combination_that_is_missing(registry: Registry) -> None:
    words = ("--sweep", "weight=1,2,3", *TUNE)
    run_here(*words)
    (journal,) = Path("cache/.commands").glob("*/journal.jsonl")
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:5]))
    done = run_here(*words)
    assert "2 of 3 inputs have ended" in done.err
    assert "[3/3] a.tune weight=3" in done.err
    other = run_here("--sweep", "weight=1,2,4", *TUNE)
    assert "have ended" not in other.err


def test_a_dry_run_counts_the_combinations_and_runs_none(registry: Registry) -> None:
    done = run_here("--dry-run", "--sweep", "weight=1,2,3", *TUNE)
    assert done.code == ExitCode.OK
    assert "Plan for 3 .tune files:" in done.out
    assert not Path("cache").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--process-isolation", "--timeout", "5", "--memory-limit", "8GB"),
        ("--jobs", "2", "--verbosity", "static"),
        ("--executor", "far", "--executor-args", "partition::a", "nodes::2"),
    ],
)
def test_both_forms_take_the_options_of_running(words: tuple[str, ...], registry: Registry) -> None:
    long = run_here("--dry-run", *words, "-i", "a.toy", "find")
    assert (long.code, long.err) == (ExitCode.OK, "")
    short = run_here("a.toy", "--dry-run", *words)
    assert (short.code, short.err) == (ExitCode.OK, "")
    guide = run_here("benchmark", "a.toy", "--dry-run", *words)
    assert (guide.code, guide.err) == (ExitCode.OK, "")


def test_the_shorthand_takes_a_sweep(registry: Registry) -> None:
    done = run_here("a.tune", "--analyze-only", "--sweep", "weight=1,2")
    assert done.code == ExitCode.OK, done
    assert len(builds_in(Path("cache"))) == 0 or "weight=2" in done.out


def test_options_that_contradict_each_other_are_a_wrong_plan(registry: Registry) -> None:
    with pytest.raises(PlanError):
        choose_execution(ExecutionOptions(timeout=5.0), registry)
