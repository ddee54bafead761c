"""What runs in a process of its own: a converter makes a graph float16, without its weights.

Loaded by path. Weights that lie in data files are not read: the converter changes only what is
said about them. A weight of float16 whose bytes are still those of float32 is told by its length,
and which are those of bfloat16 is answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from turnkeyml.errors import BuildError
from turnkeyml_onnx.protos import (
    EXTERNAL,
    attribute_tensors,
    embed,
    proto_graphs,
    proto_nodes,
    without_functions,
    without_weights,
)
from turnkeyml_onnx.widening import BFLOAT16, has_type, say_float32, widen
from turnkeyml_plugin_convert_fp16 import graphs
from turnkeyml_plugin_convert_fp16.half import LARGEST, SMALLEST, Losses, halve

UNSUPPORTED_ON_CPU = ("ScatterElements", "ScatterND")
"""ONNX Runtime's CPU loads them in float16, but running them fails where they add up."""

_FLOAT32_BYTES = 4
_CPU_LAYOUT = "com.microsoft.nchwc"
_PREFIX = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : (?:Load model from .*? failed:)?")


class Refusal(Exception):  # noqa: N818 - it is what the user is told
    """The model cannot be converted; a sentence says why."""


def run(arguments: dict[str, Any]) -> dict[str, Any]:
    """Convert a model's graph.

    Args:
        arguments: ``source`` and ``target``, files of one folder; ``converter``; ``keep_io_types``;
            ``op_block_list`` and ``node_block_list``, in addition to the converter's own.

    Returns:
        ``changed``; ``losses`` by the name of the tensor for weights that lie in the model file
        itself; ``from_bfloat16``, the data types that weights are to get whose bytes in data files
        are bfloat16, by name; or ``error``, a sentence.
    """
    try:
        return _run(arguments)
    except (Refusal, BuildError) as refusal:
        return {"error": str(refusal)}


def _run(arguments: dict[str, Any]) -> dict[str, Any]:
    import onnx

    source, target = Path(arguments["source"]), Path(arguments["target"])
    model = without_functions(onnx.load(source, load_external_data=False))
    has_bfloat16 = has_type(model, (BFLOAT16,))
    _prepare(model, source.parent)
    in_bfloat16 = say_float32(model, (BFLOAT16,))
    _refuse_one_name_for_two(model, in_bfloat16)
    float16 = _converter(arguments["converter"])
    blocked = [*float16.DEFAULT_OP_BLOCK_LIST, *UNSUPPORTED_ON_CPU, *arguments["op_block_list"]]
    keep_io = arguments["keep_io_types"]
    if not has_bfloat16 and not _is_worth_it(model, set(blocked), keep_io=keep_io):
        return {"changed": False, "losses": {}}
    names = {node.name for graph in proto_graphs(model.graph) for node in graph.node}
    unknown = [name for name in arguments["node_block_list"] if name not in names]
    if unknown:
        raise Refusal(f"The model has no node called {', '.join(unknown)}.")
    outermost = {node.name for node in model.graph.node}
    options: dict[str, Any] = {
        "min_positive_val": SMALLEST,
        "max_finite_val": LARGEST,
        "keep_io_types": keep_io,
        "op_block_list": blocked,
        "node_block_list": list(arguments["node_block_list"]),
    }
    if arguments["converter"] == "onnxconverter-common":
        # Whether there is anything left to convert has been looked at above.
        options["check_fp16_ready"] = False
    losses: dict[str, Losses] = {}
    try:
        with _without_data(float16, losses):
            model = float16.convert_float_to_float16(model, **options)
    # The converters raise errors of any kind for what they do not expect.
    except Exception as error:
        raise Refusal(
            f"The converter {arguments['converter']} cannot convert this model: {_reason(error)}."
        ) from error
    graphs.place_casts(model, outermost)
    graphs.sort_nodes(model.graph)
    _check(model, arguments["converter"])
    labels = _say_bfloat16(model, in_bfloat16)
    try:
        target.write_bytes(model.SerializeToString())
    except OSError as error:
        raise Refusal(
            f"{target.parent} cannot be written: {error.strerror}. Make room, or give another "
            "cache directory with -d."
        ) from error
    return {
        "changed": True,
        "losses": {name: lost.to_json() for name, lost in losses.items() if lost},
        "from_bfloat16": labels,
    }


def _prepare(model: Any, folder: Path) -> None:
    """Bring a model without functions into a form that the converters know.

    Raises:
        Refusal: It has one that they cannot work with.
        BuildError: What it refers to cannot be read.
    """
    if any(entry.domain == _CPU_LAYOUT for entry in model.opset_import):
        raise Refusal(
            "The file is laid out for one kind of CPU, which only works in float32. Optimize it "
            "with --level basic or extended before."
        )
    graphs.forget_types_of_weights(model.graph)
    graphs.make_constants_tensors(model.graph)
    widen(model, (BFLOAT16,), folder)
    for tensor in _constants(model):
        embed(tensor, folder)
    for graph in proto_graphs(model.graph):
        for tensor in graph.initializer:
            if tensor.data_type == graphs.FLOAT and tensor.data_location == EXTERNAL:
                _say_length(tensor)


def _say_bfloat16(model: Any, names: set[str]) -> dict[str, int]:
    """Say again which weights are bfloat16 in their data files; give what each is to become."""
    wanted = {}
    for graph in proto_graphs(model.graph):
        for tensor in graph.initializer:
            if tensor.name in names:
                wanted[tensor.name] = tensor.data_type
                tensor.data_type = BFLOAT16
    return wanted


def _refuse_one_name_for_two(model: Any, in_bfloat16: set[str]) -> None:
    seen: set[str] = set()
    for graph in proto_graphs(model.graph):
        for tensor in graph.initializer:
            matters = tensor.data_type == graphs.FLOAT or tensor.name in in_bfloat16
            if matters and tensor.name in seen:
                raise Refusal(
                    f"Two graphs of this model have a weight called {tensor.name}, which the "
                    "converters cannot tell apart."
                )
            seen.add(tensor.name)


def _constants(model: Any) -> Iterator[Any]:
    """Give the tensors in attributes of all nodes."""
    for node in proto_nodes(model.graph):
        yield from attribute_tensors(node)


def _say_length(tensor: Any) -> None:
    if all(entry.key != "length" for entry in tensor.external_data):
        count = _FLOAT32_BYTES
        for size in tensor.dims:
            count *= size
        tensor.external_data.add(key="length", value=str(count))


def _is_worth_it(model: Any, blocked: set[str], *, keep_io: bool) -> bool:
    """Tell whether a model has anything of float32 that would become float16."""
    types = {
        value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)
    }
    if graphs.FLOAT in types and not keep_io:
        return True
    used = {
        name
        for graph in proto_graphs(model.graph)
        for node in graph.node
        if node.op_type not in blocked
        for name in node.input
    }
    tensors = [t for graph in proto_graphs(model.graph) for t in graph.initializer]
    if any(t.data_type == graphs.FLOAT and t.name in used for t in tensors):
        return True
    constants = list(_constants(model))
    if any(tensor.data_type == graphs.FLOAT for tensor in constants):
        return True
    if graphs.FLOAT16 in types or any(
        t.data_type == graphs.FLOAT16 for t in (*tensors, *constants)
    ):
        return False
    made = {
        attribute.i
        for graph in proto_graphs(model.graph)
        for node in graph.node
        for attribute in node.attribute
        if attribute.name in ("to", "dtype")
    }
    return graphs.FLOAT in types | made


def _converter(name: str) -> Any:
    if name == "ort":
        from onnxruntime.transformers import float16
    else:
        from onnxconverter_common import float16  # type: ignore[import-untyped]
    return float16


@contextmanager
def _without_data(float16: Any, losses: dict[str, Losses]) -> Iterator[None]:
    """Let a converter work on weights that are not there, and see what it does to those that are.

    Args:
        float16: The converter's module, in which two functions are replaced meanwhile.
        losses: Is filled, by the name of the tensor.
    """
    from onnx import helper

    original: Callable[..., Any] = float16.convert_tensor_float_to_float16

    def convert(tensor: Any, *limits: float) -> Any:
        if tensor.data_type == graphs.FLOAT and tensor.data_location != EXTERNAL:
            name = tensor.name or "a constant"
            losses[name] = losses.get(name, Losses()) + _losses_of(tensor)
        return original(tensor, *limits)

    def make_value_info(tensor: Any) -> Any:
        return helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)

    replaced = {
        "convert_tensor_float_to_float16": convert,
        "make_value_info_from_tensor": make_value_info,
    }
    before = {name: getattr(float16, name) for name in replaced}
    for name, function in replaced.items():
        setattr(float16, name, function)
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(float16, name, function)


def _losses_of(tensor: Any) -> Losses:
    import numpy as np

    if tensor.raw_data:
        return halve(np.frombuffer(tensor.raw_data, "<f4"))[1]
    return halve(np.array(tensor.float_data, np.float32))[1]


def _check(model: Any, converter: str) -> None:
    """See whether ONNX Runtime takes the graph, types and order and all, without its weights."""
    import onnxruntime as ort

    probe = without_weights(model)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        ort.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        other = " Try --converter ort." if converter != "ort" else ""
        raise Refusal(
            f"The converter {converter} made a model that ONNX Runtime does not load: "
            f"{_reason(error)}.{other}"
        ) from error


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return _PREFIX.sub("", lines[0] if lines else type(error).__name__)[:500].rstrip(".")
