"""Read the inputs of a model from a file of NumPy's, which is not trusted."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.errors import BuildError, PlanError
from turnkeyml.worker.tensors import ITEM_SIZES, RawTensor
from turnkeyml_plugin_load_onnx.filling import LARGEST_BYTES, raw_from_array
from turnkeyml_plugin_load_onnx.reading import shown

if TYPE_CHECKING:
    from turnkeyml_plugin_load_onnx.signature import InputSpec

_SUFFIX = ".npy"
_NO_NUMPY_TYPE = "V"
"""NumPy writes types that it does not know, such as bfloat16, as bytes without a type."""


def check_file(path: Path) -> Path:
    """Check that there is a file of arrays, and give its absolute path.

    Raises:
        PlanError: There is none.
    """
    if not path.is_file():
        raise PlanError(f"--inputs: there is no file {str(path)!r}.")
    if not zipfile.is_zipfile(path):
        raise PlanError(
            f"--inputs: {str(path)!r} is no .npz file.",
            hint="Write one with numpy.savez(path, **arrays_by_input_name).",
        )
    return path.absolute()


def read_inputs(path: Path, inputs: Mapping[str, InputSpec]) -> dict[str, RawTensor]:
    """Read an array for every input.

    Args:
        path: The ``.npz`` file.
        inputs: What the model takes.

    Raises:
        BuildError: Arrays are missing, left over, of another type, or the file is damaged.
    """
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename.removesuffix(_SUFFIX) for info in archive.infolist()]
            size = sum(info.file_size for info in archive.infolist())
        _check_names(path, names, inputs)
        if size > LARGEST_BYTES:
            raise BuildError(f"The arrays in {path.name} would take {size:,} bytes.")
        with np.load(path, allow_pickle=False) as arrays:
            return {n: _raw(path, arrays[n], spec) for n, spec in inputs.items()}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError) as error:
        raise BuildError(f"{path.name} is damaged, or has arrays of objects.") from error
    except OSError as error:
        raise BuildError(f"{path.name} cannot be read: {error.strerror or error}.") from error


def _check_names(path: Path, names: list[str], inputs: Mapping[str, InputSpec]) -> None:
    missing = [name for name in inputs if name not in names]
    extra = [name for name in names if name not in inputs]
    what = []
    if missing:
        what.append(f"has no array for the input {', '.join(map(shown, missing))}")
    if extra:
        what.append(f"has arrays that are no inputs: {', '.join(map(shown, extra))}")
    if what:
        wanted = ", ".join(spec.describe() for spec in inputs.values()) or "nothing"
        raise BuildError(f"{path.name} {' and '.join(what)}.", hint=f"The model takes {wanted}.")


def _raw(path: Path, array: object, spec: InputSpec) -> RawTensor:
    import numpy as np

    if not isinstance(array, np.ndarray):
        raise ValueError("what is not written by numpy comes as bytes")
    little = np.asarray(array, array.dtype.newbyteorder("<"))
    is_unknown = little.dtype.kind == _NO_NUMPY_TYPE and little.dtype.names is None
    same_size = is_unknown and little.dtype.itemsize == ITEM_SIZES[spec.dtype]
    if little.dtype.name != spec.dtype and not (same_size and not _has_numpy_type(spec.dtype)):
        raise BuildError(
            f"{path.name} has {shown(spec.name)} as {array.dtype.name}, but the model takes "
            f"{spec.dtype}.",
            hint="Convert it with .astype() before it is saved.",
        )
    return raw_from_array(spec.dtype, little)


def _has_numpy_type(dtype: str) -> bool:
    return "bfloat" not in dtype and "float8" not in dtype
