"""Two commands at once on one input: neither takes, changes or loses what is the other's."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builds import spared, the_build, the_state
from core_env import Ended, Environment, FakePlugins, run_here

from turnkeyml.cache.layout import Cache
from turnkeyml.cache.staging import STAGING, Staging, opened_log, publish_log, staging_folder
from turnkeyml.context import RunContext
from turnkeyml.errors import CacheError
from turnkeyml.execution.chain import run_chain
from turnkeyml.inputs import Source
from turnkeyml.load_build import LoadBuild
from turnkeyml.outcomes import Status
from turnkeyml.plan import make_plan

FIND = ("-i", "a.toy", "find")
WAIT = ("act", "--do", "wait-for", "--word", "go")
PIPES: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}

SLOW = '''
import os
import time
from pathlib import Path

from turnkeyml.artifacts import INPUTS
from turnkeyml.state import ModelInfo
from turnkeyml.tool import FirstTool, Tool
from turnkeyml.worker.tensors import read_tensors

implements = {
    "tools": [
        {"class": "slowplug:Slow", "name": "slow", "summary": "Find slowly.", "role": "first"},
        {"class": "slowplug:Total", "name": "total", "summary": "Add up slowly."},
    ]
}


def wait(name):
    Path(f"{name}.here").touch()
    deadline = time.monotonic() + 30
    while not Path(name).exists() and time.monotonic() < deadline:
        time.sleep(0.01)


class Slow(FirstTool):
    """Find slowly."""

    name = "slow"
    suffixes = (".slow",)
    produces = "toy-model"

    def start(self, source, options, context):
        who = os.environ["WHO"]
        print(who, "begins", flush=True)
        wait(who)
        print(who, "ends", flush=True)
        if os.environ.get("BOOM") == who:
            raise ValueError("boom of " + who)
        state = context.new_state(source, ModelInfo("m", "ab" * 32, "T"))
        state.add("toy-model", live="1", live_key={"weights": "1"})
        yield state


class Total(Tool):
    """Add up the inputs, some time after they were found right."""

    name = "total"
    consumes = ("toy-model",)
    produces = "toy-file"
    reads = (INPUTS,)

    def run(self, state, options):
        wait("go")
        folder = state.build.path / state.newest(INPUTS).info["folder"]
        path = state.folder("toy") / state.file_name(".txt")
        path.write_bytes(bytes(read_tensors(folder)["x"].data))
        state.add("toy-file", [path])
        return state
'''


@pytest.fixture
def home(environment: Environment) -> Environment:
    environment.install_toys()
    environment.install_weavers()
    environment.install("slowplug", SLOW)
    (environment.home / "a.toy").write_text("one 1 in=3,4\n")
    return environment


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def waiting(home: Environment) -> bool:
    """Tell whether a command has found its model, and has not begun to build."""
    return any(home.cache.glob(f"{STAGING}/*/*/inputs/inputs.json"))


def end_of(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    text = process.communicate(timeout=60)[0].decode()
    return process.returncode, text


def test_each_prints_and_keeps_its_own_log(home: Environment) -> None:
    (home.home / "a.slow").touch()
    chain = ("-i", "a.slow", "slow", "compile")
    with home.started(*chain, variables={"WHO": "A", "BOOM": "A"}, **PIPES) as first:
        until((home.home / "A.here").exists)
        with home.started(*chain, variables={"WHO": "B"}, **PIPES) as second:
            until((home.home / "B.here").exists)
            (home.home / "A").touch()
            code, text = end_of(first)
            (home.home / "B").touch()
            other_code, other_text = end_of(second)
    assert (code, other_code) == (1, 0), text + other_text
    assert "A ends" in text and "boom of A" in text and "B begins" not in text
    assert "A begins" not in other_text and "boom" not in other_text
    logs = [*home.cache.glob(".logs/*"), the_build(home.cache).log_file("slow")]
    assert [log.read_text() for log in logs] == ["B begins\nB ends\n"] * 2


def test_a_lean_cache_is_no_harm_to_who_waits_for_it(home: Environment) -> None:
    with home.started("--lean-cache", *FIND, *WAIT, "weave", **PIPES) as first:
        until((home.home / "go.here").exists)
        with home.started(*FIND, "weave", "twist", **PIPES) as second:
            until(lambda: waiting(home))
            (home.home / "go").touch()
            assert [end_of(first)[0], end_of(second)[0]] == [0, 0]
    assert "inputs" in {path.name for path in the_build(home.cache).path.iterdir()}


@pytest.mark.parametrize("words", [("clean", "--older-than", "30d"), ("delete", "--all", "--yes")])
def test_making_room_leaves_what_a_command_is_about_to_use(
    home: Environment, words: tuple[str, ...]
) -> None:
    (home.home / "a.toy").write_text("one 1 in=3,4\ntwo 2 in=5,6\n")
    assert home.turnkey(*FIND, "weave").code == 0
    for path in home.cache.glob("*/*_state.yaml"):
        os.utime(path, (time.time() - 40 * 86400,) * 2)
    with home.started(*FIND, *WAIT, "weave", "check", **PIPES) as process:
        until((home.home / "go.here").exists)
        done = home.turnkey("cache", *words)
        (home.home / "go").touch()
        code, text = end_of(process)
    assert code == 0, text
    # The one that is worked on is left; what is to be built in the other is not lost.
    assert "1 build, " in done.out, done.text


def test_inputs_of_another_process_are_not_computed_with(home: Environment) -> None:
    with home.started(*FIND, "total", **PIPES) as first:
        until((home.home / "go.here").exists)
        # The same model, called with other values: as by a script without a seed.
        (home.home / "a.toy").write_text("one 1 in=500,600\n")
        with home.started(*FIND, "total", **PIPES) as second:
            until(lambda: waiting(home))
            (home.home / "go").touch()
            assert [end_of(first)[0], end_of(second)[0]] == [0, 0]
    for values in ((500, 600), (3, 4)):
        (home.home / "a.toy").write_text("one 1 in={},{}\n".format(*values))
        done = home.turnkey(*FIND, "total")
        (file,) = the_build(home.cache).path.glob("toy/*.txt")
        assert file.read_bytes() == b"".join(n.to_bytes(8, "little") for n in values)
        assert spared(done) == (["total"] if values == (500, 600) else [])


def test_nothing_is_left_of_a_command_that_was_killed(home: Environment) -> None:
    with home.started(*FIND, *WAIT, **PIPES) as process:
        until((home.home / "go.here").exists)
        assert len(list(home.cache.glob(f"{STAGING}/*.lock"))) == 1
        process.kill()
        process.communicate(timeout=60)
    assert len(list(home.cache.glob(f"{STAGING}/*.lock"))) == 1
    (home.home / "go").touch()
    assert home.turnkey(*FIND, *WAIT).code == 0
    assert list(home.cache.glob(f"{STAGING}/*")) == []


@pytest.fixture
def cache(weavers: FakePlugins, tmp_path: Path) -> Path:
    (tmp_path / "a.toy").write_text("one 1 in=3,4\n")
    assert run("weave").code == 0
    return tmp_path / "cache"


def run(*words: str) -> Ended:
    return run_here(*FIND, *words)


@pytest.mark.parametrize("words", [("--rebuild", "always"), ()])
def test_what_was_loaded_is_what_is_there_when_the_lock_is_held(
    cache: Path, weavers: FakePlugins, words: tuple[str, ...], tmp_path: Path
) -> None:
    registry = weavers.registry()
    plan = make_plan(["load-build", "count"], ".yaml", registry)
    first = plan.steps[0]
    context = RunContext(registry, Cache(cache), first_step=(first.name, first.identity))
    path = the_build(cache).state_file
    (state,) = LoadBuild().start(Source(path), None, context)
    # Meanwhile another command makes it anew, from other code.
    (tmp_path / "a.toy").write_text("one 1 in=3,4 code=2\n")
    assert run_here(*words, *FIND, "weave").code == 0
    run_chain(state, plan)
    assert state.status is Status.SUCCESSFUL, state.error
    assert [a.kind for a in the_state(cache).artifacts if a.kind == "toy-net"] == ["toy-net"] * 2


def test_what_was_loaded_and_is_gone_is_said(cache: Path, weavers: FakePlugins) -> None:
    registry = weavers.registry()
    plan = make_plan(["load-build", "count"], ".yaml", registry)
    context = RunContext(registry, Cache(cache), first_step=("load-build", "1"))
    (state,) = LoadBuild().start(Source(the_build(cache).state_file), None, context)
    assert run_here("cache", "clean", "--all").code == 0
    with pytest.raises(CacheError, match="was taken away meanwhile"):
        run_chain(state, plan)


@pytest.fixture
def staging(tmp_path: Path) -> Iterator[Path]:
    with staging_folder(tmp_path) as folder:
        yield folder


def test_a_folder_is_there_for_as_long_as_it_is_used(tmp_path: Path) -> None:
    with staging_folder(tmp_path) as first:
        (first / "file").touch()
        with staging_folder(tmp_path) as second:
            assert first != second
            assert (first / "file").exists()
        assert not second.exists()
    assert not first.exists()


def test_what_is_no_jobs_folder_is_left_alone(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / STAGING, tmp_path / "elsewhere"
    (root / "other").mkdir(parents=True)
    elsewhere.mkdir()
    (root / "link").symlink_to(elsewhere)
    (root / "link.lock").touch()
    (elsewhere / "file").touch()
    with staging_folder(tmp_path):
        assert (root / "other").is_dir()
        assert (elsewhere / "file").exists()


def test_what_a_killed_cleaner_left_is_taken_away(tmp_path: Path) -> None:
    root = tmp_path / STAGING
    (root / "half/inputs").mkdir(parents=True)
    (root / "half.lock").touch()
    with staging_folder(tmp_path) as folder:
        assert {path.name for path in root.iterdir() if path.is_dir()} == {folder.name}
    assert not list(root.iterdir())


def test_a_build_that_another_model_has_taken_is_not_written_to(
    tmp_path: Path, staging: Path
) -> None:
    cache = Cache(tmp_path)
    build = cache.claim(Path("/a.toy"), "0" * 64)
    other = cache.claim(Path("/b.toy"), "1" * 64)
    (staging / "own").mkdir()
    (staging / "own/file").touch()
    with pytest.raises(CacheError, match="another model has its name"):
        Staging(staging / "own", lambda: other).settle(build)
    assert not (build.path / "file").exists()


def test_a_link_in_a_build_is_not_written_through(tmp_path: Path, staging: Path) -> None:
    build = Cache(tmp_path).claim(Path("/a.toy"), "0" * 64)
    (tmp_path / "elsewhere").mkdir()
    (build.path / "inputs").symlink_to(tmp_path / "elsewhere")
    (staging / "own/inputs").mkdir(parents=True)
    (staging / "own/inputs/file").write_text("x")
    Staging(staging / "own", lambda: build).settle(build)
    assert (build.path / "inputs/file").read_text() == "x"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_log_that_another_process_has_put_there_meanwhile_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, own, other = tmp_path / "log", tmp_path / "own", tmp_path / "other"
    other.write_text("other")
    published = []

    def publish(name: Path, path: Path) -> None:
        publish_log(name, path)
        published.append(name)
        if len(published) == 1:
            publish_log(other, path)

    monkeypatch.setattr("turnkeyml.cache.staging.publish_log", publish)
    with opened_log(log, own) as file:
        file.write(b"mine")
    assert (log.read_text(), own.read_text(), other.read_text()) == ("mine", "mine", "other")
    assert published == [own] * 2
