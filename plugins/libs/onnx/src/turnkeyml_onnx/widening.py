"""Models in float16 or bfloat16 as models in float32, which has all their numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml_onnx.protos import attribute_tensors, proto_graphs, proto_nodes

if TYPE_CHECKING:
    import numpy as np
    import onnx_ir as ir
    from onnx import GraphProto, ModelProto, TensorProto, TypeProto, ValueInfoProto

FLOAT, FLOAT16, BFLOAT16 = 1, 10, 16
"""ONNX's numbers of data types."""

BLOCK = 1 << 18
"""How many numbers are converted at a time; what they need stays in the processor's cache."""

_EXTERNAL = 1
_TYPE_ATTRIBUTES = ("to", "dtype", "output_dtype", "stash_type", "softmax_precision")
"""Attributes that are data types, of Cast, RandomNormal, DequantizeLinear, LayerNormalization, …"""


def has_type(model: ModelProto, kinds: Collection[int]) -> bool:
    """Tell whether anything in a model is said to be of some data types."""
    return any(kind in kinds for kind in _types_in(model))


def widen(model: ModelProto, kinds: Collection[int], folder: Path) -> None:
    """Make a model compute in float32 where it computes in narrower types.

    Each number of float16 and bfloat16 is one of float32, so no weight changes. What is rounded to
    the narrower type in between is no longer. Initializers in data files are left as they are: they
    are still of the narrower type, and become float32 as `WidenedTensor`.

    Args:
        model: Changed in place.
        kinds: The narrower types, ``FLOAT16`` or ``BFLOAT16``.
        folder: Of the data files; tensors in attributes of nodes are read from them.
    """
    for graph in proto_graphs(model.graph):
        for value in _values_of(graph):
            _widen_type(value.type, kinds)
        for tensor in graph.initializer:
            if tensor.data_location != _EXTERNAL:
                _widen_tensor(tensor, kinds)
    for function in model.functions:
        for value in function.value_info:
            _widen_type(value.type, kinds)
    for node in proto_nodes(model):
        for tensor in attribute_tensors(node):
            embed(tensor, folder)
            _widen_tensor(tensor, kinds)
        for attribute in node.attribute:
            if attribute.name in _TYPE_ATTRIBUTES and attribute.i in kinds:
                attribute.i = FLOAT
            if attribute.HasField("tp"):
                _widen_type(attribute.tp, kinds)


def embed(tensor: TensorProto, folder: Path) -> None:
    """Take the bytes of a tensor into the model, if they lie in a data file."""
    from onnx.external_data_helper import load_external_data_for_tensor

    if tensor.data_location == _EXTERNAL:
        load_external_data_for_tensor(tensor, str(folder))
        tensor.ClearField("data_location")
        del tensor.external_data[:]


class WidenedTensor:
    """A tensor of float32 whose numbers lie in a data file in a narrower type.

    It has what a writer of ONNX files asks of a tensor (see ``onnx_ir.TensorProtocol``).

    Args:
        source: The numbers, float16 or bfloat16.
    """

    def __init__(self, source: ir.ExternalTensor) -> None:
        import onnx_ir as ir

        self.name = source.name
        self.dtype = ir.DataType.FLOAT
        self.shape = source.shape
        self.size = source.size
        self.nbytes = 4 * source.size
        self._source = source

    def tofile(self, file: Any) -> None:
        """Convert the numbers and write them, little endian."""
        for values in read_float32(self._source, self._source.dtype):
            file.write(values.astype("<f4", copy=False))

    def tobytes(self) -> bytes:
        """Give all numbers."""
        return b"".join(
            values.astype("<f4", copy=False).tobytes()
            for values in read_float32(self._source, self._source.dtype)
        )

    def numpy(self) -> np.ndarray[Any, Any]:
        """Give all numbers as an array."""
        import numpy as np

        flat = np.frombuffer(self.tobytes(), "<f4")
        array: np.ndarray[Any, Any] = flat.reshape(self.shape.numpy())
        return array


def widen_weights(model: ir.Model, kinds: Collection[int], inline_bytes: int) -> None:
    """Make the initializers in data files float32 that `widen` has left.

    Args:
        model: Changed in place.
        kinds: The narrower types.
        inline_bytes: Weights below this size are put into the model.
    """
    import onnx_ir as ir

    from turnkeyml_onnx.reading import graphs_of

    by_place: dict[tuple[Any, ...], WidenedTensor] = {}
    for graph in graphs_of(model):
        for name, value in graph.initializers.items():
            tensor = value.const_value
            if not isinstance(tensor, ir.ExternalTensor) or tensor.dtype not in kinds:
                continue
            widened = by_place.setdefault(place_of(tensor), WidenedTensor(tensor))
            small = widened.nbytes < inline_bytes
            value.const_value = ir.tensor(widened.numpy(), name=name) if small else widened
            value.dtype = ir.DataType.FLOAT


def place_of(tensor: ir.ExternalTensor) -> tuple[Any, ...]:
    """Give what is the same for two initializers that share their bytes and their shape."""
    return (str(tensor.location), tensor.offset, tensor.dtype, tuple(tensor.shape.numpy()))


def read_float32(tensor: ir.ExternalTensor, kind: int) -> Iterator[np.ndarray[Any, Any]]:
    """Give the numbers of a tensor in a data file as float32, little endian, a block at a time.

    Args:
        tensor: Of any shape.
        kind: What its bytes are: ``FLOAT``, ``FLOAT16`` or ``BFLOAT16``.

    Raises:
        OSError: The file cannot be read, or is too short.
    """
    import numpy as np

    width = 4 if kind == FLOAT else 2
    left = tensor.size
    buffer = bytearray(min(BLOCK, left) * width)
    path = Path(tensor.path)
    with path.open("rb") as source:
        source.seek(tensor.offset or 0)
        while left:
            view = memoryview(buffer)[: min(BLOCK, left) * width]
            if source.readinto(view) != len(view):
                raise OSError(f"{path} is shorter than the weights that are said to be in it")
            yield as_float32(np.frombuffer(view, np.uint8), kind)
            left -= len(view) // width


def as_float32(data: np.ndarray[Any, Any], kind: int) -> np.ndarray[Any, Any]:
    """Give numbers as float32, little endian.

    Args:
        data: Their bytes, little endian.
        kind: Of the numbers: ``FLOAT``, ``FLOAT16`` or ``BFLOAT16``.
    """

    if kind == BFLOAT16:
        # It is the upper half of a float32.
        wide: np.ndarray[Any, Any] = data.view("<u2").astype("<u4")
        wide <<= 16
        return wide.view("<f4")
    numbers: np.ndarray[Any, Any] = data.view("<f4" if kind == FLOAT else "<f2")
    return numbers.astype("<f4", copy=False)


def _values_of(graph: GraphProto) -> Iterator[ValueInfoProto]:
    yield from graph.input
    yield from graph.output
    yield from graph.value_info


def _types_in(model: ModelProto) -> Iterator[int]:
    for graph in proto_graphs(model.graph):
        for value in _values_of(graph):
            yield value.type.tensor_type.elem_type
        for tensor in graph.initializer:
            yield tensor.data_type
    for node in proto_nodes(model):
        for tensor in attribute_tensors(node):
            yield tensor.data_type
        for attribute in node.attribute:
            if attribute.name in _TYPE_ATTRIBUTES:
                yield attribute.i


def _widen_type(kind: TypeProto, kinds: Collection[int]) -> None:
    """Widen a type, also inside sequences, optionals and maps."""
    if kind.HasField("tensor_type") and kind.tensor_type.elem_type in kinds:
        kind.tensor_type.elem_type = FLOAT
    for inner in ("sequence_type", "optional_type"):
        if kind.HasField(inner):
            _widen_type(getattr(kind, inner).elem_type, kinds)
    if kind.HasField("map_type"):
        _widen_type(kind.map_type.value_type, kinds)


def _widen_tensor(tensor: TensorProto, kinds: Collection[int]) -> None:
    import numpy as np
    from onnx import numpy_helper

    if tensor.data_type in kinds:
        values = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
