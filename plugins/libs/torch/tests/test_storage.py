"""Inputs survive a round trip through files, and broken files are refused with a sentence."""

from __future__ import annotations

import json
import math
import os
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from turnkeyml_torch import InputsError, Opaque, read_inputs, storage, write_inputs

Point = namedtuple("Point", "x y")


@dataclass
class Config:
    pixels: Any
    name: str = "n"


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return (
            isinstance(b, torch.Tensor)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and torch.equal(a.view(-1).view(torch.uint8), b.view(-1).view(torch.uint8))
            if a.numel()
            else a.shape == b.shape and a.dtype == b.dtype
        )
    if isinstance(a, float):
        return type(b) is float and (a == b or (math.isnan(a) and math.isnan(b)))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b)) and isinstance(b, type(a).__mro__[-2])
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


DTYPES = [
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.uint16,
    torch.uint32,
    torch.uint64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
    torch.complex64,
    torch.complex128,
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_and_odd_shape_comes_back(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {
        "matrix": torch.arange(6).reshape(2, 3).to(dtype),
        "scalar": torch.ones(()).to(dtype),
        "empty": torch.zeros(0, 3).to(dtype),
        "turned": torch.arange(6).to(dtype).reshape(2, 3).t(),
        "spread": torch.ones(1).to(dtype).expand(3),
    }
    assert write_inputs(tmp_path, tensors) == ("inputs.json", "inputs.bin")
    back = read_inputs(tmp_path)
    assert back.complete
    for name, tensor in tensors.items():
        assert same(tensor.contiguous(), back.arguments[name]), name


def test_nested_values_come_back(tmp_path: Path) -> None:
    x = torch.ones(2)
    tree = {
        "plain": [1, -2, True, None, "text \u00e9 \ud800", 0.1, math.inf, -math.inf, math.nan],
        "nested": {"a": (x, [x]), 3: {}},
        "point": Point(x, 2),
        "config": Config(x),
    }
    write_inputs(tmp_path, tree)
    back = read_inputs(tmp_path).arguments
    assert same(tree["plain"], back["plain"])
    assert same(tree["nested"], back["nested"])
    assert back["point"].y == 2
    assert back["point"]._fields == ("x", "y")
    assert back["config"].name == "n"
    assert torch.equal(back["config"].pixels, x)


@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_sparse_tensors_come_back_dense(tmp_path: Path) -> None:
    dense = torch.eye(3)
    write_inputs(tmp_path, {"x": dense.to_sparse(), "y": dense.to_sparse_csr()})
    back = read_inputs(tmp_path).arguments
    assert torch.equal(back["x"], dense)
    assert torch.equal(back["y"], dense)


def test_unknown_objects_are_opaque_and_said_so(tmp_path: Path) -> None:
    class Bad:
        def __repr__(self) -> str:
            raise ValueError

    write_inputs(tmp_path, {"a": object(), "b": Bad(), "c": torch.ones(1, device="meta")})
    back = read_inputs(tmp_path)
    assert not back.complete
    assert all(isinstance(value, Opaque) for value in back.arguments.values())
    assert len(back.arguments["a"].text) <= 200


def test_files_have_the_documented_form(tmp_path: Path) -> None:
    write_inputs(tmp_path, {"a": torch.tensor([1, 2], dtype=torch.int16), "b": torch.ones(1)})
    document = json.loads((tmp_path / "inputs.json").read_text())
    assert next(iter(document)) == "schema"
    assert document == {
        "schema": 1,
        "arguments": {
            "a": {"type": "tensor", "dtype": "int16", "shape": [2], "offset": 0, "nbytes": 4},
            "b": {"type": "tensor", "dtype": "float32", "shape": [1], "offset": 64, "nbytes": 4},
        },
    }
    data = (tmp_path / "inputs.bin").read_bytes()
    assert data == b"\x01\x00\x02\x00" + bytes(60) + b"\x00\x00\x80\x3f"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inputs.bin", "inputs.json"]


def test_numpy_alone_can_read_the_bytes(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    x = torch.randn(3, 4)
    write_inputs(tmp_path, {"x": x})
    data = numpy.fromfile(tmp_path / "inputs.bin", dtype="<f4").reshape(3, 4)
    assert (data == x.numpy()).all()


def tensor_node(**changes: Any) -> dict[str, Any]:
    node = {"type": "tensor", "dtype": "float32", "shape": [2], "offset": 0, "nbytes": 8}
    return node | changes


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (tensor_node(nbytes=4), "says 4 bytes"),
        (tensor_node(offset=1), "ends beyond inputs.bin"),
        (tensor_node(offset=-8), "is no count"),
        (tensor_node(shape=[-2]), "is no count"),
        (tensor_node(shape=[True, 2]), "is no count"),
        (tensor_node(shape=None), "is no count"),
        (tensor_node(shape=[1 << 61, 4]), "says 8 bytes"),
        (tensor_node(dtype="load"), "unknown dtype"),
        (tensor_node(dtype=["float32"]), "unknown dtype"),
        ({"type": "pickle"}, "unknown type"),
        ([], "is no node"),
        ({"type": "int", "value": "3"}, "says int"),
        ({"type": "bool", "value": 1}, "says bool"),
        ({"type": "float", "value": "1e3"}, "says float"),
        ({"type": "list"}, "no list of items"),
        ({"type": "dict", "items": [{"type": "none"}], "keys": []}, "one key for each"),
        ({"type": "dict", "items": [{"type": "none"}], "keys": [None]}, "neither text"),
        (
            {"type": "namedtuple", "items": [{"type": "none"}], "fields": ["_asdict"]},
            "no named tuple",
        ),
        ({"type": "dataclass", "items": [{"type": "none"}], "fields": ["a b"]}, "no name"),
    ],
)
def test_impossible_nodes_are_refused(tmp_path: Path, node: object, message: str) -> None:
    (tmp_path / "inputs.bin").write_bytes(bytes(8))
    document = {"schema": 1, "arguments": {"x": node}}
    (tmp_path / "inputs.json").write_text(json.dumps(document))
    with pytest.raises(InputsError, match=message):
        read_inputs(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "has schema None"),
        ('{"schema": 2, "arguments": {}}', "has schema 2"),
        ('{"schema": 1, "arguments": []}', "no mapping"),
    ],
)
def test_unreadable_trees_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "inputs.bin").write_bytes(b"")
    (tmp_path / "inputs.json").write_text(text)
    with pytest.raises(InputsError, match=message):
        read_inputs(tmp_path)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputsError, match="cannot be read"):
        read_inputs(tmp_path)


def test_deep_nesting_is_refused_not_followed(tmp_path: Path) -> None:
    node: dict[str, Any] = {"type": "none"}
    for _ in range(60):
        node = {"type": "list", "items": [node]}
    (tmp_path / "inputs.bin").write_bytes(b"")
    (tmp_path / "inputs.json").write_text(json.dumps({"schema": 1, "arguments": {"x": node}}))
    with pytest.raises(InputsError, match="nested too deeply"):
        read_inputs(tmp_path)


def test_failed_writing_leaves_no_part_behind(tmp_path: Path) -> None:
    class Exploding(dict):  # type: ignore[type-arg]
        def items(self) -> Any:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        write_inputs(tmp_path, {"x": torch.ones(1), "y": Exploding(a=1)})
    assert list(tmp_path.iterdir()) == []


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.floats(width=32), max_size=4).map(torch.tensor)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(tree=st.dictionaries(st.text(), TREES, max_size=3))
def test_any_tree_comes_back(tree: dict[str, Any], tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("inputs")
    write_inputs(folder, tree)
    assert same(tree, read_inputs(folder).arguments)


def test_processes_of_one_number_write_to_one_folder(tmp_path, monkeypatch):
    """As in containers, in each of which it is process 1."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    real, torn = storage._Writer.node, []

    def node(self, value, depth):
        if not torn:
            torn.append(value)
            write_inputs(tmp_path, {"x": torch.zeros(2)})
        return real(self, value, depth)

    monkeypatch.setattr(storage._Writer, "node", node)
    write_inputs(tmp_path, {"x": torch.ones(2)})
    assert read_inputs(tmp_path).arguments["x"].tolist() == [1, 1]
    assert len(list(tmp_path.iterdir())) == 2
