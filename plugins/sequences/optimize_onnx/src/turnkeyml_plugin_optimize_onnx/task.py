"""What runs in a process of its own: ONNX Runtime optimizes a file, and loads what it made.

Loaded by path.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from turnkeyml_onnx.protos import (
    proto_graphs,
    proto_nodes,
    without_functions,
    without_weights,
)
from turnkeyml_onnx.widening import BFLOAT16, has_type

_INLINE_BYTES = "1024"
_TOO_LARGE = "Protobuf serialization failed"
_UNWRITABLE = (_TOO_LARGE, "Failed to write", "SystemError")
_LACKING = re.compile(r"Could not find an implementation for (\w+)\(\d+\) node with name '(.*)'")
_FLOAT16_STAYS = (
    "the model computes in float16 and is left as it is, because ONNX Runtime's optimizer would "
    "make it compute in float32; put optimize-onnx before convert-fp16."
)
_BFLOAT16_STAYS = (
    "the model computes in bfloat16, for which ONNX Runtime's CPU lacks operators, and is left as "
    "it is; put convert-fp32 before optimize-onnx to have it optimized."
)
_PREFIX = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : (?:Load model from .*? failed:)?")
_INSERTED_CAST = re.compile(r"^Inserted(PrecisionFree)?Cast_")
_COUNTED_NAME = re.compile(r"^gemm_(in|out)put_shape$|_token_\d+$")


def run(arguments: dict[str, Any]) -> dict[str, Any]:
    """Optimize a file.

    Args:
        arguments: ``source`` and ``target``, files of one folder, so that the weights that the
            optimizer leaves alone stay references to where they are; ``data``, the name of a file
            beside them for the weights if that cannot be; ``level``, of optimization.

    Returns:
        ``made``: whether the file is an optimized one; if not, ``why``, half a sentence; or
        ``error``, a sentence.
    """
    import onnx

    target = Path(arguments["target"])
    before = onnx.load(arguments["source"], load_external_data=False)
    # onnxruntime raises errors of its own kinds, without a common base of their own.
    try:
        _optimize(arguments)
    except Exception as error:  # noqa: BLE001
        if any(text in str(error) for text in _UNWRITABLE):
            return {
                "error": f"ONNX Runtime cannot write what it made to {target.parent}: "
                f"{_reason(error)}. Make room, or give another cache directory with -d."
            }
        if lacks_bfloat16(str(error), before):
            return {"made": False, "why": _BFLOAT16_STAYS}
        return {"error": f"ONNX Runtime cannot optimize this model: {_reason(error)}"}
    model = onnx.load(target, load_external_data=False)
    for what, now, then in (
        ("inputs", model.graph.input, before.graph.input),
        ("outputs", model.graph.output, before.graph.output),
    ):
        if [value.name for value in now] != [value.name for value in then]:
            return {"error": f"ONNX Runtime changed the {what} of the model."}
    if inserted_casts(model) - inserted_casts(before):
        return {"made": False, "why": _FLOAT16_STAYS}
    model.ir_version = before.ir_version
    restore_domains(model, before)
    rename_constants(model, before)
    target.write_bytes(model.SerializeToString())
    try:
        if _is_valid(arguments["source"]):
            onnx.checker.check_model(str(target))
        _load(str(target), "all")
    except Exception as error:  # noqa: BLE001
        return {"error": f"ONNX Runtime's optimizer made a file that is no good: {_reason(error)}"}
    return {"made": True}


def inserted_casts(model: Any) -> set[str]:
    """Name the casts to float32 that ONNX Runtime puts around what its CPU lacks in float16.

    They would stay in the file, and make it compute in float32 wherever it is run.
    """
    names = (node.name for graph in proto_graphs(model.graph) for node in graph.node)
    return {name for name in names if _INSERTED_CAST.match(name)}


def lacks_bfloat16(message: str, model: Any) -> bool:
    """Tell whether ONNX Runtime refused a model because of an operator on bfloat16.

    Args:
        message: What it said; of an operator of its own making it gives no name.
        model: Not changed.
    """
    from onnx import shape_inference

    found = _LACKING.search(message)
    if not found:
        return False
    model = without_functions(model)
    if not has_type(model, (BFLOAT16,)):
        return False
    operator, name = found.groups()
    model = shape_inference.infer_shapes(without_weights(model))
    typed: set[str] = set()
    for graph in proto_graphs(model.graph):
        values = (*graph.input, *graph.output, *graph.value_info)
        typed |= {v.name for v in values if v.type.tensor_type.elem_type == BFLOAT16}
        typed |= {tensor.name for tensor in graph.initializer if tensor.data_type == BFLOAT16}
    same = [
        node
        for node in proto_nodes(model.graph)
        if node.op_type == operator and name in ("", node.name)
    ]
    return not same or any(typed.intersection((*node.input, *node.output)) for node in same)


def _is_valid(path: str) -> bool:
    """Tell whether ONNX's checker likes a file; it dislikes many that all runtimes load."""
    import onnx

    try:
        onnx.checker.check_model(path)
    except onnx.checker.ValidationError:
        return False
    return True


def restore_domains(model: Any, before: Any) -> None:
    """Declare the domains that were declared, and those that operators use; not all of them.

    Args:
        model: As ONNX Runtime saved it, which declares every domain it knows; changed in place.
        before: As it was before.
    """
    declared = {entry.domain: entry.version for entry in before.opset_import}
    used = {node.domain for graph in proto_graphs(model.graph) for node in graph.node}
    for entry in model.opset_import:
        if entry.domain in used:
            declared.setdefault(entry.domain, entry.version)
    del model.opset_import[:]
    for domain, version in declared.items():
        model.opset_import.add(domain=domain, version=version)


def rename_constants(model: Any, before: Any) -> None:
    """Give the constants that ONNX Runtime made names that it will not make again.

    It names them by counting, and when it loads its own file it counts anew without a look at the
    names of constants: joining MatMul and Add at a higher level then meets a name that is taken,
    and the file does not load ("Attempt to replace the existing tensor").

    Args:
        model: As ONNX Runtime saved it; changed in place.
        before: As it was before.
    """
    theirs, taken = _value_names(before), _value_names(model)
    fixed = {value.name for value in (*model.graph.input, *model.graph.output)}
    renamed: dict[str, str] = {}
    for graph in proto_graphs(model.graph):
        for tensor in graph.initializer:
            name = tensor.name
            if name in fixed or (name in theirs and not _COUNTED_NAME.search(name)):
                continue
            # The branches of an If may each have one of this name.
            if name not in renamed:
                renamed[name] = _free_name(name, taken)
            tensor.name = renamed[name]
    for graph in proto_graphs(model.graph):
        for info in (*graph.value_info, *graph.output):
            info.name = renamed.get(info.name, info.name)
        for node in graph.node:
            node.input[:] = [renamed.get(name, name) for name in node.input]


def _free_name(name: str, taken: set[str]) -> str:
    new, number = f"{name}.constant", 2
    while new in taken:
        new, number = f"{name}.constant{number}", number + 1
    taken.add(new)
    return new


def _value_names(model: Any) -> set[str]:
    names: set[str] = set()
    for graph in proto_graphs(model.graph):
        names.update(value.name for value in graph.input)
        names.update(tensor.name for tensor in graph.initializer)
        names.update(name for node in graph.node for name in node.output)
    return names


def _optimize(arguments: dict[str, Any]) -> None:
    source, target, level = arguments["source"], arguments["target"], arguments["level"]
    saved = {"optimized_model_filepath": target}
    try:
        _load(source, level, saved)
    except Exception as error:
        if _TOO_LARGE not in str(error):
            raise
        # New constants of more than 2 GB do not fit into the model file.
        Path(target).unlink(missing_ok=True)
        prefix = "session.optimized_model_external_initializers"
        apart = {
            f"{prefix}_file_name": arguments["data"],
            f"{prefix}_min_size_in_bytes": _INLINE_BYTES,
        }
        _load(source, level, saved, apart)


def _load(
    path: str, level: str, settings: dict[str, Any] | None = None, entries: Any = None
) -> None:
    """Make a session, with as little preparation for running as can be."""
    import onnxruntime as ort

    levels = {
        "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
        "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
    }
    options = ort.SessionOptions()
    options.graph_optimization_level = levels[level]
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.disable_prepacking", "1")
    for name, value in (settings or {}).items():
        setattr(options, name, value)
    for key, value in (entries or {}).items():
        options.add_session_config_entry(key, value)
    ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return _PREFIX.sub("", lines[0] if lines else type(error).__name__)[:500]
