"""The contract of a tool: one stage of a chain."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from turnkeyml.options import NoOptions
from turnkeyml.plugins.records import ToolRole

if TYPE_CHECKING:
    import click

    from turnkeyml.context import RunContext
    from turnkeyml.inputs import Source
    from turnkeyml.plugins.registry import Registry
    from turnkeyml.state import State


HOST = "host"
"""The processor of the machine that a job runs on, as a device that steps can be alone on."""


@dataclass(frozen=True)
class Contract:
    """What a tool takes and makes, given its options.

    Args:
        consumes: Kinds that it can start from; it gets the newest artifact among them.
        produces: The kind that it makes, or None if it passes its input on.
        default_sequence: What may be put in before it when no artifact of those kinds is there:
            alternatives, of which the first that is wholly installed is taken.
        environment: Variables that must be set before anything heavy is imported.
        may_produce: For a tool that only finds out when it runs: kinds that it may make, of which
            a later step that takes one finds out whether it is there.
        alone_on: The device on which no other job of the same host may work meanwhile: `HOST` for
            the processor, else the device's family. None: it does not matter.
    """

    consumes: tuple[str, ...] = ()
    produces: str | None = None
    default_sequence: tuple[Any, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    may_produce: tuple[str, ...] = ()
    alone_on: str | None = None


class AnyTool:
    """What all tools have in common: a name, and a docstring that is the help page.

    The docstring's first line stands in the list of tools.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()


class ChainTool(AnyTool):
    """What may stand in a chain."""

    Options: ClassVar[type] = NoOptions
    consumes: ClassVar[tuple[str, ...]] = ()
    produces: ClassVar[str | None] = None
    reads: ClassVar[tuple[str, ...]] = ()
    """Kinds of artifacts that it looks at besides its input, such as ``inputs``."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Distributions whose versions decide what it makes, such as ``onnx``; one that is not
    installed counts too."""

    ends_chain: ClassVar[bool] = True
    """Whether a failure ends the chain of its model; not for one that only measures."""

    @classmethod
    def expand(cls, options: Any, registry: Registry) -> tuple[Any, ...]:
        """Turn one step into several of this tool, such as one for each runtime that was named.

        Called when the chain is planned, before `resolve`, with the options as they were given.
        """
        return (options,)

    @classmethod
    def resolve(cls, options: Any, registry: Registry) -> Any:
        """Fill in defaults that depend on what is installed, and check what can be checked.

        Called when the chain is planned, before anything runs. What comes back is recorded, and
        decides whether an earlier result can be used again.

        Raises:
            PlanError: The options cannot work here.
        """
        return options

    @classmethod
    def contract(cls, options: Any, registry: Registry) -> Contract:
        """Say what the tool takes and makes with these (resolved) options; without side effects."""
        return Contract(cls.consumes, cls.produces)


class Tool(ChainTool, ABC):
    """A stage of a chain. The smallest complete one::

        class CountNodes(Tool):
            '''Count the operators of an ONNX file.'''

            name = "count-nodes"
            consumes = (ONNX_MODEL,)

            def run(self, state, options):
                import onnx

                model = onnx.load(state.input_file(), load_external_data=False)
                state.stats.save("nodes", len(model.graph.node))
                return state

    One instance is made for each model. Heavy packages are imported inside ``run``.
    """

    @abstractmethod
    def run(self, state: State, options: Any) -> State:
        """Do the work on one model.

        Args:
            state: Gives the input (``state.input``, ``state.input_file()``), the build directory
                and the statistics; what is made is handed over with ``state.add``.
            options: An instance of ``Options``.

        Returns:
            The same state.

        Raises:
            TurnkeyError: With one sentence that says what went wrong and what to do.
        """


class FirstTool(ChainTool, ABC):
    """A tool that starts a chain: it takes an input and gives a state for each model in it."""

    suffixes: ClassVar[tuple[str, ...]] = ()
    takes_parameters: ClassVar[bool] = False
    """Whether it hands ``source.parameters``, which ``--sweep`` sets, to the input."""

    @abstractmethod
    def start(self, source: Source, options: Any, context: RunContext) -> Iterator[State]:
        """Find the models of one input.

        Args:
            source: The file, one of ``suffixes``, with the hashes that the user selected.
            options: An instance of ``Options``.
            context: Makes states (``context.new_state``) and carries messages (``context.note``).

        Yields:
            A state for each model, in order; those not selected have ``selected=False``.

        Raises:
            TurnkeyError: No model can be had, or the input broke after giving some. Models yielded
                before go on.
        """


class ManagementTool(AnyTool, ABC):
    """A tool that stands alone on the command line, such as ``turnkey plugins``."""

    @classmethod
    @abstractmethod
    def command(cls, registry: Registry) -> click.Command:
        """Make its click command; called only when the user asks for this tool."""


def role_of(tool: type[AnyTool]) -> ToolRole:
    """Tell where a tool may stand."""
    if issubclass(tool, FirstTool):
        return ToolRole.FIRST
    return ToolRole.MANAGEMENT if issubclass(tool, ManagementTool) else ToolRole.STEP


def summary_of(tool: type[AnyTool]) -> str:
    """Give the first line of a tool's docstring."""
    return (inspect.getdoc(tool) or "").partition("\n")[0]
