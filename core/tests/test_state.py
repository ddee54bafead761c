"""States: what a tool is given and hands over, and what is read back from disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from core_env import FakePlugins

from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA, Cache
from turnkeyml.cache.locks import build_lock
from turnkeyml.context import RunContext
from turnkeyml.errors import BuildError, CacheError
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Status
from turnkeyml.saved_state import load_state
from turnkeyml.state import ModelInfo, State

MODEL = ModelInfo(
    "net",
    "abcdef12" + "0" * 56,
    "Toy",
    class_name="Net",
    location="/x/a.toy",
    line=3,
    parameter_count=10,
    parameter_bytes=40,
    input_shapes={"x": (1, 2)},
    executions=2,
)


@pytest.fixture
def context(plugins: FakePlugins, tmp_path: Path) -> RunContext:
    cache = Cache(tmp_path / "cache")
    cache.require_writable()
    return RunContext(plugins.registry(), cache, first_step=("find", "11111111"))


@pytest.fixture
def state(context: RunContext) -> State:
    source = Source(Path("/x/a.toy"), labels={"author": ("me",)})
    return context.new_state(source, MODEL)


def made(state: State, name: str, text: str = "x") -> Path:
    path = state.folder("out") / name
    path.write_text(text)
    return path


def test_a_new_state_has_a_build_and_the_labels_of_its_source(state: State) -> None:
    assert state.name == "a_abcdef12"
    assert state.labels == {"author": ("me",)}
    assert state.status is Status.RUNNING
    assert state.selected
    assert not state.has_built()
    assert state.model.short_hash == "abcdef12"


def test_labels_of_a_model_may_differ_from_those_of_its_source(context: RunContext) -> None:
    state = context.new_state(Source(Path("/x/a.toy")), MODEL, labels={"a": ("b",)})
    assert state.labels == {"a": ("b",)}


def test_a_step_gets_the_newest_artifact_that_it_takes(state: State) -> None:
    state.add("live", live=1)
    state.begin_step("make", "22222222", ("live",))
    first = state.add("file", [made(state, "1")])
    second = state.add("file", [made(state, "2")])
    assert state.input.live == 1
    state.begin_step("use", "33333333", ("file",))
    assert state.input == second != first
    assert state.input_file() == state.build.path / "out" / "2"
    assert state.results is second
    assert state.newest("live", "other").live == 1
    assert state.has("other", "live")
    assert not state.has("other")


def test_a_step_that_did_not_make_what_it_promised_is_said(state: State) -> None:
    with pytest.raises(BuildError, match="a_abcdef12 has no artifact yet"):
        _ = state.results
    state.begin_step("use", "33333333", ("file", "other"))
    with pytest.raises(BuildError, match="a_abcdef12 has no artifact of kind file or other"):
        _ = state.input


def test_a_live_object_has_no_file_to_open(state: State) -> None:
    state.add("live", live=1)
    with pytest.raises(BuildError, match="The live of a_abcdef12 is no file"):
        state.file_of(state.results)


def test_an_artifact_knows_its_step_files_and_plain_facts(state: State) -> None:
    state.begin_step("export-pytorch", "22222222", ("live",))
    artifact = state.add(
        "file", [made(state, "1"), made(state, "2")], info={"at": Path("x"), 1: (2,)}
    )
    assert artifact.step == "export-pytorch-22222222"
    assert [f.path for f in artifact.files] == ["out/1", "out/2"]
    assert artifact.info == {"at": "x", "1": [2]}


def test_a_file_name_is_the_steps_own(state: State) -> None:
    state.begin_step("export-pytorch", "22222222", ())
    assert state.file_name(".onnx") == "export-pytorch-22222222.onnx"


def test_a_file_outside_the_build_cannot_be_handed_over(state: State, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    with pytest.raises(ValueError, match="subpath"):
        state.add("file", [tmp_path / "outside"])


def test_a_saved_state_comes_back(state: State) -> None:
    state.add("live", live=object())
    state.begin_step("make", "22222222", ("live",))
    artifact = state.add("file", [made(state, "1")])
    state.status = Status.SUCCESSFUL
    state.save()
    found = load_state(state.build)
    assert found.status is Status.SUCCESSFUL
    assert found.artifacts == (artifact,)
    content = found.content
    assert content["schema"] == STATE_SCHEMA
    assert content["steps"] == ["find-11111111", "make-22222222"]
    assert content["input"] == "/x/a.toy"
    assert content["labels"] == {"author": ["me"]}
    assert content["model"]["hash"] == MODEL.digest
    assert content["model"]["input_shapes"] == {"x": [1, 2]}
    assert read_document(state.build.stats_file, 1)["model"]["class"] == "Net"


def test_a_running_state_is_interrupted_unless_somebody_holds_its_lock(state: State) -> None:
    with build_lock(state.build.cache, state.name, pytest.fail):
        state.save()
        assert load_state(state.build).status is Status.RUNNING
    assert load_state(state.build).status is Status.INTERRUPTED


@pytest.mark.parametrize(
    "change",
    [
        {"status": "excellent"},
        {"status": None},
        {"status": ["failed"]},
        {"artifacts": 3},
        {"artifacts": [3]},
        {
            "artifacts": [
                {
                    "kind": "k",
                    "step": "s",
                    "files": [{"path": "../../x", "size": 1, "sha256": ""}],
                    "info": {},
                }
            ]
        },
        {
            "artifacts": [
                {
                    "kind": "k",
                    "step": "s",
                    "files": [{"path": "/etc/passwd", "size": 1, "sha256": ""}],
                    "info": {},
                }
            ]
        },
    ],
)
def test_a_malformed_state_is_refused(state: State, change: dict) -> None:
    state.save()
    content = {**read_document(state.build.state_file, 1), **change}
    content.pop("schema")
    write_document(state.build.state_file, 1, content)
    with pytest.raises(CacheError, match="malformed"):
        load_state(state.build)


def test_a_state_of_a_newer_turnkey_is_refused(state: State) -> None:
    write_document(state.build.state_file, STATE_SCHEMA + 1, {"status": "successful"})
    with pytest.raises(CacheError, match="newer turnkey"):
        load_state(state.build)


def test_a_missing_or_damaged_state_is_refused(state: State) -> None:
    with pytest.raises(CacheError, match="No such file"):
        load_state(state.build)
    state.build.state_file.write_text("{half")
    with pytest.raises(CacheError, match="cannot be read"):
        load_state(state.build)
