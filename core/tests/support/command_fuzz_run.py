"""Runs command lines that were made at random, in this process, and collects what is wrong."""

from __future__ import annotations

import random
import re
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core_env import FakePlugins, run_here
from fuzz_command_line import (
    Vocabulary,
    Watch,
    World,
    command_lines,
    make_world,
    restore,
    safe,
    vocabulary_of,
)
from hypothesis import HealthCheck, Phase, given, seed, settings

from turnkeyml.plugins.registry import load_registry

_OF_PYTHON = re.compile(r"object at 0x|<class '|NoneType|TypeError|AttributeError|KeyError")
SECONDS = 1.0
"""What a command line that runs nothing may take of the processor's time."""

CODES: Counter[int] = Counter()
"""How the command lines have ended so far."""


def set_up(folder: Path, patch: Any, *, real: bool = False) -> tuple[World, Vocabulary]:
    """Make a world, with the toys or with what is installed, and two builds in its cache."""
    world = make_world(folder / "world")
    patch.chdir(world.here)
    patch.setenv("TURNKEY_CACHE_DIR", str(world.here / "cache"))
    patch.setenv("HOME", str(world.home))
    patch.setenv("TOY_THREADS", "3")
    if real:
        return world, vocabulary_of(load_registry())
    fakes = FakePlugins(patch)
    fakes.add_toys()
    fakes.add_weavers()
    for name in ("a.toy", "b.toy"):
        done = run_here("-i", name, "find", "compile", "benchmark", "--iterations", "2")
        assert done.code == 0, done
    (world.here / "cache").rename(world.template)
    restore(world)
    return world, vocabulary_of(fakes.registry())


def complaints(code: int, out: str, err: str, outside: Sequence[str] = ()) -> list[str]:
    """Say what a command did that it must not do."""
    found = []
    if code not in (0, 1, 2):
        found.append(f"exit code {code}")
    if "Traceback (most recent call last)" in out + err:
        found.append("a traceback")
    if code == 2 and not err.strip():
        found.append("exit code 2 without a word")
    if code == 2 and not err.startswith(("Error: ", "Usage: ", "Warning: ")):
        found.append("an error that does not begin as one")
    if _OF_PYTHON.search(err):
        found.append("an error that speaks of Python's objects")
    odd = sorted({c for c in out + err if (ord(c) < 32 and c not in "\n\t") or ord(c) == 127})
    if odd:
        found.append(f"control characters {odd}")
    found += [f"written outside: {one}" for one in outside]
    return found


def try_line(line: Sequence[str], world: World, *, dry: bool) -> list[str]:
    """Run a command line; gives what it did that it must not do."""
    words = safe(line, dry=dry)
    found, seconds = _run(words, world)
    planned = "--dry-run" in words[:2]
    if planned and seconds > SECONDS:
        # A busy machine makes a moment of the processor's time longer, but seldom twice.
        found, again = _run(words, world)
        seconds = min(seconds, again)
    if planned and seconds > SECONDS:
        found.append(f"{seconds:.1f} s of the processor's time")
    return found


def _run(words: Sequence[str], world: World) -> tuple[list[str], float]:
    """Run words; gives what was wrong but for the time, and the time in seconds."""
    watch = Watch(world.root)
    begun = time.process_time()
    with watch.watching():
        try:
            done = run_here(*words)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - whatever it is, it is what is looked for
            return [traceback.format_exc()], 0.0
        finally:
            spent = time.process_time() - begun
    if "--dry-run" not in words[:2]:
        restore(world)
    CODES[done.code] += 1
    return complaints(done.code, done.out, done.err, watch.outside), spent


def fuzz_for(
    seconds: float, folder: Path, patch: Any, *, real: bool = False, chance: int | None = None
) -> tuple[int, list[tuple[list[str], list[str]]]]:
    """Try command lines for so long; gives how many, and those that did what they must not.

    Args:
        seconds: How long.
        folder: A place for what they write.
        patch: Sets environment variables.
        real: With the installed plugins instead of toys.
        chance: The same number tries the same lines again; None tries others each time.
    """
    seeds = random.Random(chance)
    warnings.simplefilter("error")
    world, words = set_up(folder, patch, real=real)
    end = time.monotonic() + seconds
    count, found = 0, []

    @settings(
        max_examples=200,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(command_lines(words))
    def attempt(line: list[str]) -> None:
        nonlocal count
        if time.monotonic() > end:
            return
        count += 1
        what = try_line(line, world, dry=real or count % 3 != 0)
        if what:
            print(line, *what, sep="\n  ", flush=True)
            found.append((line, what))

    while time.monotonic() < end:
        seed(seeds.randrange(2**32))(attempt)()
    return count, found
