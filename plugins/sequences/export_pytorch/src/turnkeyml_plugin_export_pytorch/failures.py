"""Exporters' failures as sentences: what went wrong, at which line or operator, what to try."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from turnkeyml_plugin_export_pytorch.places import (
    Place,
    chain_of,
    place_of,
    raised_in_own_code,
)

if TYPE_CHECKING:
    import torch

LOG_HINT = "The log has the exporter's whole report."

_LENGTH = 300
_PYTORCH_NAMESPACES = ("aten", "prim", "prims", "")


@dataclass(frozen=True)
class Failure:
    """Why an exporter gave up.

    Args:
        what: The reason with the line or operator at fault; the end of a sentence.
        hint: What to do about it, as a sentence; may be empty.
        by_values: Whether what the model does depends on the values of tensors, so that following
            one call, as the TorchScript exporter does, would make a file for that call alone.
        other_exporter: Whether the other exporter may succeed where this one failed.
        captured: Whether the model's code was followed to its end before.
    """

    what: str
    hint: str = ""
    by_values: bool = False
    other_exporter: bool = True
    captured: bool = False

    @property
    def may_be_traced(self) -> bool:
        """Whether following one call can still give a file that is right for other inputs."""
        return self.other_exporter and not self.by_values


@dataclass(frozen=True)
class _Clues:
    """What is known of a failure.

    Args:
        root: The innermost error.
        names: Of the classes of all errors in the chain.
        text: What the innermost error says.
        place: The line of the user's code, if it is known.
        module: The model.
        inputs: What its inputs are called.
    """

    root: BaseException
    names: frozenset[str]
    text: str
    place: Place | None
    module: torch.nn.Module
    inputs: tuple[str, ...] = ()

    @property
    def at(self) -> str:
        """The place, as the end of a clause."""
        return f" at {self.place}" if self.place is not None else ""


_Rule = Callable[[_Clues], "Failure | None"]


def explain_dynamo(
    error: BaseException, module: torch.nn.Module, inputs: Sequence[str] = ()
) -> Failure:
    """Say why torch.onnx.export with dynamo=True failed.

    Args:
        error: What it raised.
        module: The model.
        inputs: What its inputs are called, in order.
    """
    return _explain(replace(_clues(error, module), inputs=tuple(inputs)), _DYNAMO_RULES)


def explain_torchscript(error: BaseException, module: torch.nn.Module) -> Failure:
    """Say why torch.onnx.export with dynamo=False failed."""
    return _explain(_clues(error, module), _TORCHSCRIPT_RULES)


def explain_number(place: Place | None) -> Failure:
    """Say that a value of a tensor becomes a number of Python's."""
    at = f" at {place}" if place is not None else ""
    what = f"it turns a value of a tensor into a number of Python's{at}"
    return Failure(_one_line(what), "Keep it a tensor.", by_values=True)


def _clues(error: BaseException, module: torch.nn.Module) -> _Clues:
    chain = chain_of(error)
    root = chain[0]
    names = frozenset(cls.__name__ for cause in chain for cls in type(cause).__mro__)
    return _Clues(root, names, str(root), place_of(error), module)


def _explain(clues: _Clues, rules: Sequence[_Rule]) -> Failure:
    for rule in rules:
        failure = rule(clues)
        if failure is not None:
            return replace(failure, what=_one_line(failure.what))
    return Failure(_one_line(f"{describe(clues.root)}{clues.at}"), LOG_HINT)


def describe(error: BaseException) -> str:
    """Give the class of an error and the first sentence of what it says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    name = type(error).__name__
    sentence = lines[0].partition(". ")[0] if lines else ""
    return f"{name}: {sentence[:_LENGTH].rstrip('.')}" if sentence else name


def _one_line(text: str) -> str:
    return " ".join(text.split())


# What both exporters can run into.


def _memory(clues: _Clues) -> Failure | None:
    if "MemoryError" in clues.names or re.search(
        r"not enough memory|out of memory", clues.text, re.IGNORECASE
    ):
        hint = "Use a machine with more memory."
        return Failure("there is not enough memory", hint, other_exporter=False)
    return None


def _recursion(clues: _Clues) -> Failure | None:
    if "RecursionError" not in clues.names:
        return None
    return Failure(
        f"its forward calls itself, or nests modules, deeper than Python allows{clues.at}",
        "Nest its modules less deeply.",
    )


def _raised_by_itself(clues: _Clues) -> Failure | None:
    if not raised_in_own_code(clues.root):
        return None
    return Failure(
        f"its own code raises {describe(clues.root)}{clues.at}, but only when it is exported",
        "torch.compiler.is_exporting() and torch.jit.is_tracing() tell forward who calls it.",
    )


def _quantized(clues: _Clues) -> Failure | None:
    if "PackedParams" not in clues.text and not re.search(r"\bquantized(::|\.)", clues.text):
        return None
    return Failure(
        f"it has quantized modules, which PyTorch's exporters cannot express in ONNX{clues.at}",
        "Export the float model, and quantize the ONNX file.",
    )


def _sparse(clues: _Clues) -> Failure | None:
    if "sparse" not in clues.text.lower():
        return None
    what = f"it makes a sparse tensor{clues.at}, which ONNX does not have"
    return Failure(what, "Use dense tensors there.")


# The dynamo exporter.


def _scripted(clues: _Clues) -> Failure | None:
    scripted = _scripted_part(clues.module)
    if "Exporting a ScriptModule is not supported" in clues.text:
        what = "it was made by torch.jit, which the dynamo exporter does not take"
    elif scripted and "takes" in clues.text and "positional argument" in clues.text:
        what = f"its part {scripted} was made by torch.jit, which the dynamo exporter does not take"
    else:
        return None
    return Failure(what, "Give the model as it is before torch.jit.script or torch.jit.trace.")


def _scripted_part(module: torch.nn.Module) -> str:
    import torch

    for name, part in module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            return name or type(module).__name__
    return ""


_BY_VALUES_HINT = (
    "Rewrite that line with torch.where or torch.cond, or take --exporter torchscript, which keeps "
    "only the path that these inputs take."
)


def _depends_on_values(clues: _Clues) -> Failure | None:
    errors = {"GuardOnDataDependentSymNode", "DataDependentOutputException"}
    if not errors & clues.names and not re.search(r"data.dependent", clues.text, re.IGNORECASE):
        return None
    what = f"what it does depends on the values in a tensor{clues.at}"
    return Failure(what, _BY_VALUES_HINT, by_values=True)


def _shape_depends_on_values(clues: _Clues) -> Failure | None:
    if "DynamicOutputShapeException" not in clues.names:
        return None
    operator = clues.text.removesuffix(".default")
    return Failure(
        f"the shape of what the operator {operator} gives depends on the values in a tensor"
        f"{clues.at}",
        "Write that line with other operators.",
        by_values=True,
    )


def _numpy(clues: _Clues) -> Failure | None:
    if not re.search(r"\bnumpy\b", clues.text, re.IGNORECASE):
        return None
    return Failure(
        f"it turns a tensor into a NumPy array{clues.at}",
        "Write that line with functions of torch.",
        by_values=True,
    )


def _no_fake(clues: _Clues) -> Failure | None:
    found = re.search(
        r"no fake impl registered for <CustomOpDef\((?P<a>[\w:.]+)\)>"
        r"|(?P<b>[\w:.]+): attempted to run this operator with Meta tensors",
        clues.text,
    )
    if found is None:
        return None
    return Failure(
        f"the custom operator {found['a'] or found['b']} does not say which shapes it gives"
        f"{clues.at}",
        "Register that with torch.library.register_fake.",
    )


def _no_counterpart(clues: _Clues) -> Failure | None:
    if "DispatchError" not in clues.names:
        return None
    found = re.search(r"op='([\w:.]+)'", clues.text)
    operator = found[1] if found is not None else clues.text.partition(".")[0]
    numbers = " for complex numbers" if "complex-valued input" in clues.text else ""
    failure = (
        _sparse(clues)
        if "sparse" in operator
        else _operator_missing(operator, operator.partition(".")[0], f"{numbers}{clues.at}")
    )
    return failure and replace(failure, captured=True)


def _operator_missing(operator: str, namespace: str, rest: str) -> Failure:
    if namespace in _PYTORCH_NAMESPACES:
        hint = "Write that line with other operators."
        return Failure(f"ONNX has no counterpart of the operator {operator}{rest}", hint)
    return Failure(
        f"ONNX has no counterpart of the custom operator {operator}{rest}",
        "Write it with operators of PyTorch.",
    )


def _translation(clues: _Clues) -> Failure | None:
    if "GraphConstructionError" not in clues.names:
        return None
    return Failure(
        f"the exporter fails in translating an operator{clues.at}: {describe(clues.root)}",
        "Take another --opset, or write that line with other operators.",
        captured=True,
    )


def _constraints(clues: _Clues) -> Failure | None:
    if not re.search(r"Constraints violated|user-specified ranges", clues.text):
        return None
    place = re.search(r"\['tensors'\]\[(\d+)\]\.(?:shape|size\(\))\[(\d+)\]", clues.text)
    size = re.search(r"static shape of (\d+)|to be a constant \((\d+)\)", clues.text)
    what = "with the captured size of an axis that --dynamic-axes names"
    if place is not None and size is not None and int(place[1]) < len(clues.inputs):
        name = clues.inputs[int(place[1])]
        what = f"with the size {size[1] or size[2]} of axis {place[2]} of the input {name}"
    return Failure(
        f"as far as PyTorch can tell, it works only {what}",
        "Leave that axis out of --dynamic-axes, or try --exporter torchscript and check the file "
        "with other sizes.",
        other_exporter=False,
    )


_DYNAMO_RULES: tuple[_Rule, ...] = (
    _memory,
    _recursion,
    _scripted,
    _constraints,
    _depends_on_values,
    _shape_depends_on_values,
    _no_fake,
    _raised_by_itself,
    _quantized,
    _no_counterpart,
    _translation,
    _numpy,
    _sparse,
)


# The TorchScript exporter.


def _unsupported(clues: _Clues) -> Failure | None:
    found = re.search(
        r"operator '(?P<a>[\w:.]+)'|unrecognized namespace (?P<b>[\w:]+)"
        r"|ONNX export of (?:operator )?(?P<c>.+?)(?: in opset \d+)?\. Please",
        clues.text,
    )
    if not {"UnsupportedOperatorError", "SymbolicValueError"} & clues.names or found is None:
        return None
    operator = found["a"] or found["b"] or found["c"]
    if "sparse" in operator or operator.startswith("quantized"):
        return _sparse(clues) or _quantized(clues)
    newer = re.search(r"(?:added in|try opset) version (\d+)", clues.text)
    if newer is not None:
        return Failure(
            f"the operator {operator} needs opset {newer[1]}{clues.at}", f"Take --opset {newer[1]}."
        )
    return _operator_missing(operator, operator.rpartition("::")[0], clues.at)


def _untraceable(clues: _Clues) -> Failure | None:
    scripted = _scripted_part(clues.module)
    if "not part of the active trace" in clues.text and scripted:
        return Failure(
            f"its part {scripted} was made by torch.jit, which cannot be traced",
            "Give the model as it is before torch.jit.script or torch.jit.trace.",
        )
    if "torch.jit.trace a dynamo-optimized function" in clues.text:
        return Failure(
            "a part of it is compiled by torch.compile, which cannot be traced",
            "Leave torch.compile out.",
        )
    if "observable data dependence" in clues.text:
        return Failure(
            f"an output does not depend on the inputs in a way that can be traced{clues.at}",
            "Compute it from the inputs with operators of PyTorch, in the same thread.",
        )
    return None


_TORCHSCRIPT_RULES: tuple[_Rule, ...] = (
    _memory,
    _recursion,
    _unsupported,
    _untraceable,
    _raised_by_itself,
    _quantized,
)
