"""What a model must be given: the names, types and dimensions of its inputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from turnkeyml.errors import BuildError
from turnkeyml.worker.tensors import ITEM_SIZES
from turnkeyml_plugin_load_onnx.reading import shown

if TYPE_CHECKING:
    import onnx

    from turnkeyml_plugin_load_onnx.reading import OnnxFile

Dimension = int | str | None
"""A number; a name for a dimension that is not fixed; or None for one without a name."""

_RENAMED = {
    "FLOAT": "float32",
    "DOUBLE": "float64",
    "FLOAT8E4M3FN": "float8_e4m3fn",
    "FLOAT8E4M3FNUZ": "float8_e4m3fnuz",
    "FLOAT8E5M2": "float8_e5m2",
    "FLOAT8E5M2FNUZ": "float8_e5m2fnuz",
}


@dataclass(frozen=True)
class InputSpec:
    """One input as the file declares it.

    Args:
        name: Its name.
        dtype: Such as ``float32``; one of `turnkeyml.worker.tensors.ITEM_SIZES`.
        dims: Its dimensions, or None if the file does not say how many there are.
    """

    name: str
    dtype: str
    dims: tuple[Dimension, ...] | None

    @property
    def is_float(self) -> bool:
        """Whether its values are floating-point numbers."""
        return "float" in self.dtype

    @property
    def is_integer(self) -> bool:
        """Whether its values are whole numbers."""
        return "int" in self.dtype

    def describe(self) -> str:
        """Show name and dimensions, such as ``x[batch, 3, ?]``."""
        inner = (
            "..." if self.dims is None else ", ".join(shown(str(d or "?"), 40) for d in self.dims)
        )
        return f"{shown(self.name)}[{inner}]"


def required_inputs(file: OnnxFile) -> dict[str, InputSpec]:
    """Give the inputs that a model cannot run without; those with a default value are left out.

    Raises:
        BuildError: An input is of a kind for which no values can be made, or an output of one that
            cannot be read.
    """
    graph = file.proto.graph
    defaults = {tensor.name for tensor in graph.initializer}
    names = Counter(value.name for value in graph.input)
    specs = {}
    for value in graph.input:
        if names[value.name] > 1:
            raise BuildError(
                f"The model has {names[value.name]} inputs of the name {shown(value.name)!r}."
            )
        if value.name not in defaults:
            specs[value.name] = _spec(value, f"The input {shown(value.name)!r}")
    for value in graph.output:
        if "map_type" in _kinds(value.type):
            raise BuildError(
                f"The output {shown(value.name)!r} is a map, which turnkey cannot handle.",
                hint="If skl2onnx made the file, convert with options={'zipmap': False}.",
            )
    return specs


def _spec(value: onnx.ValueInfoProto, what: str) -> InputSpec:
    import onnx

    kind = value.type.WhichOneof("value")
    if kind is None:
        raise BuildError(f"{what} has no type.")
    if kind != "tensor_type":
        raise BuildError(
            f"{what} is a {kind.removesuffix('_type').replace('_', ' ')}, and no tensor; turnkey "
            "makes tensors only."
        )
    tensor = value.type.tensor_type
    try:
        name = onnx.TensorProto.DataType.Name(tensor.elem_type)
    except ValueError as error:
        raise BuildError(f"{what} has the unknown element type {tensor.elem_type}.") from error
    dtype = _RENAMED.get(name, name.lower())
    if dtype not in ITEM_SIZES:
        raise BuildError(f"{what} takes {dtype} values, which turnkey cannot make.")
    dims = tuple(_dimension(d) for d in tensor.shape.dim) if tensor.HasField("shape") else None
    return InputSpec(value.name, dtype, dims)


def _dimension(dim: Any) -> Dimension:
    # A negative number is how some exporters write that a dimension is not fixed.
    if dim.HasField("dim_value") and dim.dim_value >= 0:
        return int(dim.dim_value)
    return str(dim.dim_param) or None


def _kinds(type_proto: Any) -> set[str]:
    """Collect the kinds of a type and of the types inside it."""
    found = set()
    while (kind := type_proto.WhichOneof("value")) is not None:
        found.add(kind)
        inner = getattr(type_proto, kind)
        if kind not in ("sequence_type", "optional_type"):
            break
        type_proto = inner.elem_type
    return found
