"""Weights in data files named by their digest: written once, never changed, referred to by many."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from turnkeyml.artifacts import FileRecord
from turnkeyml.cache.atomic import TEMPORARY, publish, sha256_of
from turnkeyml.errors import BuildError
from turnkeyml_onnx.reading import graphs_of

if TYPE_CHECKING:
    import onnx_ir as ir

INLINE_BYTES = 1024
"""Weights below this size stay in the model file."""

_NAME_DIGITS = 32
_DATA_FILE = re.compile(rf"[0-9a-f]{{{_NAME_DIGITS}}}\.data")
_ALIGNMENT = 64
_PAGE = 4096
_PAGE_ALIGNED_FROM = 1 << 20
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Known:
    """What need not be read or written again.

    Args:
        files: Records of files in the folder, such as those of the artifact that a model was made
            from; a data file among them is not hashed again.
        tensors: Weights in data files of the folder; new weights of the same bytes refer to them.
    """

    files: tuple[FileRecord, ...] = ()
    tensors: tuple[ir.ExternalTensor, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a weight is: a data file of the folder, and a range of its bytes."""

    file: str
    offset: int
    length: int


def store_weights(model: ir.Model, folder: Path, known: Known) -> tuple[FileRecord, ...]:
    """Make all large initializers of a model references into data files of a folder.

    Those that are such references already stay as they are; the others are written into one new
    data file, unless the same bytes have a place among the known ones. Tensors are streamed.

    Args:
        model: Its initializers are replaced.
        folder: Where the model file will be.
        known: What is in the folder already.

    Returns:
        Records of the data files that the model refers to, in the order of their first use.

    Raises:
        BuildError: A data file is missing, or is not what its name says.
        OSError: The folder cannot be written.
    """
    large = [
        value
        for graph in graphs_of(model)
        for value in graph.initializers.values()
        if value.const_value is not None and _is_large(value.const_value)
    ]
    places: dict[int, Place] = {}
    index = _PlaceIndex(known.tensors, folder)
    # Tied weights are one tensor under several names.
    fresh: list[Any] = []
    for tensor in {id(value.const_value): value.const_value for value in large}.values():
        place = place_of(tensor, folder) or index.find(tensor)
        if place is None:
            fresh.append(tensor)
        else:
            places[id(tensor)] = place
    written = _write_data_file(fresh, folder) if fresh else None
    records = {Path(record.path).name: record for record in known.files}
    if written is not None:
        record, new_places = written
        records[Path(record.path).name] = record
        places.update(new_places)
    used: dict[str, FileRecord] = {}
    for value in large:
        place = places[id(value.const_value)]
        if place.file not in used:
            used[place.file] = _checked_record(folder, place.file, records)
        _refer(value, place, folder)
    return tuple(used.values())


def place_of(tensor: Any, folder: Path) -> Place | None:
    """Tell where a tensor is, if that is a digest-named data file of a folder."""
    import onnx_ir as ir

    if not isinstance(tensor, ir.ExternalTensor) or not _DATA_FILE.fullmatch(str(tensor.location)):
        return None
    if Path(tensor.base_dir).resolve() != folder.resolve():
        return None
    length = tensor.length or tensor.nbytes
    # Bytes of another type than the tensor's stand for a tensor that has yet to be made of them.
    return (
        Place(str(tensor.location), tensor.offset or 0, length) if length == tensor.nbytes else None
    )


def _is_large(tensor: Any) -> bool:
    import onnx_ir as ir

    # Text has no size that is known before it is encoded, and may not lie in a data file.
    return tensor.dtype != ir.DataType.STRING and bool(tensor.nbytes >= INLINE_BYTES)


def _checked_record(folder: Path, name: str, records: Mapping[str, FileRecord]) -> FileRecord:
    path = folder / name
    hint = "Run the step that made it again, with an empty cache directory."
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BuildError(f"The weights in {path} cannot be read: {error.strerror}.") from error
    record = records.get(name)
    if record is None:
        record = FileRecord(f"{folder.name}/{name}", size, sha256_of(path))
    if record.size != size or not record.sha256.startswith(name[:_NAME_DIGITS]):
        raise BuildError(f"The weights in {path} are not those that were written there.", hint=hint)
    return FileRecord(f"{folder.name}/{name}", size, record.sha256)


def _write_data_file(tensors: list[Any], folder: Path) -> tuple[FileRecord, dict[int, Place]]:
    """Write tensors one after the other into a new file; give it, and their places by identity."""
    temporary = folder / f"{TEMPORARY}{secrets.token_hex(6)}.data"
    try:
        with temporary.open("wb") as file:
            sink = _Sink(file)
            ranges = {}
            for tensor in tensors:
                nbytes = int(tensor.nbytes)
                step = _PAGE if nbytes >= _PAGE_ALIGNED_FROM else _ALIGNMENT
                sink.write(b"\0" * (-sink.position % step))
                start = sink.position
                tensor.tofile(sink)
                got = sink.position - start
                if got != nbytes:
                    raise BuildError(f"The weight {tensor.name!r} has {got} bytes, not {nbytes}.")
                ranges[id(tensor)] = (start, nbytes)
        digest = sink.digest.hexdigest()
        name = f"{digest[:_NAME_DIGITS]}.data"
        publish(temporary, folder / name)
    finally:
        temporary.unlink(missing_ok=True)
    places = {key: Place(name, start, length) for key, (start, length) in ranges.items()}
    return FileRecord(f"{folder.name}/{name}", sink.position, digest), places


class _Sink:
    """A file that is written and hashed in one go; not a real file, so that no byte passes by."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.position = 0

    def write(self, data: Any) -> int:
        view = _flat(data)
        self._file.write(view)
        self.digest.update(view)
        self.position += view.nbytes
        return view.nbytes


def _flat(data: Any) -> memoryview:
    """Give a buffer as bytes; tensors hand over arrays of several dimensions too."""
    view = memoryview(data)
    # An array of ctypes has one dimension of bytes, but a format that cannot be cast.
    return view if view.ndim == 1 and view.itemsize == 1 else view.cast("B")


class _DifferentBytesError(Exception):
    """Two tensors are not the same bytes."""


class _Comparison:
    """A sink that compares what it gets with a range of a data file, a block at a time."""

    def __init__(self, path: Path, place: Place) -> None:
        self._file = path.open("rb")
        self._file.seek(place.offset)

    def write(self, data: Any) -> int:
        view = _flat(data)
        for start in range(0, view.nbytes, _BLOCK):
            block = bytes(view[start : start + _BLOCK])
            if self._file.read(len(block)) != block:
                raise _DifferentBytesError
        return view.nbytes

    def close(self) -> None:
        self._file.close()


class _PlaceIndex:
    """Finds the place where a tensor's bytes already are."""

    def __init__(self, tensors: Iterable[ir.ExternalTensor], folder: Path) -> None:
        self._folder = folder
        self._by_length: dict[int, list[Place]] = {}
        for tensor in tensors:
            place = place_of(tensor, folder)
            if place is not None and place not in self._by_length.setdefault(place.length, []):
                self._by_length[place.length].append(place)

    def find(self, tensor: Any) -> Place | None:
        for place in self._by_length.get(tensor.nbytes, ()):
            comparison = _Comparison(self._folder / place.file, place)
            try:
                tensor.tofile(comparison)
            except _DifferentBytesError:
                continue
            finally:
                comparison.close()
            return place
        return None


def _refer(value: ir.Value, place: Place, folder: Path) -> None:
    import onnx_ir as ir

    tensor = value.const_value
    assert tensor is not None, "only values with a tensor are large"
    value.const_value = ir.ExternalTensor(
        place.file,
        place.offset,
        place.length,
        tensor.dtype,
        shape=tensor.shape,
        name=str(value.name),
        base_dir=folder,
    )
