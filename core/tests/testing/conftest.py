"""A plugin that is right, and the means to make it wrong in one place."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from core_env import write_distribution

from turnkeyml.plugins.registry import CORE, GROUP, Registry, load_registry
from turnkeyml.state import State
from turnkeyml.testing.feeding import ToolInputs
from turnkeyml.testing.plugin_rules import PluginSubject
from turnkeyml.testing.runtime_subject import RuntimeSubject
from turnkeyml.testing.tool_subject import ToolSubject

HERE = Path(__file__).parent
# Test modules find what they share here.
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

HEAVY = "cupy"
"""A heavy package that is not installed here; its place is taken by an empty module."""

_numbers = itertools.count()


def add_word(state: State) -> None:
    """Add an artifact that the right plugin's tools take."""
    path = state.folder("words") / "word.txt"
    path.write_text("hello")
    state.add("word-file", [path])


def write_words(folder: Path) -> Path:
    """Write an input file with two models that are the same."""
    path = folder / "some.words"
    path.write_text("hello\nhello\n")
    return path


@dataclass(frozen=True)
class Kit:
    """The right plugin, installed, perhaps with mistakes.

    Args:
        name: Of its distribution.
        registry: The core and it.
        scratch: A folder of the test's own.
    """

    name: str
    registry: Registry
    scratch: Path

    def plugin(self) -> PluginSubject:
        return PluginSubject(self.name, self.registry, self.scratch)

    def tool(self, name: str, **more: Any) -> ToolSubject:
        inputs = ToolInputs(make_input=add_word, make_source=write_words)
        return ToolSubject(self.registry.tool(name), self.registry, self.scratch, inputs, **more)

    def runtime(self, name: str, **more: Any) -> RuntimeSubject:
        record = self.registry.runtime(name)
        return RuntimeSubject(record, self.registry, self.scratch, ToolInputs(), **more)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Kit]]:
    """Install the right plugin with some texts of it replaced; a mistake's traces are removed."""
    before = dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGUSR2)}
    folder, umask = Path.cwd(), os.umask(0o022)
    os.umask(umask)
    modules = set(sys.modules)
    work = tmp_path / "work"
    work.mkdir()
    os.chdir(work)

    def make(*edits: tuple[str, str], requires: str = CORE) -> Kit:
        name = f"right-plugin-{next(_numbers)}"
        site = tmp_path / "site"
        texts = {
            file.stem: file.read_text("utf-8") for file in sorted((HERE / "right").glob("*.txt"))
        }
        for old, new in edits:
            assert any(old in text for text in texts.values()), f"no {old!r} to replace"
            texts = {key: text.replace(old, new) for key, text in texts.items()}
        module = name.replace("-", "_")
        texts = {key: text.replace("RIGHT", module) for key, text in texts.items()}
        write_distribution(site, name, texts.pop("plugin"))
        for key, text in texts.items():
            (site / f"{module}_{key}.py").write_text(text, "utf-8")
        with (site / f"{module}-1.2.dist-info" / "METADATA").open("a") as file:
            file.write(f"Requires-Dist: {requires}\n")
        (site / f"{HEAVY}.py").touch()
        monkeypatch.syspath_prepend(site)
        points = [
            point
            for point in metadata.entry_points(group=GROUP)
            if point.dist is not None and point.dist.name in (name, CORE)
        ]
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        return Kit(name, load_registry(points), scratch)

    yield make
    os.environ.clear()
    os.environ.update(before)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    os.chdir(folder)
    os.umask(umask)
    for loaded in set(sys.modules) - modules:
        if loaded.startswith(("right_plugin", HEAVY)):
            del sys.modules[loaded]
