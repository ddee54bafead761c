"""What tools and runtimes under test are run on: an author's inputs, or the kit's own model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.cache.layout import Cache
from turnkeyml.context import RunContext
from turnkeyml.inputs import Source
from turnkeyml.plugins.records import ObjectRef, Provider, ToolRecord, ToolRole
from turnkeyml.plugins.registry import CORE, Registry
from turnkeyml.state import ModelInfo, State
from turnkeyml.testing.rules import NotApplicable
from turnkeyml.testing.tiny_model import add_tiny_onnx, tiny_onnx
from turnkeyml.tool import ChainTool, Contract, FirstTool

FEED = "conformance-input"
"""The name of the step that starts the kit's chains."""

_FIRST_STEP = (FEED, "0" * 8)
DIGEST = "c0" * 32
NO_MODEL = b"This is no model.\n"

Feed = Callable[[State], object]
"""Adds artifacts to a state."""
MakeSource = Callable[[Path], Path]
"""Writes an input file into a folder and gives its path."""


@dataclass(frozen=True)
class ToolInputs:
    """What a tool is run on; None stands for the kit's own model.

    Args:
        make_input: For a tool that follows others: adds what it takes.
        make_broken_input: Likewise, such that it must fail.
        make_source: For a tool that starts a chain: writes a file with a model.
        make_broken_source: Likewise, such that it must fail.
        assumed: Whether nobody said that the tool takes the kit's own model, so that it may refuse
            it.
    """

    make_input: Feed | None = None
    make_broken_input: Feed | None = None
    make_source: MakeSource | None = None
    make_broken_source: MakeSource | None = None
    assumed: bool = False

    def feed(self, kinds: tuple[str, ...]) -> Feed:
        """Give what adds a usable input of one of these kinds.

        Raises:
            NotApplicable: Nothing does.
        """
        if self.make_input is not None:
            return self.make_input
        if ONNX_MODEL in kinds:
            return add_tiny_onnx
        taken = " or ".join(kinds) or "nothing"
        raise NotApplicable(f"It takes {taken}, of which the kit has none; see make_input.")

    def broken_feed(self, kinds: tuple[str, ...]) -> Feed:
        """Give what adds an input that cannot be used: by default a file with other content.

        Raises:
            NotApplicable: Nothing does.
        """
        if self.make_broken_input is not None:
            return self.make_broken_input
        usable = self.feed(kinds)

        def spoiled(state: State) -> None:
            usable(state)
            spoil(state, kinds)

        return spoiled

    def source(self, suffixes: tuple[str, ...]) -> MakeSource:
        """Give what writes a usable input file.

        Raises:
            NotApplicable: Nothing does.
        """
        if self.make_source is not None:
            return self.make_source
        if ".onnx" in suffixes:
            return lambda folder: _write(folder / "tiny.onnx", tiny_onnx())
        raise NotApplicable(
            f"It takes {' or '.join(suffixes)} files, of which the kit has none; see make_source."
        )

    def broken_source(self, suffixes: tuple[str, ...]) -> MakeSource:
        """Give what writes an input file that cannot be used."""
        if self.make_broken_source is not None:
            return self.make_broken_source
        return lambda folder: _write(folder / f"broken{suffixes[0]}", NO_MODEL)


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def spoil(state: State, kinds: tuple[str, ...]) -> None:
    """Replace the file of the newest artifact of these kinds by one that is no model.

    Raises:
        NotApplicable: It is a live object.
    """
    artifact = state.newest(*kinds)
    if not artifact.is_file:
        raise NotApplicable(
            f"The {artifact.kind} is a live object, which the kit cannot spoil; "
            "see make_broken_input."
        )
    path = state.file_of(artifact)
    path.write_bytes(NO_MODEL)
    # As if it had always been so: what is tested is the tool, not that damage is noticed.
    place = state.artifacts.index(artifact)
    spoilt = state.add(artifact.kind, [path, *artifact.files[1:]], info=artifact.info)
    state.artifacts[place] = replace(spoilt, step=artifact.step)
    state.artifacts.pop()


def new_state(context: RunContext, source: Source) -> State:
    """Make a state of a model that is made up, and that has its build for itself.

    What adds its artifacts may call other tools, which find them in the build.
    """
    return replace(context, staging=None).new_state(
        source, ModelInfo("model", DIGEST, "Made up by the conformance kit")
    )


def make_state(folder: Path, registry: Registry | None = None) -> State:
    """Make a state for a test of an author's own, of a model that is made up and has no artifact.

    Args:
        folder: Gets a cache with the build directory.
        registry: What the tool finds installed; by default nothing.
    """
    context = RunContext(registry or Registry(), Cache(folder / "cache"), first_step=_FIRST_STEP)
    return new_state(context, Source(folder / "model"))


def begin_tool(state: State, tool: type[ChainTool], options: Any = None) -> Any:
    """Do with a state what the chain does before it runs a tool.

    Args:
        state: With the artifacts that the tool takes.
        tool: Its class.
        options: Of it; by default its defaults.

    Returns:
        The options, resolved, for ``tool().run(state, options)``.
    """
    registry = state.context.registry
    resolved = tool.resolve(tool.Options() if options is None else options, registry)
    consumes = tool.contract(resolved, registry).consumes
    state.begin_step(tool.name, "1" * 8, consumes)
    state.stats.begin_step("1" * 8, {"tool": tool.name})
    return resolved


@dataclass
class Feeding:
    """How feeding went.

    Args:
        error: What the author's function raised.
    """

    error: BaseException | None = None


def with_feeder(
    registry: Registry, feed: Feed, kinds: tuple[str, ...], feeding: Feeding
) -> Registry:
    """Give a registry with a tool that starts a chain from what an author's function adds.

    Args:
        registry: What is installed.
        feed: The function.
        kinds: What it may add.
        feeding: Learns what it raises.
    """

    class Feeder(FirstTool):
        """Start a chain from an input that is made for testing."""

        name = FEED
        suffixes: ClassVar[tuple[str, ...]] = ("",)

        @classmethod
        def contract(cls, options: Any, registry: Registry) -> Contract:
            return Contract(may_produce=kinds)

        def start(self, source: Source, options: Any, context: RunContext) -> Iterator[State]:
            state = new_state(context, source)
            try:
                feed(state)
            except BaseException as error:
                feeding.error = error
                raise
            yield state

    ref = ObjectRef(Provider(CORE, "", FEED, __name__), FEED, Feeder)
    record = ToolRecord(FEED, (), "", ToolRole.FIRST, ref)
    return replace(registry, tools={**registry.tools, FEED: record})
