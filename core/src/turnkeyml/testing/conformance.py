"""The three classes that a plugin's author subclasses: each rule becomes a test of pytest.

pytest is imported when a test is skipped and not before, so that nothing else needs it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from turnkeyml.plugins.registry import Registry, load_registry
from turnkeyml.state import State
from turnkeyml.testing.device_rules import DEVICE_RULES
from turnkeyml.testing.feeding import ToolInputs
from turnkeyml.testing.plugin_rules import PLUGIN_RULES, PluginSubject
from turnkeyml.testing.rules import NotApplicable, Rule, check_exceptions
from turnkeyml.testing.runtime_rules import RUNTIME_RULES
from turnkeyml.testing.runtime_run_rules import RUNTIME_RUN_RULES
from turnkeyml.testing.runtime_subject import RuntimeSubject
from turnkeyml.testing.tool_rules import TOOL_RULES
from turnkeyml.testing.tool_run_rules import TOOL_RUN_RULES
from turnkeyml.testing.tool_subject import ToolSubject

S = TypeVar("S")
C = TypeVar("C", bound="type[Conformance[Any]]")


class Conformance(Generic[S]):
    """What the three classes have in common.

    Attributes:
        not_applicable: Rules that cannot hold for this plugin, by name, each with the reason; their
            tests are skipped with it.
    """

    not_applicable: ClassVar[Mapping[str, str]] = {}
    rules: ClassVar[Sequence[Rule[Any]]] = ()

    def registry(self) -> Registry:
        """Give what is installed."""
        return load_registry()

    @abstractmethod
    def subject(self, scratch: Path) -> S:
        """Make what the rules look at.

        Args:
            scratch: A folder of the test run's own.
        """

    def test_what_does_not_apply_is_a_rule_and_has_a_reason(self) -> None:
        """What an author leaves out is there, and is explained."""
        check_exceptions(self.rules, self.not_applicable)

    def _check(self, one: Rule[S], tmp_path_factory: Any) -> None:
        import pytest

        if one.name in self.not_applicable:
            pytest.skip(self.not_applicable[one.name])
        cls = type(self)
        # Runs of a tool take time, so the tests of a class share them.
        if "_made" not in vars(cls):
            cls._made = self.subject(tmp_path_factory.mktemp("conformance"))  # type: ignore[attr-defined]
        try:
            one.check(cls._made)  # type: ignore[attr-defined]
        except NotApplicable as reason:
            pytest.skip(str(reason))


def _with_tests(cls: C) -> C:
    """Add a test for each rule of a class."""
    for one in cls.rules:
        setattr(cls, f"test_{one.name}", _test_of(one))
    return cls


def _test_of(one: Rule[Any]) -> Callable[..., None]:
    def test(self: Conformance[Any], tmp_path_factory: Any) -> None:
        self._check(one, tmp_path_factory)

    test.__name__ = f"test_{one.name}"
    test.__doc__ = one.asks
    return test


@_with_tests
class PluginConformance(Conformance[PluginSubject]):
    """Prove what a package registers. The smallest complete one::

    class TestPlugin(PluginConformance):
        distribution = "turnkeyml-plugin-example"
    """

    distribution: ClassVar[str]
    rules = (*PLUGIN_RULES, *DEVICE_RULES)

    def subject(self, scratch: Path) -> PluginSubject:
        """Find the package among what is installed."""
        return PluginSubject(self.distribution, self.registry(), scratch)


class _WithInput(Conformance[S]):
    """What the classes for tools and for runtimes have in common: something to run them on."""

    def make_input(self, state: State) -> None:
        """Add an artifact of a kind that is taken, with `State.add`.

        By default the kit's own ONNX model is used where ONNX files are taken. See also
        `turnkeyml.testing.add_onnx`.
        """
        raise NotImplementedError

    def make_broken_input(self, state: State) -> None:
        """Add an artifact on which it must fail; by default the usual one with other content."""
        raise NotImplementedError

    def make_source(self, folder: Path) -> Path:
        """Write a file from which a chain can start, and give its path.

        By default it is the kit's own ONNX model where such files are taken.
        """
        raise NotImplementedError

    def make_broken_source(self, folder: Path) -> Path:
        """Write a file from which no chain can start; by default one that holds other content."""
        raise NotImplementedError

    def inputs(self) -> ToolInputs:
        """Give what the author made, and the kit's own in place of the rest."""
        names = ("make_input", "make_broken_input", "make_source", "make_broken_source")
        own = {
            name: getattr(self, name)
            for name in names
            if getattr(type(self), name) is not getattr(_WithInput, name)
        }
        return ToolInputs(**own)


@_with_tests
class ToolConformance(_WithInput[ToolSubject]):
    """Prove a tool. The smallest complete one, for a tool that takes ONNX files::

        class TestTool(ToolConformance):
            tool = "count-operators"

    Attributes:
        tool: Its name.
        options_to_try: Sets of values by the names of the options' fields; the tool is run with
            each.
    """

    tool: ClassVar[str]
    options_to_try: ClassVar[Sequence[Mapping[str, Any]]] = ({},)
    rules = (*TOOL_RULES, *TOOL_RUN_RULES)

    def subject(self, scratch: Path) -> ToolSubject:
        """Find the tool among what is installed."""
        registry = self.registry()
        record = registry.tool(self.tool)
        return ToolSubject(record, registry, scratch, self.inputs(), tuple(self.options_to_try))


@_with_tests
class RuntimeConformance(_WithInput[RuntimeSubject]):
    """Prove a runtime. The smallest complete one, for a runtime that takes ONNX files::

        class TestRuntime(RuntimeConformance):
            runtime = "example-rt"

    Attributes:
        runtime: Its name.
        rt_args_to_try: Lists of words as after ``--rt-args``; the runtime is run with each.
        device: As after ``--device``; by default the first that is supported and present.
        iterations: Timed iterations of each benchmark.
    """

    runtime: ClassVar[str]
    rt_args_to_try: ClassVar[Sequence[Sequence[str]]] = ((),)
    device: ClassVar[str | None] = None
    iterations: ClassVar[int] = 12
    rules = (*RUNTIME_RULES, *RUNTIME_RUN_RULES)

    def subject(self, scratch: Path) -> RuntimeSubject:
        """Find the runtime among what is installed."""
        registry = self.registry()
        return RuntimeSubject(
            registry.runtime(self.runtime),
            registry,
            scratch,
            self.inputs(),
            tuple(tuple(words) for words in self.rt_args_to_try),
            self.device,
            self.iterations,
        )
