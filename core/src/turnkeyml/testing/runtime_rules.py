"""What a runtime must keep before it is ever used: class, arguments, worker."""

from __future__ import annotations

import ast
import inspect
import sys
import types
import typing
from pathlib import Path
from typing import Any

from turnkeyml.errors import BuildError, PlanError
from turnkeyml.rt_args import convert_rt_args, takes_argument
from turnkeyml.runtime import CONTEXT_NAMES, BaseRT, opened
from turnkeyml.testing.rules import NotApplicable, Rule, Violation, rule
from turnkeyml.testing.runtime_subject import WAYS, RuntimeSubject, quietly, unknown_argument
from turnkeyml.testing.surroundings import differences, look
from turnkeyml.worker.environments import look_into

_WAYS = "docs/writing_a_plugin.md, 'Three ways to be measured'"
_CONTEXT = "docs/adr/0004-runtime-context.md"
_WORKER = "docs/adr/0003-worker-protocol.md"
_CONVERTED = (bool, int, float, str, Path, list, tuple, set)

RUNTIME_RULES: list[Rule[RuntimeSubject]] = []


@rule(RUNTIME_RULES, where=_WAYS)
def its_class_keeps_the_contract(subject: RuntimeSubject) -> None:
    """A runtime is a class that inherits BaseRT and has device_name()."""
    # One with methods undone is not even loaded.
    subject.record.ref.load_class(BaseRT)


@rule(RUNTIME_RULES, where=_WAYS)
def it_is_written_in_one_of_the_three_ways(subject: RuntimeSubject) -> None:
    """A runtime has infer() or a worker, or _execute() with mean_latency() and throughput(), or
    benchmark()."""
    if subject.runtime.worker is not None or any(subject.overrides(way) for way in WAYS):
        missing = [name for name in ("mean_latency", "throughput") if not subject.overrides(name)]
        alone = not (subject.runtime.worker or subject.overrides("infer"))
        if alone and not subject.overrides("benchmark") and missing:
            raise Violation(f"It has _execute(), and no {'() and no '.join(missing)}().")
        return
    raise Violation("It has no infer(), no worker, no _execute() and no benchmark().")


@rule(RUNTIME_RULES, where=_CONTEXT)
def its_arguments_can_be_given_as_text(subject: RuntimeSubject) -> None:
    """Runtime arguments come as text, and are converted by the annotations of __init__: one whose
    default is a number has an annotation, and annotations are types that text can become."""
    parameters = inspect.signature(subject.runtime).parameters.values()
    named = [
        p
        for p in parameters
        if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name not in CONTEXT_NAMES
    ]
    if not named:
        raise NotApplicable("It takes no arguments.")
    for parameter in named:
        if parameter.annotation is parameter.empty:
            is_number = isinstance(parameter.default, (int, float))
            if is_number and not isinstance(parameter.default, bool):
                raise Violation(
                    f"{parameter.name} has the default {parameter.default!r} and no annotation, so "
                    "it would be text when a user gives it."
                )
            continue
        try:
            hint = _resolve(subject.runtime, parameter.annotation)
        except NameError as error:
            raise Violation(f"The annotation of {parameter.name} is not known: {error}.") from error
        if not _is_convertible(hint):
            raise Violation(f"{parameter.name} is annotated as {hint}, which text cannot become.")


def _resolve(runtime: type[BaseRT], annotation: Any) -> Any:
    alone = types.SimpleNamespace(__annotations__={"it": annotation})
    names = getattr(runtime.__init__, "__globals__", {})
    return typing.get_type_hints(alone, names)["it"]


def _is_convertible(hint: Any) -> bool:
    if hint is Any or hint is type(None):
        return True
    origin = typing.get_origin(hint) or hint
    if origin is typing.Literal:
        return all(isinstance(choice, str) for choice in typing.get_args(hint))
    if origin in (typing.Union, types.UnionType):
        return all(_is_convertible(part) for part in typing.get_args(hint))
    if origin not in _CONVERTED:
        return False
    inner = [part for part in typing.get_args(hint) if part is not ...]
    return all(_is_convertible(part) for part in inner)


@rule(RUNTIME_RULES, where=_CONTEXT)
def wrong_arguments_are_refused_before_anything_runs(subject: RuntimeSubject) -> None:
    """An argument that the runtime does not have is refused when the chain is planned, with the
    names of those that it has."""
    init = subject.runtime.__init__
    kinds = [p.kind for p in inspect.signature(init).parameters.values()]
    if init is not BaseRT.__init__ and inspect.Parameter.VAR_KEYWORD in kinds:
        raise NotApplicable("It takes any argument (**), so that mistyped ones are not noticed.")
    if unknown_argument(subject.runtime, subject.name) is None:
        raise Violation("An argument that it does not have is accepted.")
    for words in subject.rt_args:
        try:
            subject.arguments(words)
        except PlanError as error:
            raise Violation(f"--rt-args {' '.join(words)} is refused: {error}") from error


@rule(RUNTIME_RULES, where=_WORKER)
def its_worker_needs_nothing_of_turnkey(subject: RuntimeSubject) -> None:
    """worker.py is a file beside the class's module, has open_session(request), and imports nothing
    of turnkey: it is loaded by its path, also where turnkey is not installed."""
    worker = subject.runtime.worker
    if worker is None:
        raise NotApplicable("It has no worker.")
    module = sys.modules[subject.runtime.__module__]
    path = Path(str(module.__file__)).parent / worker
    if not path.is_file():
        raise Violation(f"There is no file {worker} beside {module.__name__}.")
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if "open_session" not in functions:
        raise Violation(f"{worker} has no function open_session(request).")
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        for name in names:
            if name.startswith((".", "turnkeyml")):
                raise Violation(f"{worker} imports {name} in line {getattr(node, 'lineno', 0)}.")


@rule(RUNTIME_RULES, where=_WORKER)
def what_its_worker_imports_is_named(subject: RuntimeSubject) -> None:
    """worker_packages are names of distributions that are installed here: an environment of its own
    gets them."""
    packages: object = subject.runtime.worker_packages
    if not packages:
        raise NotApplicable("It names no packages of a worker.")
    if not isinstance(packages, tuple) or not all(isinstance(name, str) for name in packages):
        raise Violation(f"worker_packages is {packages!r}, and no tuple of names.")
    if subject.runtime.worker is None:
        raise Violation("It has worker_packages, and no worker.")
    try:
        look_into(Path(sys.executable), packages)
    except BuildError as error:
        raise Violation(f"Its worker cannot run here: {error}") from error


@rule(RUNTIME_RULES, where=_CONTEXT)
def its_threads_are_a_number(subject: RuntimeSubject) -> None:
    """An argument called threads is what --threads sets, so it takes a whole number."""
    if not takes_argument(subject.runtime, "threads"):
        raise NotApplicable("It has no argument called threads.")
    try:
        found = convert_rt_args(subject.name, subject.runtime, {"threads": "2"})["threads"]
    except PlanError as error:
        raise Violation(f"It does not take threads::2: {error}") from error
    if found != 2:
        raise Violation(f"It takes threads::2 as {found!r}.")


@rule(RUNTIME_RULES, where=_CONTEXT, runs=True)
def making_one_does_not_load_the_model(subject: RuntimeSubject) -> None:
    """__init__ only keeps its arguments, and leaves the model to _setup(): a runtime can be made
    although its model is not there."""
    context = subject.without_model()
    before = look()
    made = []

    class Unused(subject.runtime):  # type: ignore[misc, name-defined]
        def _setup(self) -> None:
            made.append(self)
            raise _Enough

        def _teardown(self) -> None:
            pass

    Unused.__module__ = subject.runtime.__module__
    with quietly(subject.scratch / "making"):
        try:
            with opened(Unused, context, subject.arguments(subject.rt_args[0])):
                pass
        except _Enough:
            pass
        # What __init__ raises is what is looked for.
        except Exception as error:
            raise Violation(
                f"Without its model, __init__ raises {type(error).__name__}: {error}"
            ) from error
    if changed := differences(before):
        raise Violation(f"After making one, {'; '.join(changed)}.")


class _Enough(Exception):  # noqa: N818 - it only ends the block
    """Raised where ``_setup`` would be called."""
