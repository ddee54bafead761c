"""Write tensors as an ``.npz`` file, which NumPy loads, with the standard library."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from turnkeyml.worker.tensors import ITEM_SIZES, RawTensor

_KINDS = {"bool": "b", "uint": "u", "int": "i", "float": "f", "complex": "c"}
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER_ALIGNMENT = 64


def write_npz(path: Path, tensors: Mapping[str, RawTensor]) -> None:
    """Write tensors by name.

    What NumPy has no type for (bfloat16, the float8 kinds) is written as unsigned integers of the
    same bits.

    Args:
        path: The file, which is replaced.
        tensors: By the names that they are to have in the file.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, tensor in tensors.items():
            # A fixed date, so that the same tensors give the same file.
            entry = zipfile.ZipInfo(f"{name}.npy")
            with archive.open(entry, "w", force_zip64=True) as file:
                file.write(_header(tensor))
                file.write(tensor.data)


def numpy_dtype(dtype: str) -> str:
    """Give NumPy's little-endian name of a dtype, such as ``<f4``."""
    size = ITEM_SIZES[dtype]
    if dtype == "bool":
        return "|b1"
    kind = _KINDS.get(dtype.rstrip("0123456789"), "u")
    return f"{'|' if size == 1 else '<'}{kind}{size}"


def _header(tensor: RawTensor) -> bytes:
    content = {
        "descr": numpy_dtype(tensor.dtype),
        "fortran_order": False,
        "shape": tuple(tensor.shape),
    }
    text = repr(content).encode("latin1")
    length = len(_MAGIC) + 2 + len(text) + 1
    text += b" " * (-length % _HEADER_ALIGNMENT) + b"\n"
    return _MAGIC + len(text).to_bytes(2, "little") + text
