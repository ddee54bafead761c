"""What is known of the captured inputs that an engine will be run with."""

from __future__ import annotations

import math
import struct
from typing import Any

from turnkeyml.artifacts import Artifact, safe_relative_path
from turnkeyml.errors import BuildError
from turnkeyml.state import State
from turnkeyml.worker.tensors import RawTensor, read_tensors

_FORMATS = {"int32": "i", "int64": "q"}
_MAX_VALUES = 64
"""More than any shape has dimensions."""


def captured_inputs(state: State, model: Artifact) -> dict[str, dict[str, Any]]:
    """Describe the captured inputs by the names that the ONNX file uses.

    Args:
        state: The build.
        model: The ONNX artifact; one without inputs gives nothing.

    Returns:
        For each input ``shape``, ``dtype`` and, if it may hold a shape, ``values``.

    Raises:
        BuildError: The captured inputs are damaged.
    """
    folder, names = model.info.get("inputs_folder"), model.info.get("inputs")
    if folder is None or not names:
        return {}
    try:
        tensors = read_tensors(state.build.path / safe_relative_path(str(folder)))
    except (OSError, ValueError) as error:
        raise BuildError(
            f"The captured inputs of {state.name} cannot be read: {error}.",
            hint="Run the chain again from its start.",
        ) from error
    return {str(name): _describe(tensors[leaf]) for name, leaf in names.items() if leaf in tensors}


def _describe(tensor: RawTensor) -> dict[str, Any]:
    found: dict[str, Any] = {"shape": list(tensor.shape), "dtype": tensor.dtype}
    # Only such tensors can be what TensorRT calls a shape tensor.
    code = _FORMATS.get(tensor.dtype)
    if code and len(tensor.shape) <= 1 and math.prod(tensor.shape) <= _MAX_VALUES:
        found["values"] = list(struct.unpack(f"<{math.prod(tensor.shape)}{code}", tensor.data))
    return found
