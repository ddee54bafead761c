"""build_model: what scripts get, what is used again, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import toyplug
from builds import builds_in, content_of, steps_of, the_build, the_state
from core_env import Environment, FakePlugins, run_here
from weaveplug import Yarn

from turnkeyml import build_model
from turnkeyml.errors import BuildError, PlanError, UsageError
from turnkeyml.sequence import Sequence, Step
from turnkeyml.state import State, Status

WEAVE = Sequence("weave")


@pytest.fixture
def cache(weavers: FakePlugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "my_model.py"
    script.touch()
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__file__=str(script)))
    return tmp_path / "cache"


def build(model: object = None, inputs: Any = (3, 4), **more: Any) -> State:
    chosen = Yarn(1) if model is None else model
    return build_model(chosen, inputs, **{"sequence": WEAVE, "monitor": False, **more})


def text_of(state: State) -> str:
    return content_of(state.build, state.results)[0].decode()


def test_a_model_is_built_and_its_state_given(cache: Path) -> None:
    state = build()
    assert state.status is Status.SUCCESSFUL
    assert state.results.kind == "toy-net"
    assert state.file_of(state.results).is_file()
    assert state.name == "my_model"
    assert the_build(cache) == state.build
    assert the_state(cache).content["input"] == str(cache.parent / "my_model.py")
    assert '"total": 7' in text_of(state)


def test_the_same_again_is_used_again(cache: Path) -> None:
    build()
    assert "reused" not in steps_of(cache)["weave"]
    state = build()
    assert steps_of(cache)["weave"]["reused"] is True
    assert state.status is Status.SUCCESSFUL


@pytest.mark.parametrize(
    "more",
    [
        {"model": Yarn(1, "code=2")},
        {"inputs": (3, 5)},
        {"onnx_opset": 20},
        {"sequence": Sequence(Step("weave", {"name": "x"}))},
        {"rebuild": "always"},
    ],
)
def test_a_change_builds_anew(more: dict[str, Any], cache: Path) -> None:
    first = text_of(build())
    second = text_of(build(**more))
    assert "reused" not in steps_of(cache)["weave"]
    assert (first == second) == ("rebuild" in more)


@pytest.mark.parametrize(
    ("sequence", "tools"),
    [
        ("toy-small", ["compile", "shrink"]),
        (Sequence("weave", "twist"), ["weave", "twist"]),
        (Sequence(WEAVE, Sequence(Step("twist", {"times": 2}), "twist")), ["weave", "twist"]),
        (Sequence(Sequence("toy-small", name="mine"), "weave"), ["compile", "shrink", "weave"]),
        ("compile", ["compile"]),
    ],
)
def test_sequences_by_name_by_instance_and_nested(
    sequence: str | Sequence, tools: list[str], cache: Path
) -> None:
    build(sequence=sequence)
    assert list(steps_of(cache)) == ["given", *tools]


def test_without_a_sequence_that_of_the_default_runtime_is_taken(cache: Path) -> None:
    build(sequence=None)
    assert list(steps_of(cache)) == ["given", "compile", "shrink"]


def test_without_a_runtime_that_has_one_a_sequence_must_be_named(
    cache: Path, weavers: FakePlugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(toyplug.implements["runtimes"]["toyrt"], "default_sequence", [])
    with pytest.raises(UsageError, match="No sequence is given, and no installed runtime has a"):
        build(sequence=None)


def test_nothing_that_was_opened_stays_open(cache: Path) -> None:
    build(monitor=True)
    before = set(os.listdir("/proc/self/fd"))
    build(Yarn(2), monitor=True)
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("sequence", "error", "said"),
    [
        ("toy-smal", PlanError, "toy-small"),
        (Sequence("shrink"), PlanError, "Step 2, shrink, takes toy-file"),
        (Sequence(Step("weave", {"opsett": 1})), UsageError, "weave: there is no option 'opsett'"),
        (Sequence("find"), PlanError, "starts a chain, so it cannot follow"),
        (Sequence("cache"), PlanError, "stands alone"),
    ],
)
def test_a_sequence_that_cannot_work_is_refused_before_anything_runs(
    sequence: str | Sequence, error: type[Exception], said: str, cache: Path
) -> None:
    with pytest.raises(error) as caught:
        build(sequence=sequence)
    assert said in str(caught.value)
    assert builds_in(cache) == []


def test_two_models_of_one_name_replace_each_other_with_a_warning(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = build(Yarn(1))
    assert capsys.readouterr().err == ""
    second = build(Yarn(2))
    assert capsys.readouterr().err == (
        "Warning: the build my_model was of another model or other inputs, and is now of this "
        "one. Give each model a build_name of its own to keep both.\n"
    )
    assert first.build == second.build == the_build(cache)
    assert the_state(cache).content["model"]["hash"] == second.model.digest
    assert b"weight 2" in content_of(second.build, second.results)[1]
    build(Yarn(2))
    assert capsys.readouterr().err == ""


def test_with_rebuild_always_they_replace_each_other_silently(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(Yarn(1), rebuild="always")
    second = build(Yarn(2), rebuild="always")
    assert b"weight 2" in content_of(second.build, second.results)[1]
    assert capsys.readouterr().err == ""


def test_with_rebuild_never_the_second_gets_what_the_first_built(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(Yarn(1))
    second = build(Yarn(2), rebuild="never")
    assert b"weight 1" in content_of(second.build, second.results)[1]
    assert "is used for this one, because rebuild is never" in capsys.readouterr().err
    with pytest.raises(BuildError, match="There is no earlier result of weave"):
        build(Yarn(1), rebuild="never", build_name="other")


def test_a_name_of_its_own_keeps_each(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        build(Yarn(number), build_name=f"model_{number}")
    assert [b.name for b in builds_in(cache)] == ["model_1", "model_2"]
    assert capsys.readouterr().err == ""


def test_a_damaged_state_under_that_name_is_mended(cache: Path) -> None:
    build()
    the_build(cache).state_file.write_text("{half")
    assert build().status is Status.SUCCESSFUL
    assert the_state(cache).status is Status.SUCCESSFUL


@pytest.mark.parametrize("name", ["../up", "a/b", "/abs", ".", "..", ".hidden", "a b", "x" * 201])
def test_a_name_that_is_no_folders_is_refused(name: str, cache: Path) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a build"):
        build(build_name=name)


def test_a_name_that_is_no_text_is_refused(cache: Path) -> None:
    with pytest.raises(UsageError, match="build_name is a text, not 5"):
        build(build_name=5)


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("my model.py", "my-model"),
        ("my.model.v2.py", "my.model.v2"),
        ("modèle.py", "mod-le"),
        (".hidden.py", "hidden"),
        ("-.py", "model"),
        ("no_suffix", "no_suffix"),
    ],
)
def test_any_script_gives_a_name(
    script: str, name: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__file__=f"/x/{script}"))
    assert build().name == name


def test_without_a_script_there_is_a_name_too(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace())
    assert build().name == "model"


def test_monitor_off_prints_nothing(cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    build(monitor=False)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


@pytest.mark.parametrize(
    ("variable", "monitor", "shown"),
    [
        (None, None, True),
        ("False", None, False),
        ("false", None, False),
        ("0", None, False),
        ("True", None, True),
        ("False", True, True),
        (None, True, True),
    ],
)
def test_the_monitor_is_on_unless_switched_off(
    variable: str | None,
    monitor: bool | None,
    shown: bool,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if variable is not None:
        monkeypatch.setenv("TURNKEY_BUILD_MONITOR", variable)
    build(monitor=monitor)
    captured = capsys.readouterr()
    assert ("my_model.py yarn: weave (" in captured.err) == shown
    assert ("Model successfully built!" in captured.out) == shown
    monkeypatch.delenv("TURNKEY_BUILD_MONITOR", raising=False)


def test_a_stage_that_fails_raises_with_its_reason_and_log(cache: Path) -> None:
    trouble = Sequence("weave", Step("trouble", {"do": "fail"}))
    with pytest.raises(BuildError) as caught:
        build(sequence=trouble)
    assert caught.value.message == "trouble failed: ValueError: after all was done"
    log = the_build(cache).path / "log_trouble.txt"
    assert caught.value.hint == f"Its log is {log}."
    assert "Traceback" in log.read_text()


def test_an_object_that_nobody_knows_is_refused(cache: Path) -> None:
    with pytest.raises(UsageError) as caught:
        build(object())
    assert caught.value.message == (
        "No installed plugin recognises a model of type builtins.object."
    )
    assert caught.value.hint == "Give a torch.nn.Module, or the path of an .onnx file."
    assert builds_in(cache) == []


@pytest.mark.parametrize("rebuild", ["sometimes", "", None, 3, "IF_NEEDED"])
def test_another_rebuild_is_refused(rebuild: object, cache: Path) -> None:
    with pytest.raises(UsageError, match="rebuild is one of if_needed, always, never"):
        build(rebuild=rebuild)


def test_the_cache_may_be_another(cache: Path, tmp_path: Path) -> None:
    build(cache_dir=tmp_path / "other")
    build(cache_dir=str(tmp_path / "third"))
    assert [len(builds_in(tmp_path / name)) for name in ("other", "third", "cache")] == [1, 1, 0]


def test_a_cache_that_cannot_be_written_is_refused(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        build(cache_dir=tmp_path / "file")


def test_a_copy_of_the_result_is_left_where_it_is_wanted(cache: Path, tmp_path: Path) -> None:
    build(output=str(tmp_path / "out"))
    assert (tmp_path / "out" / "my_model" / "model.net").is_file()
    assert (tmp_path / "out" / "my_model" / "inputs.npz").is_file()
    (tmp_path / "taken").touch()
    with pytest.raises(BuildError, match="--output failed"):
        build(output=tmp_path / "taken")


# Model files.


@pytest.fixture
def toy_file(cache: Path, tmp_path: Path) -> Path:
    path = tmp_path / "net.toyfile"
    path.write_text("a compiled toy")
    return path


def test_a_model_file_goes_through_a_sequence(toy_file: Path, cache: Path) -> None:
    for given in (toy_file, str(toy_file), "net.toyfile"):
        state = build_model(given, sequence="shrink", monitor=False)
        assert text_of(state) == "a compil"
    assert len(builds_in(cache)) == 1
    assert steps_of(cache)["shrink"]["reused"] is True
    assert text_of(build_model(toy_file, monitor=False)) == "a compiled toy"


def test_a_model_file_may_have_a_build_of_a_chosen_name(
    toy_file: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = build_model(toy_file, build_name="mine", sequence="shrink", monitor=False)
    assert state.name == "mine"
    assert capsys.readouterr().err == ""
    toy_file.write_text("another toy")
    state = build_model(toy_file, build_name="mine", sequence="shrink", monitor=False)
    assert text_of(state) == "another "
    assert "Warning: the build mine was of another model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.toyfile", "There is no file 'none.toyfile'."),
        (".", "There is no file '.'."),
        ("x.unknown", "Files with the suffix '.unknown' are taken by no installed tool."),
    ],
)
def test_a_file_that_cannot_be_a_model_is_refused(
    name: str, said: str, toy_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "x.unknown").touch()
    with pytest.raises(UsageError) as caught:
        build_model(name, monitor=False)
    assert said in caught.value.message


def test_inputs_for_a_file_whose_tool_takes_none_are_refused(toy_file: Path, cache: Path) -> None:
    with pytest.raises(UsageError) as caught:
        build_model(toy_file, {"x": 1}, monitor=False)
    assert caught.value.message == "load-toy, which takes .toyfile files, takes no inputs."
    assert builds_in(cache) == []


def test_a_file_with_several_models_is_refused(toy_file: Path, tmp_path: Path) -> None:
    (tmp_path / "two.toy").write_text("one 1\ntwo 2\n")
    with pytest.raises(UsageError, match=r"two\.toy has 2 models, and one is taken here"):
        build_model("two.toy", sequence="weave", monitor=False)


def test_an_input_that_breaks_raises_its_reason(toy_file: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.toy").write_text("raise no luck\n")
    with pytest.raises(Exception, match=r"find broke on bad\.toy: ValueError: no luck"):
        build_model("bad.toy", monitor=False)


# What it shares with the command line.


def test_the_build_is_one_like_any_other(cache: Path) -> None:
    build(sequence=Sequence("weave", "twist"))
    state_file = str(the_build(cache).state_file)
    done = run_here("-i", state_file, "load-build", "stamp")
    assert done.code == 0, done.text
    assert "my_model  successful" in run_here("cache", "list").out
    again = build(sequence=Sequence("weave", "twist"))
    assert "stamp" not in text_of(again)


SCRIPT = """
import sys
import turnkeyml
assert not [m for m in sys.modules if m.startswith("turnkeyml.")], sys.modules
from turnkeyml import build_model
assert "turnkeyml.api" in sys.modules
assert "build_model" in turnkeyml.__all__
try:
    turnkeyml.no_such_name
except AttributeError as error:
    print(error)
"""


def test_importing_the_package_loads_nothing_until_it_is_used(environment: Environment) -> None:
    words = [sys.executable, "-S", "-c", SCRIPT]
    done = subprocess.run(
        words, env=environment.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "module 'turnkeyml' has no attribute 'no_such_name'\n"
