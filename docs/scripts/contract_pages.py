"""The generated pages on runtimes, devices, executors, the mapping of plugins, hooks and errors."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from md_parts import code, codes, page, prose, table

import turnkeyml
from turnkeyml import errors
from turnkeyml.executor import Ending, Executor
from turnkeyml.plugins import hookspecs, mapping
from turnkeyml.plugins.records import RuntimeRecord
from turnkeyml.plugins.registry import Registry
from turnkeyml.runtime import CONTEXT_NAMES, BaseRT
from turnkeyml.sequence import flatten

Meanings = Mapping[str, str]


def runtimes_page(registry: Registry) -> str:
    """Describe the runtimes, with the arguments that `--rt-args` takes."""
    parts = [
        "A runtime is software that runs a model on a device. `benchmark --runtime NAME` chooses it; without it "
        "the device's first one is taken. `--rt-args` are checked before anything runs.",
    ]
    for name, record in sorted(registry.runtimes.items()):
        parts += _runtime_parts(name, record, registry)
    return page("Runtimes", *parts)


def _runtime_parts(name: str, record: RuntimeRecord, registry: Registry) -> list[str]:
    runtime = record.ref.load_class(BaseRT)
    facts = [
        ("package", code(record.provider.distribution)),
        ("devices", codes(sorted(record.devices))),
        ("takes", code(record.consumes)),
    ]
    if record.default_sequence:
        facts.append(("default sequence", _alternatives(record, registry)))
    if runtime.worker:
        own = "; `--rt-version` and `--rt-env` run it in an environment of its own"
        facts.append(("measured in", "a fresh process" + (own if runtime.worker_packages else "")))
    elif runtime._execute is not BaseRT._execute:
        facts.append(("measured by", "a program of its own"))
    else:
        facts.append(("measured in", "the process of the job"))
    if record.environment:
        pairs = [f"{key}={value}" for key, value in record.environment.items()]
        facts.append(("variables that it sets", codes(pairs)))
    if record.status_stats:
        facts.append(("shown in the status", codes(record.status_stats)))
    return [
        f"## {name}",
        (inspect.getdoc(runtime) or "").partition("\n\n")[0].replace("``", "`"),
        table(("", ""), facts),
        _arguments_table(runtime, frozenset(CONTEXT_NAMES)),
    ]


def _alternatives(record: RuntimeRecord, registry: Registry) -> str:
    found = [
        one if isinstance(one, str) else " ".join(step.tool for step in flatten([one], registry))
        for one in record.default_sequence
    ]
    return ", else ".join(code(name) for name in found)


def _arguments_table(taker: type, reserved: frozenset[str]) -> str:
    rows = []
    hints = typing.get_type_hints(taker.__init__)  # type: ignore[misc]
    for name, parameter in inspect.signature(taker).parameters.items():
        if name in reserved or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        given = parameter.default
        nothing = given is None or given == ()
        shown = "" if nothing else code(str(given))
        if given is parameter.empty:
            shown = "must be given"
        rows.append((code(name), _type_name(hints.get(name, parameter.annotation)), shown))
    return table(("argument", "type", "default"), rows)


def _type_name(hint: Any) -> str:
    """Say in words what a value is; what may be left out is not said again."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type_name(one) for one in inside if one is not type(None))
    if origin is typing.Literal:
        return codes(inside)
    if origin in (tuple, list, set):
        return f"several: {_type_name(inside[0])}"
    words = {int: "whole number", float: "number", str: "text", bool: "on or off", Path: "path"}
    return words.get(hint, "text")


def devices_page(registry: Registry) -> str:
    """Describe the device families."""
    rows = [
        (
            code(family),
            codes(sorted({provider.distribution for provider in record.providers})),
            codes(
                "::".join(filter(None, (part, config)))
                for part, configs in record.parts.items()
                for config in (configs or ("",))
            ),
            codes(name for name in record.default_runtimes if name in registry.runtimes),
        )
        for family, record in sorted(registry.devices.items())
    ]
    text = (
        "A device is named `family`, `family::part` or `family::part::config`. What is left out is the first one. "
        "A family is the union of what its packages say of it."
    )
    heads = ("family", "named by", "parts", "default runtimes")
    return page("Devices", text, table(heads, rows))


def executors_page(registry: Registry) -> str:
    """Describe the executors and how a job may end."""
    parts = ["An executor runs the inputs of a command: `--executor NAME`."]
    for name, record in sorted(registry.executors.items()):
        taker = record.ref.load_class(Executor)
        parts += [
            f"## {name}",
            record.summary,
            f"Package: `{record.provider.distribution}`",
            _arguments_table(taker, frozenset()),
        ]
    meanings = _attribute_docs(Ending)
    rows = [(code(ending.value), meanings[ending.name]) for ending in Ending]
    parts += ["## How a job may end", table(("ending", "means"), rows)]
    return page("Executors", *parts)


def _attribute_docs(owner: type) -> dict[str, str]:
    """Read the texts that stand below the attributes of a class."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    body = typing.cast(ast.ClassDef, tree.body[0]).body
    found = {}
    for before, after in itertools.pairwise(body):
        if isinstance(before, ast.Assign) and isinstance(after, ast.Expr):
            text = ast.literal_eval(after.value)
            found[typing.cast(ast.Name, before.targets[0]).id] = str(text)
    return found


def mapping_page(meanings: Mapping[str, Meanings]) -> str:
    """Describe the keys of the mapping that a plugin registers with."""
    known = {
        "root": mapping._ROOT_KEYS,
        "tool": mapping._TOOL_KEYS,
        "runtime": mapping._RUNTIME_KEYS,
        "device": mapping._DEVICE_KEYS,
        "sequence": mapping._SEQUENCE_KEYS,
        "executor": mapping._EXECUTOR_KEYS,
    }
    titles = {
        "root": "`implements`",
        "tool": "An entry of `tools`",
        "runtime": "An entry of `runtimes`",
        "device": "An entry of `devices`",
        "sequence": "An entry of `sequences`",
        "executor": "An entry of `executors`",
    }
    parts = [
        "A plugin's entry point, in the group `turnkeyml.plugins`, names a module with a mapping `implements`. "
        "It is checked once, when plugins are loaded; other keys than these are refused. "
        'Wherever a class or function is asked for, text `"package.module:Name"` does too, and is imported when '
        "it is needed. [Writing a plugin](../writing_a_plugin.md) shows it in use.",
    ]
    for name, keys in known.items():
        missing = set(keys) ^ set(meanings[name])
        if missing:
            raise ValueError(f"reference.toml, mapping.{name}: {', '.join(sorted(missing))}")
        rows = [(code(key), text) for key, text in meanings[name].items()]
        parts += [f"## {titles[name]}", table(("key", "what it is"), rows)]
    return page("The mapping of a plugin", *parts)


def hooks_page() -> str:
    """Describe the hooks, in the words of their specifications."""
    parts = [
        "A plugin's module, or any object that it registers, may implement these, marked with "
        "`turnkeyml.plugins.hookimpl`. An implementation may leave out arguments that it does not need. "
        f"The form of hooks and mapping is number {hookspecs.API_VERSION}; it is raised when a change breaks "
        "plugins that are out there.",
    ]
    for name, function in vars(hookspecs).items():
        if name.startswith("turnkey_"):
            arguments = ", ".join(inspect.signature(function).parameters)
            parts += [f"## {name}", code(f"{name}({arguments})"), prose(function.__doc__ or "")]
    return page("Hooks", *parts)


def errors_page(meanings: Meanings) -> str:
    """Describe exit codes and the classes of errors."""
    codes_known = {code_.name for code_ in errors.ExitCode}
    if set(meanings) != codes_known:
        raise ValueError(f"reference.toml, exit_codes: {codes_known ^ set(meanings)}")
    rows = [(code(str(int(one))), code(one.name), meanings[one.name]) for one in errors.ExitCode]
    classes = [
        value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, errors.TurnkeyError)
    ]
    class_rows = [
        (
            code(found.__name__),
            code(found.__mro__[1].__name__),
            code(str(int(found.exit_code))),
            (found.__doc__ or "").partition("\n")[0],
        )
        for found in classes
    ]
    return page(
        "Exit codes and errors",
        table(("code", "name", "means"), rows),
        "A message says what happened and where, the line below it what to do. What a user can cause ends without a "
        "traceback; a traceback is a bug of turnkey or of a plugin, and stands in the log of the step.",
        "## Classes",
        "All are in `turnkeyml.errors`. Tools and runtimes raise `BuildError` for what fails in running, and "
        '`PlanError` for what can be known before: `raise BuildError("What happened.", hint="What to do.")`.',
        table(("class", "is a", "exit code", "for"), class_rows),
    )


def python_page() -> str:
    """Describe what scripts call."""
    parts = [
        "`import turnkeyml` loads nothing; each function is loaded when it is used. "
        "What is not named here, on the pages of this reference or on the page about "
        "[writing a plugin](../writing_a_plugin.md), may change in any release.",
    ]
    for name in turnkeyml.__all__:
        function = getattr(turnkeyml, name)
        signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
        lines = "\n".join(["```text", _wrapped(name, signature), "```"])
        parts += [f"## {name}", lines, prose(function.__doc__ or "")]
    return page("Python", *parts)


def _wrapped(name: str, signature: str) -> str:
    inside, _, after = signature[1:].rpartition(")")
    if len(name) + len(signature) < 90:
        return name + signature
    depth, item, items = 0, "", []
    for letter in inside:
        depth += (letter in "[(") - (letter in "])")
        if letter == "," and depth == 0:
            items.append(item.strip())
            item = ""
        else:
            item += letter
    lines = "".join(f"\n    {one}," for one in [*items, item.strip()])
    return f"{name}({lines}\n){after}"
