"""--output: what is left there is whole, right, self-contained, and takes no stranger's place."""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from builds import content_of, notes, the_build, the_state
from core_env import Ended, FakePlugins, run_here

from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATE_SCHEMA
from turnkeyml.errors import ExitCode
from turnkeyml.execution import deliver
from turnkeyml.plugins import hookimpl

FIND = ("-i", "a.toy", "find")


@pytest.fixture
def folder(weavers: FakePlugins, tmp_path: Path) -> Path:
    (tmp_path / "a.toy").write_text("one 1 in=3,4\n")
    return tmp_path


def put_into(output: object, *steps: str) -> Ended:
    return run_here("--output", str(output), *FIND, *(steps or ("weave", "twist")))


def delivered(folder: Path) -> dict[str, bytes]:
    assert not list(folder.parent.glob(".tmp-*")), "something unfinished was left"
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*")}


def tensors_of(content: bytes, folder: Path) -> dict[str, bytes]:
    (folder / "x.npz").write_bytes(content)
    with zipfile.ZipFile(folder / "x.npz") as archive:
        found = {name: archive.read(name)[-16:] for name in archive.namelist()}
    (folder / "x.npz").unlink()
    return found


def numbers(*values: int) -> bytes:
    return b"".join(value.to_bytes(8, "little") for value in values)


def test_the_result_its_tensors_and_a_script_are_left_there(folder: Path) -> None:
    done = put_into("out")
    build = the_build(folder / "cache")
    place = folder / "out" / build.name
    assert done.code == ExitCode.OK
    assert notes(done) == [f"{build.name}: the result is in {place}"]
    net, data = content_of(build, the_state(folder / "cache").artifacts[-1])
    found = delivered(place)
    data_name = next(name for name in found if name.endswith(".data"))
    assert set(found) == {
        *("model.net", data_name, "about.json", "run.py", "inputs.npz", "outputs.npz"),
    }
    assert (found["model.net"], found[data_name]) == (net, data)
    assert found["run.py"] == b"print('model.net', 'inputs.npz', 'outputs.npz')\n"
    assert tensors_of(found["inputs.npz"], folder) == {"x0.npy": numbers(3, 4)}
    assert tensors_of(found["outputs.npz"], folder) == {"y.npy": numbers(6, 8)}
    about = json.loads(found["about.json"])
    assert about == {
        "schema": 1,
        "name": build.name,
        "class": "",
        "hash": the_state(folder / "cache").content["model"]["hash"],
        "kind": "toy-net",
        "model": "model.net",
        "facts": {
            "opset": 18,
            "outputs": ["y"],
            "inputs": {"x0": "x"},
            "inputs_folder": "inputs",
        },
        "input_dtypes": {"x0": "int64"},
        "output_dtypes": {"y": "int64"},
    }


def test_the_copy_outlives_the_cache(folder: Path) -> None:
    put_into("out")
    (place,) = (folder / "out").iterdir()
    before = delivered(place)
    shutil.rmtree(folder / "cache")
    assert delivered(place) == before
    assert all(not path.is_symlink() for path in place.rglob("*"))


@pytest.mark.parametrize("name", ["with a space", "deep/er/still", "-dash", "ünï", "."])
def test_the_folder_may_be_any(name: str, folder: Path) -> None:
    assert put_into(f"./{name}").code == ExitCode.OK
    assert (folder / name / the_build(folder / "cache").name / "about.json").is_file()


def test_a_home_in_its_name_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder / "home"))
    assert put_into("~/out").code == ExitCode.OK
    assert list((folder / "home" / "out").iterdir())
    assert not (folder / "~").exists()


def test_a_second_time_replaces_the_first(folder: Path) -> None:
    put_into("out")
    (place,) = (folder / "out").iterdir()
    first = delivered(place)
    assert put_into("out").code == ExitCode.OK
    assert delivered(place) == first
    put_into("out", "weave", "twist", "--times", "2")
    assert [path.name for path in (folder / "out").iterdir()] == [place.name]
    assert b"twist 2" in delivered(place)["model.net"]


def test_a_folder_that_is_somebody_elses_is_left_alone(folder: Path) -> None:
    put_into("elsewhere")
    place = folder / "out" / the_build(folder / "cache").name
    place.mkdir(parents=True)
    (place / "thesis.txt").write_text("years of work")
    done = put_into("out")
    assert done.code == ExitCode.FAILED
    said = f"Failed in --output: {place} exists and was not made by turnkey. Give another --output."
    assert said in done.out
    assert "log:" not in done.err
    assert delivered(place) == {"thesis.txt": b"years of work"}


@pytest.mark.parametrize("what", ["a file", "a link to nowhere"])
def test_a_place_that_is_taken_is_said(what: str, folder: Path) -> None:
    if what == "a file":
        (folder / "out").write_text("mine")
    else:
        (folder / "out").symlink_to("nowhere/at/all")
    done = put_into("out")
    assert done.code == ExitCode.FAILED
    assert "Failed in --output: " in done.out
    assert "Traceback" not in done.text


def test_each_model_has_a_folder_of_its_own(folder: Path) -> None:
    (folder / "a.toy").write_text("one 1\ntwo 2\n")
    put_into("out")
    builds = {build.name for build in (folder / "cache").iterdir() if build.name.startswith("a_")}
    assert {path.name for path in (folder / "out").iterdir()} == builds
    assert len(builds) == 2


def test_without_captured_inputs_there_are_none_to_leave(folder: Path) -> None:
    (folder / "a.toy").write_text("one 1\n")
    put_into("out", "compile")
    (place,) = (folder / "out").iterdir()
    found = delivered(place)
    assert set(found) == {"model.txt", "about.json", "inputs.npz"}
    assert tensors_of(found["inputs.npz"], folder) == {}


def test_a_chain_that_makes_no_file_has_nothing_to_leave(folder: Path) -> None:
    done = put_into("out", "act")
    assert done.code == ExitCode.FAILED
    assert "The chain made nothing that is a file" in done.out
    assert not (folder / "out").exists()


def test_a_chain_that_fails_leaves_nothing(folder: Path) -> None:
    assert put_into("out", "weave", "trouble", "--do", "fail").code == ExitCode.FAILED
    assert not (folder / "out").exists()


def test_lean_cache_keeps_what_was_left_outside(folder: Path) -> None:
    assert run_here("--lean-cache", "--output", "out", *FIND, "weave").code == ExitCode.OK
    (place,) = (folder / "out").iterdir()
    assert "model.net" in delivered(place)


def test_results_that_were_spared_are_left_too(folder: Path) -> None:
    run_here(*FIND, "weave", "twist")
    assert put_into("out").code == ExitCode.OK
    (place,) = (folder / "out").iterdir()
    assert {"inputs.npz", "outputs.npz"} <= set(delivered(place))


def load(folder: Path, *words: str) -> Ended:
    state_file = the_build(folder / "cache").state_file
    return run_here("--output", "out", "-i", str(state_file), "load-build", *words)


def test_a_loaded_build_is_left_without_the_outputs_that_nobody_has(folder: Path) -> None:
    run_here(*FIND, "weave")
    assert load(folder, "twist").code == ExitCode.OK
    (place,) = (folder / "out").iterdir()
    found = delivered(place)
    assert tensors_of(found["inputs.npz"], folder) == {"x0.npy": numbers(3, 4)}
    assert "outputs.npz" not in found


def test_damage_is_not_handed_on(folder: Path) -> None:
    run_here(*FIND, "compile", "weave")
    inputs = the_build(folder / "cache").path / "inputs" / "inputs.bin"
    inputs.write_bytes(bytes(16))
    done = load(folder, "act")
    assert done.code == ExitCode.FAILED
    assert "Failed in --output: inputs/inputs.bin of " in done.out
    assert "is damaged. Run the command again." in done.out
    assert not list((folder / "out").iterdir())


def climb(content: dict) -> None:
    for artifact in content["artifacts"]:
        if artifact["kind"] == "toy-net":
            artifact["info"]["inputs_folder"] = "../../secret"


def ask_for_more(content: dict) -> None:
    content["artifacts"][-1]["info"]["inputs"]["x1"] = "no-such-input"


def strange_names(content: dict) -> None:
    content["artifacts"][-1]["info"]["inputs"] = {"x": ["a", "list"]}


def other_outputs(content: dict) -> None:
    content["artifacts"][-1]["info"]["outputs"] = {"y": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (climb, "are not in its folder ../../secret"),
        (ask_for_more, "has no captured input 'no-such-input'"),
        (strange_names, "TypeError"),
        (other_outputs, ""),
    ],
)
def test_a_state_that_was_made_up_leaves_nothing_it_should_not(
    change: Callable[[dict], None], said: str, folder: Path
) -> None:
    run_here(*FIND, "compile", "weave")
    secret = folder / "secret"
    shutil.copytree(the_build(folder / "cache").path / "inputs", secret)
    path = the_build(folder / "cache").state_file
    content = read_document(path, STATE_SCHEMA)
    change(content)
    del content["schema"]
    write_document(path, STATE_SCHEMA, content)
    done = load(folder, "act")
    assert done.code == (ExitCode.FAILED if said else ExitCode.OK)
    assert said in done.out
    assert "Traceback" not in done.text


def test_a_full_disk_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_into("out")
    (place,) = (folder / "out").iterdir()
    before = delivered(place)

    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(deliver.shutil, "copyfile", full)
    done = put_into("out", "weave", "twist", "--times", "2")
    assert done.code == ExitCode.FAILED
    assert "Failed in --output: OSError: [Errno 28] No space left on device" in done.out
    monkeypatch.undo()
    assert delivered(place) == before


def test_a_result_that_does_not_fit_is_said_before_it_is_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(deliver.shutil, "disk_usage", lambda path: usage)
    done = put_into("out")
    assert done.code == ExitCode.FAILED
    assert f"bytes, and {folder / 'out'} has 10 bytes free." in done.out


def test_a_plugin_that_breaks_in_its_part_fails_the_model_only(
    folder: Path, weavers: FakePlugins
) -> None:
    @hookimpl
    def turnkey_loading_script():
        raise ZeroDivisionError("no script today")

    # The plugin that was loaded last is asked first.
    weavers.add(distribution="zebra", turnkey_loading_script=turnkey_loading_script)
    done = put_into("out")
    assert done.code == ExitCode.FAILED
    assert "Failed in --output: ZeroDivisionError: no script today" in done.out
    assert not list((folder / "out").iterdir())


def test_the_older_copy_goes_only_when_the_new_one_is_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_into("out")
    (place,) = (folder / "out").iterdir()
    real, there = deliver.shutil.rmtree, []

    def rmtree(path: Path, **more: object) -> None:
        if Path(path).parent == place.parent:
            there.append((place / deliver.ABOUT_FILE).is_file())
        real(path, **more)

    monkeypatch.setattr(deliver.shutil, "rmtree", rmtree)
    assert put_into("out").code == ExitCode.OK
    assert there and all(there)


def test_of_two_that_deliver_at_once_one_is_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_into("out")
    (place,) = (folder / "out").iterdir()
    real, others = Path.rename, []

    def rename(path: Path, target: Path) -> Path:
        if target == place and not others:
            # Another process is sooner.
            others.append(shutil.copytree(path, place))
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    assert put_into("out").code == ExitCode.OK
    assert others
    assert "about.json" in delivered(place)
    assert [path.name for path in (folder / "out").iterdir()] == [place.name]


def test_what_a_killed_delivery_left_goes_in_time(folder: Path) -> None:
    put_into("out")
    (place,) = (folder / "out").iterdir()
    names = {"old": f".tmp-{place.name}-1", "new": f".tmp-{place.name}-2", "other": ".tmp-x-1"}
    for age, name in names.items():
        (place.parent / name).mkdir()
        if age != "new":
            os.utime(place.parent / name, (time.time() - 7200,) * 2)
    put_into("out")
    left = {path.name for path in place.parent.iterdir()}
    assert left == {place.name, names["new"], names["other"]}
