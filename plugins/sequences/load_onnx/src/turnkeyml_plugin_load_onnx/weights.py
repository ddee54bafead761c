"""Where the weights of an ONNX file are: every place checked before it is read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from turnkeyml.errors import BuildError
from turnkeyml_plugin_load_onnx.reading import shown
from turnkeyml_plugin_load_onnx.sparse import write_out_sparse
from turnkeyml_plugin_load_onnx.walking import graphs_of, inner_tensors_of
from turnkeyml_plugin_load_onnx.wire import OWN_FILE

if TYPE_CHECKING:
    import onnx

    from turnkeyml_plugin_load_onnx.reading import OnnxFile

_BLOCK = 1 << 20
_QUANTIZED_BITS = 8


@dataclass(frozen=True)
class Place:
    """Bytes in a file.

    Args:
        path: The file.
        offset: Where they begin.
        length: How many they are.
    """

    path: Path
    offset: int
    length: int

    def blocks(self) -> Iterator[bytes]:
        """Read them piece by piece.

        Raises:
            BuildError: The file cannot be read, or has become shorter.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                rest = self.length
                while rest:
                    block = file.read(min(rest, _BLOCK))
                    if not block:
                        raise BuildError(f"{self.path.name} was cut off while it was read.")
                    rest -= len(block)
                    yield block
        except OSError as error:
            raise BuildError(
                f"{self.path.name} cannot be read: {error.strerror or error}."
            ) from error


def settle_weights(file: OnnxFile) -> dict[str, Place]:
    """Check all tensors of a file, and leave the main graph's large ones where they are.

    Afterwards every other tensor is in memory, and sparse ones are written out.

    Returns:
        Names of initializers of the main graph to the places of their data.

    Raises:
        BuildError: A tensor's data is missing, too short, or outside the model's folder.
    """
    graph = file.proto.graph
    write_out_sparse(file.proto)
    names = Counter(tensor.name for tensor in graph.initializer)
    for name, count in names.items():
        if count > 1:
            raise BuildError(f"The model has {count} weights of the name {shown(name)!r}.")
    places: dict[str, Place] = {}
    for tensor in graph.initializer:
        place = _check(tensor, file.path)
        if place is not None and place.length > 0:
            places[tensor.name] = place
        elif place is not None:
            _load(tensor, place)
    for tensor in inner_tensors_of(file.proto):
        place = _check(tensor, file.path)
        if place is not None:
            _load(tensor, place)
    return places


@dataclass(frozen=True)
class Parameters:
    """How many parameters a model has, and what they take in bytes."""

    count: int
    bytes: int


def count_parameters(proto: onnx.ModelProto) -> Parameters:
    """Count the numbers that are weights: floating-point ones, and whole ones of 8 bits or fewer.

    Larger whole numbers are shapes, axes and the like; quantized weights are never so large.
    """
    import onnx_ir as ir

    tensors = [tensor for graph in graphs_of(proto) for tensor in getattr(graph, "initializer", ())]
    counted = []
    for tensor in tensors:
        dtype = ir.DataType(tensor.data_type)
        is_small = dtype.is_integer() and dtype.bitwidth <= _QUANTIZED_BITS
        if dtype.is_floating_point() or is_small:
            counted.append(tensor)
    return Parameters(
        sum(math.prod(tensor.dims) for tensor in counted),
        sum(byte_count(tensor) or 0 for tensor in counted),
    )


def byte_count(tensor: onnx.TensorProto) -> int | None:
    """Give how many bytes a tensor's values take; None for text, which has no fixed size.

    Raises:
        ValueError: There is no such element type.
    """
    import onnx_ir as ir

    dtype = ir.DataType(tensor.data_type)
    if dtype == ir.DataType.UNDEFINED:
        raise ValueError("it has no element type")
    if dtype == ir.DataType.STRING:
        return None
    return int(-(-math.prod(tensor.dims) * dtype.bitwidth // 8))


def _check(tensor: onnx.TensorProto, model: Path) -> Place | None:
    """Check a tensor, and give the place of its data if that is in a file."""
    what = f"The weight {shown(tensor.name)!r}"
    if any(n < 0 for n in tensor.dims):
        raise BuildError(f"{what} has a negative dimension.")
    try:
        wanted = byte_count(tensor)
    except ValueError as error:
        raise BuildError(f"{what} has an element type that onnx-ir does not know.") from error
    if tensor.data_location == tensor.EXTERNAL:
        if wanted is None:
            raise BuildError(f"{what} is text in another file, which ONNX does not allow.")
        return _place_of(tensor, model, what, wanted)
    if tensor.HasField("raw_data") and wanted is not None and len(tensor.raw_data) != wanted:
        raise BuildError(
            f"{what} has {len(tensor.raw_data)} bytes of data, but its shape takes {wanted}."
        )
    if not tensor.HasField("raw_data"):
        _check_values(tensor, what)
    return None


def _check_values(tensor: onnx.TensorProto, what: str) -> None:
    """Check the number of values of a tensor that has them one by one."""
    import onnx_ir as ir

    try:
        size = ir.from_proto(tensor).numpy().size
    # onnx-ir raises errors of many kinds where numbers do not fit.
    except Exception as error:
        raise BuildError(f"{what} has fewer or more values than its shape takes.") from error
    if size != math.prod(tensor.dims):
        raise BuildError(f"{what} has {size} values, but its shape takes more or fewer.")


def _place_of(tensor: onnx.TensorProto, model: Path, what: str, wanted: int) -> Place:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    try:
        offset = int(entries.get("offset") or 0)
        length = int(entries.get("length") or wanted)
    except ValueError as error:
        raise BuildError(f"{what} has an offset or a length that is no number.") from error
    path = model if location == OWN_FILE else _data_file(location, model, what)
    if length != wanted or offset < 0:
        raise BuildError(
            f"{what} has {length} bytes of data at byte {offset} of {path.name}, but its shape "
            f"takes {wanted}."
        )
    size = path.stat().st_size
    if offset + length > size:
        raise BuildError(
            f"{what} ends at byte {offset + length} of {path.name}, which has only {size} bytes.",
            hint="The file was cut off, or belongs to another model.",
        )
    return Place(path, offset, length)


def _data_file(location: str, model: Path, what: str) -> Path:
    """Find a data file, which must be in the model's folder or below it, also behind links."""
    named = PurePosixPath(location)
    folder = model.parent.resolve()
    outside = BuildError(
        f"{what} is in {shown(location)!r}, outside the folder of the model.",
        hint="Its data must lie beside the model, named by a relative path.",
    )
    if not named.parts or named.is_absolute() or ".." in named.parts or "\0" in location:
        raise outside
    path = folder / named
    if not path.resolve().is_relative_to(folder):
        raise outside
    try:
        if path.is_file():
            return path
        if path.exists():
            raise BuildError(f"{what} is in {shown(location)!r}, which is no file.")
    except OSError as error:
        raise BuildError(
            f"{what} is in {shown(location)!r}, which cannot be read: {error.strerror}."
        ) from error
    raise BuildError(
        f"{what} is in {shown(location)!r}, which is not there.",
        hint="Put that file beside the model.",
    )


def _load(tensor: onnx.TensorProto, place: Place) -> None:
    """Take a tensor's data into memory."""
    tensor.raw_data = b"".join(place.blocks())
    del tensor.external_data[:]
    tensor.ClearField("data_location")
