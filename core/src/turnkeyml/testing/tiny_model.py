"""The smallest model that is one: an ONNX file, its inputs and what it computes.

Written without any package, so that the kit can run what takes ONNX files wherever it is installed.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from turnkeyml.artifacts import INPUTS, ONNX_MODEL, Artifact
from turnkeyml.state import State
from turnkeyml.worker.tensors import RawTensor, write_tensors

OPSET, IR_VERSION = 17, 8
INPUT, OUTPUT = "x", "y"
SHAPE = (2, 3)
X = (1.0, -2.0, 3.0, 0.5, 0.25, -1.0)
WEIGHTS = (0.5, -1.0, 1.5, 2.0, 0.0, 1.0)
Y = tuple(max(0.0, x + w) for x, w in zip(X, WEIGHTS, strict=True))
"""What the model computes for X: ``Relu(x + weights)``."""

_FLOAT = 1
_LENGTH_DELIMITED = 2


def float_tensor(shape: Sequence[int], values: Sequence[float]) -> RawTensor:
    """Make a float32 tensor of plain numbers."""
    return RawTensor("float32", tuple(shape), memoryview(struct.pack(f"<{len(values)}f", *values)))


def tiny_onnx() -> bytes:
    """Give the model's file: ``y = Relu(x + weights)``, all of shape (2, 3) and float32."""
    weights = b"".join(
        [
            *(_number(1, size) for size in SHAPE),
            _number(2, _FLOAT),
            _field(8, b"weights"),
            _field(9, bytes(float_tensor(SHAPE, WEIGHTS).data)),
        ]
    )
    graph = b"".join(
        [
            _field(1, _node("Add", (INPUT, "weights"), "sum")),
            _field(1, _node("Relu", ("sum",), OUTPUT)),
            _field(2, b"tiny"),
            _field(5, weights),
            _field(11, _value(INPUT)),
            _field(12, _value(OUTPUT)),
        ]
    )
    opset = _field(1, b"") + _number(2, OPSET)
    return _number(1, IR_VERSION) + _field(7, graph) + _field(8, opset)


def add_onnx(
    state: State,
    model: bytes | Path,
    inputs: Mapping[str, RawTensor],
    *,
    outputs: Sequence[str],
    opset: int,
    ir_version: int,
) -> Artifact:
    """Hand a model file and its inputs over to a state, as tools that make ONNX files do.

    Args:
        state: Gets an artifact of kind ``inputs`` and one of kind ``onnx-model``.
        model: The file, or its bytes; data files beside it are not taken.
        inputs: Tensors by the names of the graph's inputs.
        outputs: Names of the graph's outputs, in order.
        opset: Of the default domain.
        ir_version: Of the file.
    """
    folder = state.folder("inputs")
    files = write_tensors(folder, inputs)
    state.add(INPUTS, [folder / name for name in files], info={"folder": folder.name})
    path = state.folder("onnx") / state.file_name(".onnx")
    path.write_bytes(model.read_bytes() if isinstance(model, Path) else model)
    info = {
        "opset": opset,
        "ir_version": ir_version,
        "inputs": {name: name for name in inputs},
        "inputs_folder": folder.name,
        "outputs": list(outputs),
    }
    return state.add(ONNX_MODEL, [path], info=info)


def add_tiny_onnx(state: State) -> Artifact:
    """Hand the kit's own model over to a state."""
    return add_onnx(
        state,
        tiny_onnx(),
        {INPUT: float_tensor(SHAPE, X)},
        outputs=[OUTPUT],
        opset=OPSET,
        ir_version=IR_VERSION,
    )


def _node(operator: str, inputs: Sequence[str], output: str) -> bytes:
    names = b"".join(_field(1, name.encode()) for name in inputs)
    return names + _field(2, output.encode()) + _field(4, operator.encode())


def _value(name: str) -> bytes:
    shape = b"".join(_field(1, _number(1, size)) for size in SHAPE)
    tensor_type = _number(1, _FLOAT) + _field(2, shape)
    return _field(1, name.encode()) + _field(2, _field(1, tensor_type))


def _field(number: int, content: bytes) -> bytes:
    """Write a field of protobuf that has a length."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    """Write a field of protobuf that is a whole number."""
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
