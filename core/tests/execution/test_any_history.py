"""Whatever was run before, or happened to the files, the next run makes what an empty cache gives.

Random histories of one build: chains with other options and other source, rebuilt, cleaned, lean,
failed, loaded, damaged. Then one more chain, whose artifacts must be those of a cache of its own.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import pytest
from builds import builds_in, results_of
from core_env import FakePlugins, run_here
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from turnkeyml.errors import ExitCode

LINES = [
    f"one 1{inputs}{code}" for inputs in ("", " in=3,4", " in=3,5") for code in ("", " code=1")
]
ON_NETS = st.sampled_from(
    [
        ("twist",),
        ("twist", "--times", "2"),
        ("count",),
        ("count", "count"),
        ("stamp",),
        ("check",),
        ("trouble",),
    ]
)
WEAVES = st.sampled_from([("weave",), ("weave", "--opset", "20"), ("weave", "weave")])
NETS = st.tuples(WEAVES, st.lists(ON_NETS, max_size=3).map(lambda parts: sum(parts, ()))).map(
    lambda pair: pair[0] + pair[1]
)
TEXTS = st.sampled_from(
    [("compile",), ("compile", "shrink"), ("compile", "--level", "2", "shrink"), ("act",)]
)
CHAINS = st.one_of(NETS, TEXTS, st.tuples(TEXTS, NETS).map(lambda pair: pair[0] + pair[1]))
BEFORE = st.sampled_from([(), (), (), ("--rebuild", "always"), ("--lean-cache",)])
LOADED = st.sampled_from([("count",), ("twist",), ("twist", "count"), ("stamp", "check")])

RUN = st.tuples(st.just("run"), st.sampled_from(LINES), BEFORE, CHAINS)
FAIL = st.tuples(st.just("fail"), st.sampled_from(LINES), WEAVES)
LOAD = st.tuples(st.just("load"), LOADED)
CLEAN = st.tuples(st.just("clean"))
HARM = st.tuples(
    st.just("harm"),
    st.sampled_from(["flip", "flip", "delete", "cut", "swap"]),
    st.integers(0, 50),
    st.integers(0, 10_000),
)
HISTORIES = st.lists(st.one_of(RUN, RUN, FAIL, LOAD, CLEAN, HARM, HARM), max_size=6)
LAST = st.tuples(st.sampled_from(LINES), CHAINS)


class World:
    """A cache with a history, and the caches of those without one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._right: dict[Any, Any] = {}

    def play(self, history: list[Any], line: str, chain: tuple[str, ...]) -> None:
        """Go through a history and compare what its last chain gives."""
        cache = self._folder / f"cache{next(self._numbers)}"
        for deed, *details in history:
            getattr(self, f"_{deed}")(cache, *details)
            event(deed)
        self._run(cache, line, (), chain)
        assert results_of(cache) == self._of_an_empty_cache(line, chain)
        again = run_here("-d", str(cache), "-i", "a.toy", "find", *chain)
        assert "Note:" not in again.out
        assert results_of(cache) == self._of_an_empty_cache(line, chain)
        shutil.rmtree(cache)

    def _of_an_empty_cache(self, line: str, chain: tuple[str, ...]) -> Any:
        if (line, chain) not in self._right:
            cache = self._folder / "empty"
            self._run(cache, line, (), chain)
            self._right[line, chain] = results_of(cache)
            shutil.rmtree(cache)
        return self._right[line, chain]

    def _run(self, cache: Path, line: str, before: tuple[str, ...], chain: tuple[str, ...]) -> None:
        (self._folder / "a.toy").write_text(f"{line}\n")
        done = run_here(*before, "-d", str(cache), "-i", "a.toy", "find", *chain)
        assert done.code == ExitCode.OK, done.text

    def _fail(self, cache: Path, line: str, weave: tuple[str, ...]) -> None:
        (self._folder / "a.toy").write_text(f"{line}\n")
        words = ("trouble", "--do", "fail")
        done = run_here("-d", str(cache), "-i", "a.toy", "find", *weave, *words)
        assert done.code == ExitCode.FAILED, done.text

    def _load(self, cache: Path, chain: tuple[str, ...]) -> None:
        for build in builds_in(cache):
            done = run_here("-i", str(build.state_file), "load-build", *chain)
            # It fails where the build has no net, or damaged ones.
            assert done.code in (ExitCode.OK, ExitCode.FAILED), done.text
            assert "Traceback" not in done.text

    def _clean(self, cache: Path) -> None:
        done = run_here("cache", "clean", "--all", "-d", str(cache))
        assert done.code in (ExitCode.OK, ExitCode.FAILED), done.text

    def _harm(self, cache: Path, how: str, which: int, place: int) -> None:
        files = sorted(
            path
            for path in cache.rglob("*")
            if path.is_file() and ".l" not in path.as_posix() and not path.name.startswith("log_")
        )
        # Without its claim a build is somebody else's.
        files = [path for path in files if path.name != ".claim"]
        if not files:
            return
        path = files[which % len(files)]
        content = path.read_bytes()
        if how == "delete" or not content:
            path.unlink()
        elif how == "cut":
            path.write_bytes(content[: place % len(content)])
        elif how == "swap":
            path.write_bytes(files[place % len(files)].read_bytes())
        else:
            flipped = bytearray(content)
            flipped[place % len(content)] ^= 1 << place % 8
            path.write_bytes(bytes(flipped))


@pytest.fixture
def world(weavers: FakePlugins, tmp_path: Path) -> World:
    return World(tmp_path)


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=10, derandomize=True, suppress_health_check=QUIET)
@given(history=HISTORIES, last=LAST)
def test_the_last_chain_gives_what_an_empty_cache_gives(
    history: list[Any], last: tuple[str, tuple[str, ...]], world: World
) -> None:
    world.play(history, *last)


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=QUIET)
@given(history=HISTORIES, last=LAST)
def test_the_last_chain_gives_what_an_empty_cache_gives_after_many_histories(
    history: list[Any], last: tuple[str, tuple[str, ...]], world: World
) -> None:
    world.play(history, *last)
