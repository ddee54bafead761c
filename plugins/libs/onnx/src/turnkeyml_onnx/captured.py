"""Captured inputs for a model whose inputs have other floating-point types now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.artifacts import INPUTS
from turnkeyml.errors import BuildError
from turnkeyml.state import State
from turnkeyml.worker.tensors import RawTensor, read_tensors, write_tensors
from turnkeyml_onnx.widening import BFLOAT16, FLOAT, FLOAT16, as_float32

if TYPE_CHECKING:
    import numpy as np
    import onnx_ir as ir

    Convert = Callable[[str, np.ndarray[Any, Any]], np.ndarray[Any, Any]]

_KINDS = {"float32": FLOAT, "float16": FLOAT16, "bfloat16": BFLOAT16}


def changed_inputs(before: ir.Model, after: ir.Model) -> dict[str, str]:
    """Name the inputs of a model whose types have changed, and what they are now (`float16`)."""
    types = {value.name: value.dtype for value in before.graph.inputs}
    return {
        str(value.name): value.dtype.numpy().name
        for value in after.graph.inputs
        if value.dtype is not None and types.get(value.name) not in (None, value.dtype)
    }


def convert_captured(
    state: State, info: dict[str, Any], changed: Collection[str], convert: Convert
) -> None:
    """Write the captured inputs of a model again, into a folder of their own, where there are any.

    Args:
        state: Of the step; what is written is added to it.
        info: Of the model's artifact; ``inputs_folder`` is changed in place.
        changed: Names of those of the model's inputs whose types have changed.
        convert: What makes the values of one, by its name; given float32 in one dimension.

    Raises:
        BuildError: The captured inputs are not what they should be, or cannot be written.
    """
    names, given = info.get("inputs"), info.get("inputs_folder")
    if not isinstance(names, dict) or not isinstance(given, str):
        return
    # An initializer may be declared as an input too; nothing was captured for it.
    changed = [name for name in changed if name in names]
    folder = state.build.path / given
    if not changed or not folder.is_dir():
        return
    target = f"inputs-{state.file_name('')}"
    files = _rewrite(folder, state.build.path / target, names, changed, convert)
    state.add(INPUTS, files, info={"folder": target})
    info["inputs_folder"] = target


def _rewrite(
    folder: Path, target: Path, names: Mapping[str, str], changed: Collection[str], convert: Convert
) -> list[Path]:
    import numpy as np

    try:
        captured = read_tensors(folder)
    except (OSError, ValueError) as error:
        raise BuildError(f"The captured inputs in {folder} cannot be read: {error}.") from error
    missing = sorted(set(names.values()) - set(captured))
    if missing:
        raise BuildError(f"The captured inputs in {folder} have no tensor {', '.join(missing)}.")
    tensors = dict(captured)
    for name in changed:
        leaf = names[name]
        raw = captured[leaf]
        kind = _KINDS.get(raw.dtype)
        if kind is None:
            raise BuildError(
                f"The captured input {leaf} is {raw.dtype}, where one of {', '.join(_KINDS)} is "
                "needed."
            )
        values = convert(name, as_float32(np.frombuffer(raw.data, np.uint8), kind))
        data = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
        tensors[leaf] = RawTensor(values.dtype.name, raw.shape, memoryview(data))
    try:
        written = write_tensors(target, tensors)
    except OSError as error:
        raise BuildError(
            f"The inputs of the converted model cannot be written to {target}: {error.strerror}.",
            hint="Make room, or give another cache directory with -d.",
        ) from error
    return [target / name for name in written]
