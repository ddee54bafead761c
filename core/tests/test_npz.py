"""`.npz` files that NumPy reads, written without it."""

from __future__ import annotations

import ast
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.npz import numpy_dtype, write_npz
from turnkeyml.worker.tensors import ITEM_SIZES, RawTensor

SHAPES = [(), (0,), (1,), (3,), (2, 3), (2, 0, 4), (1, 2, 3, 4), (1,) * 32]


def tensor(dtype: str, shape: tuple[int, ...]) -> RawTensor:
    count = 1
    for size in shape:
        count *= size
    data = bytes(n % 2 if dtype == "bool" else n % 251 for n in range(count * ITEM_SIZES[dtype]))
    return RawTensor(dtype, shape, memoryview(data))


def read_by_hand(path: Path) -> dict[str, tuple[dict, bytes]]:
    """Read as the description of the format says, version 1.0."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            raw = archive.read(name)
            assert raw[:8] == b"\x93NUMPY\x01\x00"
            end = 10 + int.from_bytes(raw[8:10], "little")
            assert end % 64 == 0
            assert raw[end - 1 : end] == b"\n"
            found[name] = (ast.literal_eval(raw[10:end].decode("latin1")), raw[end:])
    return found


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_headers_say_what_follows(shape: tuple[int, ...], tmp_path: Path) -> None:
    tensors = {dtype: tensor(dtype, shape) for dtype in ITEM_SIZES}
    write_npz(tmp_path / "a.npz", tensors)
    found = read_by_hand(tmp_path / "a.npz")
    assert list(found) == [f"{dtype}.npy" for dtype in tensors]
    for dtype, one in tensors.items():
        header, data = found[f"{dtype}.npy"]
        assert header == {"descr": numpy_dtype(dtype), "fortran_order": False, "shape": shape}
        assert data == bytes(one.data)


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        ("bool", "|b1"),
        ("uint8", "|u1"),
        ("int8", "|i1"),
        ("uint16", "<u2"),
        ("int64", "<i8"),
        ("float16", "<f2"),
        ("float64", "<f8"),
        ("complex64", "<c8"),
        ("complex128", "<c16"),
        ("bfloat16", "<u2"),
        ("float8_e4m3fn", "|u1"),
        ("float8_e5m2fnuz", "|u1"),
    ],
)
def test_dtypes_have_numpys_names_and_bits_where_it_has_none(dtype: str, name: str) -> None:
    assert numpy_dtype(dtype) == name


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_numpy_reads_the_same(shape: tuple[int, ...], tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    tensors = {dtype: tensor(dtype, shape) for dtype in ITEM_SIZES}
    write_npz(tmp_path / "a.npz", tensors)
    with numpy.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert list(found) == list(tensors)
        for dtype, one in tensors.items():
            array = found[dtype]
            assert array.shape == shape
            assert array.tobytes() == bytes(one.data)
            if hasattr(numpy, dtype):
                assert array.dtype == numpy.dtype(dtype)


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(
    lambda name: "\0" not in name
)


@given(st.lists(NAMES, unique=True, max_size=5))
def test_any_names_come_back(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "names.npz"
    write_npz(path, {name: tensor("int8", (n,)) for n, name in enumerate(names)})
    found = read_by_hand(path)
    assert [name.removesuffix(".npy") for name in found] == names
    assert [len(data) for _, data in found.values()] == list(range(len(names)))


def test_the_same_tensors_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_npz(tmp_path / name, {"x": tensor("float32", (3, 4)), "y": tensor("int8", ())})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_view_of_larger_items_is_written_whole(tmp_path: Path) -> None:
    data = memoryview(bytes(range(64))).cast("d")
    write_npz(tmp_path / "a.npz", {"x": RawTensor("float64", (8,), data)})
    assert read_by_hand(tmp_path / "a.npz")["x.npy"][1] == bytes(range(64))


def test_a_dtype_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write_npz(tmp_path / "a.npz", {"x": RawTensor("int3", (), memoryview(b""))})
