"""What every exported graph is made to look like, whichever exporter made it.

Inputs and outputs have the names that were planned, weights those that they have in the module,
nodes the path of the layer that they come from. What differs from machine to machine, such as paths
of source files, is left out: the same model gives the same bytes.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from turnkeyml_onnx import graphs_of, nodes_of
from turnkeyml_plugin_export_pytorch.exporters import ExportFailedError
from turnkeyml_plugin_export_pytorch.failures import Failure
from turnkeyml_plugin_export_pytorch.flat import INNER, FlatInput

if TYPE_CHECKING:
    import onnx_ir as ir
    import torch

NAME_SCOPE = "name_scope"
"""Metadata of a node: the dotted path of the module that it comes from; empty for the whole."""

LAYER_CLASS = "layer_class"
"""Metadata of a node: the class of that module."""

_WEIGHTS_APART = 4
"""The version of the format since which weights need not be inputs."""

_SCOPES = "pkg.torch.onnx.name_scopes"
_MADE_UP = re.compile(r"_dim_\d+$")
"""What the TorchScript exporter calls dimensions, as in ``LayerNormalizationonnx::Add_9_dim_0``."""


def tidy(
    model: ir.Model,
    module: torch.nn.Module,
    inputs: Sequence[FlatInput],
    outputs: Sequence[str],
) -> None:
    """Name everything in a graph, and leave out what differs from machine to machine.

    Args:
        model: As an exporter gave it; changed in place.
        module: The user's module.
        inputs: What the file takes, in order.
        outputs: What its outputs are to be called, in order.

    Raises:
        ExportFailedError: The graph has other inputs or outputs than the model.
    """
    _separate_weights(model)
    _name_weights(model)
    _complete_inputs(model, inputs)
    _name_outputs(model, outputs)
    _free_names(model, {entry.name for entry in inputs} | set(outputs))
    _name_nodes(model, module)
    _name_dimensions(model)
    _drop_details(model)


def symbolic_axes(model: ir.Model) -> dict[str, dict[int, str]]:
    """Give the axes of a graph's inputs that are not fixed, by input and axis."""
    found: dict[str, dict[int, str]] = {}
    for value in model.graph.inputs:
        axes = {
            axis: str(size.value)
            for axis, size in enumerate(value.shape or ())
            if not isinstance(size, int)
        }
        if axes:
            found[str(value.name)] = axes
    return found


def _separate_weights(model: ir.Model) -> None:
    """Take weights out of the inputs, where the oldest form of the format has them too."""
    inputs = model.graph.inputs
    given = [value for value in inputs if not value.is_initializer()]
    if len(given) < len(inputs):
        inputs.clear()
        inputs.extend(given)
        model.ir_version = max(model.ir_version, _WEIGHTS_APART)


def _name_weights(model: ir.Model) -> None:
    prefix = f"{INNER}."
    for value in list(model.graph.initializers.values()):
        name = str(value.name)
        plain = name.removeprefix(prefix)
        if plain != name and plain not in model.graph.initializers:
            value.name = plain


def _complete_inputs(model: ir.Model, inputs: Sequence[FlatInput]) -> None:
    """Give the graph's inputs their names, and add those that the model does not use."""
    import onnx_ir as ir

    given = list(model.graph.inputs)
    names = [entry.name for entry in inputs]
    if len(given) == len(inputs):
        pairs = dict(zip(names, given, strict=True))
    else:
        # The TorchScript exporter leaves unused inputs out, and has named the others.
        pairs = {str(value.name): value for value in given}
    unknown = [name for name in pairs if name not in names]
    if unknown:
        raise _mismatch(f"the inputs {', '.join(unknown)}, which are not the model's")
    model.graph.inputs.clear()
    for entry in inputs:
        shape, dtype = tuple(entry.tensor.shape), _dtype(entry.tensor)
        value = pairs.get(entry.name)
        if value is None:
            value = ir.Value(name=entry.name, shape=ir.Shape(shape), type=ir.TensorType(dtype))
        elif not _fits(value, shape):
            raise _mismatch(f"the input {entry.name} with the shape {value.shape}, not {shape}")
        value.name = entry.name
        model.graph.inputs.append(value)


def _fits(value: ir.Value, shape: tuple[int, ...]) -> bool:
    if value.shape is None:
        return True
    return len(value.shape) == len(shape) and all(
        size == known
        for size, known in zip(value.shape, shape, strict=True)
        if isinstance(size, int)
    )


def _dtype(tensor: torch.Tensor) -> ir.DataType:
    import onnx_ir as ir
    import torch

    # The tensor itself may be on a GPU.
    return ir.tensor(torch.empty((), dtype=tensor.dtype)).dtype


def _name_outputs(model: ir.Model, names: Sequence[str]) -> None:
    """Give outputs their names; each becomes a value of its own that a node makes."""
    import onnx_ir as ir

    graph = model.graph
    if len(graph.outputs) != len(names):
        raise _mismatch(f"{len(graph.outputs)} outputs, and the model {len(names)}")
    seen: set[int] = set()
    for place, name in enumerate(names):
        value = graph.outputs[place]
        if value.is_graph_input() or value.is_initializer() or id(value) in seen:
            node = ir.node("Identity", [value])
            graph.append(node)
            copy = node.outputs[0]
            copy.shape, copy.type = value.shape, value.type
            graph.outputs[place] = value = copy
        seen.add(id(value))
        value.name = name


def _free_names(model: ir.Model, reserved: set[str]) -> None:
    """Rename values inside that have the name of an input or output."""
    kept = {id(value) for value in (*model.graph.inputs, *model.graph.outputs)}
    used = {str(value.name) for value in _values(model)} | reserved
    for value in _values(model):
        if value.name in reserved and id(value) not in kept:
            number = 1
            while f"{value.name}_{number}" in used:
                number += 1
            value.name = f"{value.name}_{number}"
            used.add(value.name)


def _values(model: ir.Model) -> Iterator[ir.Value]:
    for graph in graphs_of(model):
        yield from graph.inputs
        yield from list(graph.initializers.values())
        for node in graph:
            yield from node.outputs


def _name_nodes(model: ir.Model, module: torch.nn.Module) -> None:
    """Name nodes by their layer, as ``/encoder/layer/0/MatMul_1``, and say which it is.

    The name goes on into the profiles of runtimes, which drop metadata.
    """
    classes = {name: type(part).__name__ for name, part in module.named_modules()}
    scopes = {id(node): _scope_of(node, classes) for node in nodes_of(model)}
    used: dict[str, int] = {}
    for node in nodes_of(model):
        scope = scopes[id(node)]
        if scope is None:
            scope = scopes[id(node)] = _scope_between(node, scopes)
        base = f"/{scope.replace('.', '/')}/{node.op_type}" if scope else f"/{node.op_type}"
        number = used.get(base, 0)
        used[base] = number + 1
        node.name = f"{base}_{number}" if number else base
        node.metadata_props.clear()
        node.metadata_props[NAME_SCOPE] = scope
        if scope in classes:
            node.metadata_props[LAYER_CLASS] = classes[scope]


def _scope_of(node: ir.Node, classes: Mapping[str, str]) -> str | None:
    scopes = node.metadata_props.get(_SCOPES)
    if scopes is not None:
        return _dynamo_scope(scopes)
    name = str(node.name or "")
    return _torchscript_scope(name, classes) if name.startswith("/") else None


def _scope_between(node: ir.Node, scopes: Mapping[int, str | None]) -> str:
    """Find the module around the neighbours of a node that says nothing itself."""
    makers = [value.producer() for value in node.inputs if value is not None]
    users = [user for value in node.outputs for user, _ in value.uses()]
    around = [scopes.get(id(near)) for near in (*makers, *users) if near is not None]
    paths = [scope.split(".") for scope in around if scope is not None]
    shared = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))
    return ".".join(parts[0] for parts in shared)


def _dynamo_scope(text: str) -> str:
    """Read ``['', 'model', 'model.fc', 'linear']``: modules from the outermost in, then a name."""
    try:
        scopes = [str(scope) for scope in ast.literal_eval(text)]
    except (ValueError, SyntaxError):
        return ""
    inner = scopes[-2] if len(scopes) > 1 else ""
    # A module that is called again has the number of the call behind its name.
    plain = re.sub(r"@\d+", "", inner)
    return "" if plain == INNER else plain.removeprefix(f"{INNER}.")


def _torchscript_scope(name: str, classes: Mapping[str, str]) -> str:
    """Read ``/model/net/net.0/Gemm``: each part is inside the one before it, or stands for it."""
    parts = name.strip("/").split("/")[:-1]
    if parts[:1] == [INNER]:
        parts = parts[1:]
    path = around = before = ""
    for part in parts:
        # The children of a Sequential have its name before their own.
        if not (before and part.startswith(f"{before}.")):
            around = path
        found = _find_module(f"{around}.{part}".lstrip("."), around, part, classes)
        if not found:
            break
        path, before = found, part
    return path


def _find_module(wanted: str, around: str, part: str, classes: Mapping[str, str]) -> str:
    if wanted in classes:
        return wanted
    # What a ModuleDict holds is called without the dict's name.
    inside = f"{around}." if around else ""
    found = [path for path in classes if path.startswith(inside) and path.endswith(f".{part}")]
    return found[0] if len(found) == 1 else ""


def _name_dimensions(model: ir.Model) -> None:
    """Name dimensions of outputs after the outputs where the exporter made a name up."""
    import onnx_ir as ir

    asked_for = {label for axes in symbolic_axes(model).values() for label in axes.values()}
    renamed: dict[str, str] = {}
    for value in model.graph.outputs:
        for axis, size in enumerate(value.shape or ()):
            text = _text(size)
            if _MADE_UP.search(text) and text not in asked_for:
                renamed.setdefault(text, f"{value.name}_dim_{axis}")
    for value in _values(model) if renamed else ():
        if value.shape is not None and any(_text(size) in renamed for size in value.shape):
            value.shape = ir.Shape([renamed.get(_text(size), size) for size in value.shape])


def _text(size: int | ir.SymbolicDim) -> str:
    return "" if isinstance(size, int) else str(size.value or "")


def _drop_details(model: ir.Model) -> None:
    model.metadata_props.clear()
    model.doc_string = None
    for function in model.functions.values():
        function.metadata_props.clear()
        function.doc_string = None
    for graph in graphs_of(model):
        graph.metadata_props.clear()
        graph.doc_string = None
    for value in _values(model):
        value.metadata_props.clear()
        value.doc_string = None
    for node in nodes_of(model):
        node.doc_string = None


def _mismatch(what: str) -> ExportFailedError:
    return ExportFailedError(Failure(f"its graph has {what}"))
