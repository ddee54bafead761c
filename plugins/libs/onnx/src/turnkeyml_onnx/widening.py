"""Models in float16 or bfloat16 as models in float32, which has all their numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.errors import BuildError
from turnkeyml_onnx.protos import EXTERNAL, attribute_tensors, embed, proto_graphs, proto_nodes

if TYPE_CHECKING:
    import numpy as np
    import onnx_ir as ir
    from onnx import (
        AttributeProto,
        GraphProto,
        ModelProto,
        NodeProto,
        TensorProto,
        TypeProto,
        ValueInfoProto,
    )

FLOAT, FLOAT16, BFLOAT16 = 1, 10, 16
"""ONNX's numbers of data types."""

BLOCK = 1 << 18
"""How many numbers are converted at a time; what they need stays in the processor's cache."""

_TYPE_ATTRIBUTES = (
    "to", "dtype", "output_dtype", "output_datatype", "stash_type", "softmax_precision",
    "precision",
)  # fmt: skip
"""Attributes of standard operators that are data types, such as Cast, RandomNormal, HannWindow,
LayerNormalization, Attention and QuantizeLinear have."""

_STANDARD = ("", "ai.onnx")
_READS_BITS = "BitCast"


def has_type(model: ModelProto, kinds: Collection[int]) -> bool:
    """Tell whether anything in a model is said to be of some data types.

    Args:
        model: Without functions; see `without_functions`.
        kinds: The data types.
    """
    return any(kind in kinds for kind in _types_in(model))


def widen(model: ModelProto, kinds: Collection[int], folder: Path) -> None:
    """Make a model compute in float32 where it computes in narrower types.

    Each number of float16 and bfloat16 is one of float32, so no weight changes. What is rounded to
    the narrower type in between is no longer. Initializers in data files are left as they are: they
    are still of the narrower type, and become float32 as `WidenedTensor`.

    Args:
        model: Without functions; changed in place.
        kinds: The narrower types, ``FLOAT16`` or ``BFLOAT16``.
        folder: Of the model file; tensors in attributes of nodes are read from data files there.

    Raises:
        BuildError: It has something that cannot be float32, or is damaged.
    """
    if not has_type(model, kinds):
        return
    for graph in proto_graphs(model.graph):
        if graph.sparse_initializer:
            raise BuildError("A model with sparse weights cannot be made float32.")
        for value in _values_of(graph):
            _widen_type(value.type, kinds)
        for tensor in graph.initializer:
            if tensor.data_location != EXTERNAL:
                _widen_tensor(tensor, kinds)
        for node in graph.node:
            _widen_node(node, kinds, folder)


def _widen_node(node: NodeProto, kinds: Collection[int], folder: Path) -> None:
    if node.op_type == _READS_BITS and node.domain in _STANDARD:
        raise BuildError(
            f"A model with {_READS_BITS}, which reads the bits of numbers, cannot be made float32."
        )
    for tensor in attribute_tensors(node):
        embed(tensor, folder)
        _widen_tensor(tensor, kinds)
    for attribute in node.attribute:
        if attribute.HasField("tp"):
            _widen_type(attribute.tp, kinds)
    for attribute in _type_attributes(node):
        if attribute.i in kinds:
            attribute.i = FLOAT


def with_float32(model: ModelProto, kinds: Collection[int]) -> ModelProto:
    """Give a copy of what `widen` made in which weights in data files are said to be float32."""
    copy = type(model)()
    copy.CopyFrom(model)
    say_float32(copy, kinds)
    return copy


def say_float32(model: ModelProto, kinds: Collection[int]) -> set[str]:
    """Say of initializers of narrower types that they are float32; give their names."""
    names = set()
    for graph in proto_graphs(model.graph):
        for tensor in graph.initializer:
            if tensor.data_type in kinds:
                tensor.data_type = FLOAT
                names.add(tensor.name)
    return names


class WidenedTensor:
    """A tensor of float32 whose numbers lie in a data file in another type.

    It has what a writer of ONNX files asks of a tensor (see ``onnx_ir.TensorProtocol``).

    Args:
        source: Its shape, and where its numbers are.
        kind: What they are there; by default what the source says.
    """

    def __init__(self, source: ir.ExternalTensor, kind: int | None = None) -> None:
        import onnx_ir as ir

        self.name = source.name
        self.dtype = ir.DataType.FLOAT
        self.shape = source.shape
        self.size = source.size
        self._source = source
        self._kind = source.dtype if kind is None else kind

    @property
    def nbytes(self) -> int:
        """How many bytes its numbers take."""
        nbytes: int = round(self.size * self.dtype.itemsize)
        return nbytes

    def blocks(self) -> Iterator[np.ndarray[Any, Any]]:
        """Give the numbers, little endian, a block at a time."""
        return read_float32(self._source, self._kind)

    def tofile(self, file: Any) -> None:
        """Convert the numbers and write them, little endian."""
        for values in self.blocks():
            file.write(values)

    def tobytes(self) -> bytes:
        """Give all numbers."""
        return b"".join(values.tobytes() for values in self.blocks())

    def numpy(self) -> np.ndarray[Any, Any]:
        """Give all numbers as an array."""
        import numpy as np

        flat = np.frombuffer(self.tobytes(), self.dtype.numpy().newbyteorder("<"))
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


def _type_attributes(node: NodeProto) -> Iterator[AttributeProto]:
    from onnx import AttributeProto

    if node.domain in _STANDARD:
        for attribute in node.attribute:
            if attribute.name in _TYPE_ATTRIBUTES and attribute.type == AttributeProto.INT:
                yield attribute


def _types_in(model: ModelProto) -> Iterator[int]:
    for graph in proto_graphs(model.graph):
        for value in _values_of(graph):
            yield from _types_of(value.type)
        for tensor in graph.initializer:
            yield tensor.data_type
        for sparse in graph.sparse_initializer:
            yield sparse.values.data_type
    for node in proto_nodes(model.graph):
        for tensor in attribute_tensors(node):
            yield tensor.data_type
        for attribute in node.attribute:
            if attribute.HasField("tp"):
                yield from _types_of(attribute.tp)
        for attribute in _type_attributes(node):
            yield attribute.i


def _tensor_types(kind: TypeProto) -> Iterator[TypeProto.Tensor]:
    """Give the types of tensors in a type, also inside sequences, optionals and maps."""
    if kind.HasField("tensor_type"):
        yield kind.tensor_type
    for inner in ("sequence_type", "optional_type"):
        if kind.HasField(inner):
            yield from _tensor_types(getattr(kind, inner).elem_type)
    if kind.HasField("map_type"):
        yield from _tensor_types(kind.map_type.value_type)


def _types_of(kind: TypeProto) -> Iterator[int]:
    return (tensor.elem_type for tensor in _tensor_types(kind))


def _widen_type(kind: TypeProto, kinds: Collection[int]) -> None:
    for tensor in _tensor_types(kind):
        if tensor.elem_type in kinds:
            tensor.elem_type = FLOAT


def _widen_tensor(tensor: TensorProto, kinds: Collection[int]) -> None:
    import numpy as np
    from onnx import numpy_helper

    if tensor.data_type not in kinds:
        return
    try:
        values = numpy_helper.to_array(tensor).astype(np.float32)
    except ValueError as error:
        raise BuildError(f"The tensor {tensor.name!r} is damaged: {error}.") from error
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
