"""Make onnx-ir's model of a file, and write the chosen dimensions into it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from turnkeyml.errors import BuildError
from turnkeyml_plugin_load_onnx.reading import NEWEST_IR_VERSION, shown

if TYPE_CHECKING:
    import onnx_ir as ir

    from turnkeyml_plugin_load_onnx.dimensions import Settled
    from turnkeyml_plugin_load_onnx.reading import OnnxFile
    from turnkeyml_plugin_load_onnx.weights import Place


def make_model(file: OnnxFile, places: Mapping[str, Place]) -> ir.Model:
    """Make the model; its weights are read from their places one at a time, whenever asked for.

    Raises:
        BuildError: The graph is malformed.
    """
    import onnx_ir as ir

    try:
        model = ir.from_proto(file.proto)
        # Some of what cannot be written is read without complaint.
        ir.to_proto(model)
    # The graph may be malformed in any way, and onnx-ir raises errors of many kinds.
    except Exception as error:
        raise BuildError(f"The graph is malformed: {_reason(error)}") from error
    _check_uses(model)
    model.ir_version = min(model.ir_version, NEWEST_IR_VERSION)
    for name, place in places.items():
        value = model.graph.initializers[name]
        value.const_value = _on_disk(value.const_value, place)
    return model


def _check_uses(model: ir.Model) -> None:
    import onnx_ir as ir

    for node in ir.traversal.RecursiveGraphIterator(model.graph):
        for value in node.inputs:
            if value is None or value.producer() is not None:
                continue
            if not value.is_graph_input() and not value.is_initializer():
                raise BuildError(
                    f"The graph is malformed: {shown(node.op_type)} uses "
                    f"{shown(str(value.name))!r}, which nothing gives."
                )


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {shown(lines[0], 300).rstrip('.') if lines else 'no message'}."


def _on_disk(tensor: Any, place: Place) -> ir.LazyTensor:
    """Give a tensor that maps its file for as long as one reading takes, and no longer.

    Mapped pages count as this process's memory while the map lives.
    """
    import onnx_ir as ir

    make = functools.partial(
        ir.ExternalTensor,
        str(place.path),
        place.offset,
        place.length,
        tensor.dtype,
        shape=tensor.shape,
        name=tensor.name,
    )
    return ir.LazyTensor(make, dtype=tensor.dtype, shape=tensor.shape, name=tensor.name)


def freeze(model: ir.Model, settled: Settled) -> None:
    """Write the shapes of the inputs into a model, and infer all others anew.

    What the file says of shapes inside the graph is dropped first: it was said of open dimensions.

    Args:
        model: Its inputs have open dimensions.
        settled: Shapes of the inputs that must be given.
    """
    import onnx_ir as ir

    outputs = {value.name: value.shape for value in model.graph.outputs}
    for graph in model.graphs():
        for node in graph:
            for value in node.outputs:
                value.shape = None
    for value in model.graph.inputs:
        if value.name in settled.shapes:
            value.shape = ir.Shape(settled.shapes[value.name])
    _infer(model)
    for value in model.graph.outputs:
        if value.shape is None and outputs[value.name] is not None:
            value.shape = ir.Shape([_settled(d, settled) for d in outputs[value.name]])


def _settled(dim: Any, settled: Settled) -> int | str | None:
    return dim if isinstance(dim, int) else settled.symbols.get(dim.value, dim.value)


def _infer(model: ir.Model) -> None:
    from onnx_ir.passes.common import ShapeInferencePass

    # Without the modes that refuse a model: a runtime decides whether it can run.
    ShapeInferencePass(check_type=False, strict_mode=False, data_prop=True)(model)
