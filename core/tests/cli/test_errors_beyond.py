"""Mistakes that no words of a command line show alone: of calls, plugins, files and machines."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from core_env import Environment, FakePlugins, run_here
from rough_tools import Perform

from turnkeyml import build_model
from turnkeyml.cache.layout import Cache
from turnkeyml.cli.cache_benchmark import benchmark_command
from turnkeyml.console import Console
from turnkeyml.errors import (
    BuildError,
    CacheError,
    ExitCode,
    PlanError,
    PluginError,
    TurnkeyError,
    UsageError,
)
from turnkeyml.execution.isolated import slots
from turnkeyml.execution.journal import Journal
from turnkeyml.plan import make_default_plan, make_plan
from turnkeyml.report.reading import find_builds
from turnkeyml.request import DefaultChainOptions
from turnkeyml.runtime import BaseRT
from turnkeyml.sequence import Sequence, Step
from turnkeyml.tool import Tool


def said(error: TurnkeyError) -> tuple[str, str | None]:
    return error.message, error.hint


def failing(number: int = 13) -> Callable[..., Any]:
    def fail(*args: Any, **more: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


# What scripts call


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([1, 2], "The inputs of a model file are given as arrays by name."),
        ({"x": object()}, "The inputs cannot be used: "),
    ],
)
def test_inputs_of_a_file_that_are_no_arrays_by_name(
    inputs: Any, message: str, plugins: FakePlugins, tmp_path: Path
) -> None:
    from dataclasses import dataclass

    from turnkeyml.options import option

    @dataclass(frozen=True)
    class Options:
        inputs: Path | None = option(None, help="The inputs.")

    class Load(Perform):
        """Start from a file with inputs."""

        name = "load-it"
        suffixes = (".it",)

    Load.Options = Options
    plugins.add({"tools": [Load]})
    path = tmp_path / "model.it"
    path.touch()
    with pytest.raises(UsageError) as caught:
        build_model(path, inputs, cache_dir=tmp_path / "cache")
    assert caught.value.message.startswith(message)
    assert caught.value.hint == "Such as inputs={'x': numpy.zeros((1, 8), 'float32')}."


def test_inputs_for_a_tool_that_takes_none(toys: FakePlugins, tmp_path: Path) -> None:
    (tmp_path / "a.toy").write_text("one 1\n")
    with pytest.raises(UsageError) as caught:
        build_model(tmp_path / "a.toy", {"x": [1]})
    assert said(caught.value) == ("find, which takes .toy files, takes no inputs.", None)


def test_a_runtime_without_the_methods_of_any_form() -> None:
    class Bare(BaseRT):
        def device_name(self) -> str:
            return "nothing"

    bare = Bare.__new__(Bare)
    for name, call in {
        "infer": bare.infer,
        "mean_latency": bare.mean_latency,
        "throughput": bare.throughput,
        "_execute": lambda: bare._execute("", "", "", 1),
    }.items():
        with pytest.raises(PluginError) as caught:
            call()
        assert caught.value.message == f"Bare has no {name}()."


# Plans


def test_a_chain_without_a_step(toys: FakePlugins) -> None:
    with pytest.raises(PlanError) as caught:
        make_plan([], ".toy", toys.registry())
    assert said(caught.value) == (
        "The chain has no step.",
        "Name at least one tool; see turnkey -h.",
    )


class Knit(Tool):
    """Take what nothing gives."""

    name = "knit"
    consumes = ("wool",)

    def run(self, state: Any, options: Any) -> Any:
        return state


class Cast(Knit):
    """Take what a package that is not installed gives."""

    name = "cast"
    consumes = ("onnx-model",)


@pytest.mark.parametrize(
    ("tool", "hint"),
    [
        ("knit", "No installed tool makes it."),
        ("cast", "pip install turnkeyml-plugin-export-pytorch gives a tool that makes it."),
    ],
)
def test_a_kind_that_no_installed_tool_makes(tool: str, hint: str, toys: FakePlugins) -> None:
    toys.add({"tools": [Knit, Cast]})
    with pytest.raises(PlanError) as caught:
        make_plan(["find", tool], ".toy", toys.registry())
    assert "Step 2, " in caught.value.message
    assert caught.value.hint == hint


def test_a_sequence_whose_result_is_not_what_is_measured(toys: FakePlugins) -> None:
    class Bale(Tool):
        """Make something else of a toy."""

        name = "bale"
        consumes = ("toy-file",)
        produces = "bale"

        def run(self, state: Any, options: Any) -> Any:
            return state

    toys.add({"tools": [Bale], "sequences": {"baled": Sequence("compile", "bale", name="baled")}})
    chain = DefaultChainOptions(sequence="baled")
    with pytest.raises(PlanError) as caught:
        make_default_plan(".toy", toys.registry(), chain)
    assert said(caught.value) == (
        "The sequence 'baled' makes bale, but what is to be measured is toy-file.",
        "Choose a runtime that takes bale with --runtime, or give --build-only.",
    )


def test_sequences_that_contain_each_other(toys: FakePlugins) -> None:
    inner: Any = Sequence("compile", name="inner")
    inner.steps = (inner,)
    with pytest.raises(PlanError, match="The sequences contain each other: "):
        make_plan(["find", inner], ".toy", toys.registry())


# Names


@pytest.mark.parametrize(
    ("what", "known", "message", "hint"),
    [
        ("tool", ["find"], "There is no tool 'discover'.",
         "Install it with: pip install turnkeyml-plugin-discover"),
        ("runtime", [], "There is no runtime 'discover'.", "No runtime is installed."),
        ("runtime", ["b", "a"], "There is no runtime 'discover'.", "Installed: a, b."),
        ("runtime", ["discovery"], "There is no runtime 'discover'.", "Did you mean 'discovery'?"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_installed(
    what: str, known: list[str], message: str, hint: str, plugins: FakePlugins
) -> None:
    assert said(plugins.registry().unknown(what, "discover", known)) == (message, hint)


def test_a_name_whose_package_is_broken(plugins: FakePlugins) -> None:
    plugins.add_entry_point("not_there_at_all", distribution="turnkeyml-plugin-discover")
    error = plugins.registry().unknown("tool", "discover", [])
    assert error.message.startswith("There is no tool 'discover'. Its package is broken: ")
    assert "not_there_at_all" in error.message


def test_a_name_that_two_packages_give(plugins: FakePlugins) -> None:
    for name in ("one-pack", "other-pack"):
        plugins.add({"tools": [Knit]}, distribution=name)
    message = plugins.registry().unknown("tool", "knit", []).message
    assert "one-pack" in message
    assert "other-pack" in message
    done = run_here("-i", "x.toy", "knit")
    assert done.code == ExitCode.USAGE


def test_cache_benchmark_where_the_tool_is_no_step(plugins: FakePlugins) -> None:
    class Measure(Perform):
        """Begin."""

        name = "benchmark"

    plugins.add({"tools": [Measure]})
    command = benchmark_command(plugins.registry())
    with pytest.raises(UsageError, match="The installed benchmark is no step of a chain."):
        command.make_context("benchmark", ["--all"])


# The machine


def test_a_cache_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "iterdir", failing())
    with pytest.raises(CacheError) as caught:
        Cache(tmp_path).builds()
    assert caught.value.message == f"The cache directory {tmp_path} cannot be read: " + (
        "Permission denied."
    )


def test_a_cache_that_a_report_cannot_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "scandir", failing())
    with pytest.raises(CacheError) as caught:
        find_builds(tmp_path)
    assert "cannot be read: Permission denied." in caught.value.message


def test_a_journal_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    path: Path = journal._path
    path.parent.mkdir(exist_ok=True)
    path.touch()
    monkeypatch.setattr(Path, "read_bytes", failing(5))
    with pytest.raises(CacheError) as caught:
        journal.read()
    assert caught.value.message == f"{path} cannot be read: Input/output error."


def test_a_plugin_folder_that_cannot_be_made(plugins: FakePlugins) -> None:
    done = run_here("plugins", "new", "mine", "--into", "/proc")
    assert done.code == ExitCode.USAGE
    assert done.err.startswith("Error: /proc/turnkeyml-plugin-mine cannot be made: ")


def test_a_process_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots.subprocess, "Popen", failing(11))
    profile: Any = SimpleNamespace(tools=(), preload=(), environment={})
    with pytest.raises(TurnkeyError) as caught:
        slots.SlotProcess(profile, tmp_path / "log.txt", tmp_path)
    assert said(caught.value) == (
        "No process can be started: Resource temporarily unavailable.",
        "Run fewer side by side with --jobs, or look at the limits: ulimit -a",
    )


def test_a_full_disk_says_how_to_make_room(toys: FakePlugins, tmp_path: Path) -> None:
    class Spill(Perform):
        """Find no room."""

        name = "spill"

        def start(self, source: Any, options: Any, context: Any) -> Any:
            yield from ()
            failing(28)()

    toys.add({"tools": [Spill]})
    (tmp_path / "a.py").touch()
    done = run_here("-i", "a.py", "spill")
    assert done.code == ExitCode.FAILED
    assert "spill broke on a.py: OSError: [Errno 28] No space left on device" in done.err
    assert "Make room, or give another cache directory with -d." in done.err


def test_a_tool_that_breaks_says_where_its_traceback_is(toys: FakePlugins, tmp_path: Path) -> None:
    toys.add({"tools": [Perform]})
    (tmp_path / "a.py").write_text("{}['x']\n")
    done = run_here("-i", "a.py", "perform")
    assert done.code == ExitCode.FAILED
    assert "perform broke on a.py: KeyError: 'x'" in done.err
    assert "The whole traceback is in " in done.err


def test_a_lock_that_is_a_link_is_refused(toys: FakePlugins, tmp_path: Path) -> None:
    (tmp_path / "a.toy").write_text("one 1\n")
    assert run_here("-i", "a.toy", "find").code == ExitCode.OK
    (build,) = Cache(tmp_path / "cache").builds()
    (lock,) = (tmp_path / "cache").rglob(f"{build.name}.lock")
    lock.unlink()
    precious = tmp_path / "precious"
    precious.write_text("kept")
    lock.symlink_to(precious)
    done = run_here("cache", "clean", build.name)
    assert done.code == ExitCode.FAILED
    assert f"Error: The lock {lock} is a link. Remove it." in done.err
    assert precious.read_text() == "kept"


def test_a_damaged_state_is_not_cleaned_and_says_what_removes_it(
    toys: FakePlugins, tmp_path: Path
) -> None:
    (tmp_path / "a.toy").write_text("one 1\n")
    assert run_here("-i", "a.toy", "find").code == ExitCode.OK
    (build,) = Cache(tmp_path / "cache").builds()
    build.state_file.write_text("{")
    done = run_here("cache", "clean", "--all")
    assert done.code == ExitCode.FAILED
    assert f"This removes the whole build: turnkey cache delete {build.name}" in done.err


def test_an_option_of_a_step_that_it_does_not_have(toys: FakePlugins) -> None:
    with pytest.raises(UsageError) as caught:
        make_plan(["find", Step("compile", {"levle": 3})], ".toy", toys.registry())
    assert caught.value.message == "compile: there is no option 'levle'."
    assert caught.value.hint is not None
    assert "level" in caught.value.hint


def test_what_a_stage_said_is_kept_when_a_call_fails(toys: FakePlugins, tmp_path: Path) -> None:
    (tmp_path / "a.toy").write_text("one 1\n")
    with pytest.raises(BuildError) as caught:
        build_model(
            tmp_path / "a.toy",
            sequence=Sequence(Step("compile"), Step("act", {"do": "fail"})),
            monitor=False,
        )
    assert caught.value.message.startswith("act failed: ")
    assert "log_act.txt" in str(caught.value.hint)


@pytest.mark.parametrize("words", [["clean", "--all"], ["delete", "--all", "--yes"]])
def test_what_commands_left_and_cannot_be_deleted(
    words: list[str], toys: FakePlugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from turnkeyml.execution import past_commands

    for name in ("a.toy", "b.toy"):
        (tmp_path / name).write_text("one 1\n")
    assert run_here("-i", "*.toy", "find").code == ExitCode.OK
    monkeypatch.setattr(past_commands, "tree_size", failing(5))
    done = run_here("cache", *words)
    assert done.code == ExitCode.FAILED
    assert "Traceback" not in done.text
    assert " cannot be cleaned: Input/output error." in done.err


@pytest.mark.parametrize(
    "words",
    [
        ["version"],
        ["-h"],
        ["find", "-h"],
        ["plugins"],
        ["cache", "location"],
        ["cache", "list", "--json"],
        ["system-info", "--json"],
        ["-i", "a.toy", "find", "compile"],
        ["a.toy", "--dry-run"],
    ],
)
def test_output_that_goes_to_a_full_disk(words: list[str], environment: Environment) -> None:
    import subprocess

    environment.install_toys()
    (environment.home / "a.toy").write_text("one 1\n")
    with Path("/dev/full").open("wb") as full:
        pipes: dict[str, Any] = {"stdout": full, "stderr": subprocess.PIPE}
        with environment.started(*words, **pipes) as process:
            _, err = process.communicate(timeout=60)
    text = err.decode()
    assert process.returncode == ExitCode.FAILED, text
    assert "Traceback" not in text
    assert "Exception ignored" not in text
    assert "Error: Not all of the output could be written" in text
    assert text.endswith("\n  Make room, or send it elsewhere.\n")


def test_a_view_on_a_terminal_that_is_gone_does_not_end_the_work(tmp_path: Path) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

        def flush(self) -> None:
            raise OSError(5, "Input/output error")

    screen = Console(io.StringIO(), Gone()).rich()
    screen.print("a view")
    assert screen.file.write("more") == 4
    assert screen.file.isatty() is False
