"""Weights that are in the folder already are referred to, not written again."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.artifacts import FileRecord
from turnkeyml.errors import BuildError
from turnkeyml_onnx import Known, external_tensors, load_model, weights, write_model

SHAPE = (64, 32)


def array(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)


def model_with(**arrays: np.ndarray) -> ir.Model:
    """Add all weights to the input, one after the other."""
    nodes, value = [], "x"
    for name in arrays:
        nodes.append(helper.make_node("Add", [value, name], [f"{name}_out"]))
        value = f"{name}_out"
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, SHAPE)],
        [numpy_helper.from_array(value, name) for name, value in arrays.items()],
    )
    imports = [helper.make_opsetid("", 20)]
    return ir.from_proto(helper.make_model(graph, opset_imports=imports, ir_version=10))


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "build" / "onnx"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def source(folder):
    return write_model(model_with(a=array(1), b=array(2)), folder, "source.onnx")


def known_from(written, folder) -> Known:
    model = load_model(folder / "source.onnx")
    return Known(written.files, tuple(external_tensors(model)))


def values_of(path: Path) -> dict[str, np.ndarray]:
    return {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}


def test_references_into_the_folder_stay_and_nothing_is_read(folder, source, monkeypatch):
    model = load_model(folder / "source.onnx")
    monkeypatch.setattr(weights, "sha256_of", lambda path: pytest.fail("read again"))
    monkeypatch.setattr(ir.ExternalTensor, "tofile", lambda *_: pytest.fail("copied"))
    written = write_model(model, folder, "again.onnx", known=Known(source.files))
    assert written.files[1:] == source.files[1:]
    assert len(list(folder.glob("*.data"))) == 1
    np.testing.assert_array_equal(values_of(folder / "again.onnx")["b"], array(2))


def test_data_file_without_a_known_record_is_hashed_once(folder, source, monkeypatch):
    calls = []
    original = weights.sha256_of
    monkeypatch.setattr(weights, "sha256_of", lambda path: calls.append(path) or original(path))
    written = write_model(load_model(folder / "source.onnx"), folder, "again.onnx")
    assert written.files[1] == source.files[1]
    assert len(calls) == 1


def test_new_weights_get_a_file_of_their_own_beside_the_shared_one(folder, source):
    model = load_model(folder / "source.onnx")
    model.graph.initializers["b"].const_value = ir.tensor(array(3), name="b")
    written = write_model(model, folder, "other.onnx", known=Known(source.files))
    _, shared, fresh = written.files
    assert shared == source.files[1]
    assert fresh.size == array(3).nbytes
    assert fresh.sha256 == hashlib.sha256(array(3).tobytes()).hexdigest()
    found = values_of(folder / "other.onnx")
    np.testing.assert_array_equal(found["a"], array(1))
    np.testing.assert_array_equal(found["b"], array(3))


def test_equal_bytes_in_memory_refer_to_the_place_of_the_known_tensor(folder, source):
    model = model_with(n=array(2), m=array(4))
    written = write_model(model, folder, "new.onnx", known=known_from(source, folder))
    assert [record.path for record in written.files[1:]].count(source.files[1].path) == 1
    assert written.files[2].size == array(4).nbytes
    found = values_of(folder / "new.onnx")
    np.testing.assert_array_equal(found["n"], array(2))
    np.testing.assert_array_equal(found["m"], array(4))


def test_weights_in_a_file_of_another_name_are_copied_or_found(folder, source):
    (folder / ".tmp-1.data").write_bytes(array(2).tobytes() + array(5).tobytes())
    model = model_with(n=array(0), m=array(0))
    for name, offset in (("n", 0), ("m", array(0).nbytes)):
        model.graph.initializers[name].const_value = ir.ExternalTensor(
            ".tmp-1.data", offset, array(0).nbytes, ir.DataType.FLOAT,
            shape=ir.Shape(SHAPE), name=name, base_dir=folder,
        )  # fmt: skip
    written = write_model(model, folder, "new.onnx", known=known_from(source, folder))
    (folder / ".tmp-1.data").unlink()
    assert written.files[2].size == array(5).nbytes
    found = values_of(folder / "new.onnx")
    np.testing.assert_array_equal(found["n"], array(2))
    np.testing.assert_array_equal(found["m"], array(5))


def test_tensor_that_differs_in_its_last_element_is_no_known_one(folder, source):
    nearly = array(2)
    nearly[-1, -1] += 1
    written = write_model(
        model_with(n=nearly), folder, "new.onnx", known=known_from(source, folder)
    )
    assert [record.path for record in written.files[1:]] != [source.files[1].path]
    np.testing.assert_array_equal(values_of(folder / "new.onnx")["n"], nearly)


def test_file_of_a_digest_name_in_another_folder_is_copied(folder, source, tmp_path):
    model = load_model(folder / "source.onnx")
    other = tmp_path / "other" / "onnx"
    other.mkdir(parents=True)
    written = write_model(model, other, "copy.onnx", known=Known(source.files))
    assert (other / Path(written.files[1].path).name).read_bytes() == (
        folder.parent / source.files[1].path
    ).read_bytes()


def test_data_file_that_was_changed_is_refused(folder, source):
    data = folder.parent / source.files[1].path
    data.write_bytes(data.read_bytes()[:-1] + b"\1")
    with pytest.raises(BuildError, match="not those that were written there"):
        write_model(load_model(folder / "source.onnx"), folder, "again.onnx")
    assert not (folder / "again.onnx").exists()


def test_data_file_that_is_gone_is_one_sentence(folder, source):
    model = load_model(folder / "source.onnx")
    (folder.parent / source.files[1].path).unlink()
    with pytest.raises(BuildError, match="cannot be read: No such file"):
        write_model(model, folder, "again.onnx", known=Known(source.files))


def test_record_that_says_another_size_is_not_believed(folder, source):
    data = source.files[1]
    wrong = FileRecord(data.path, data.size + 1, data.sha256)
    with pytest.raises(BuildError, match="not those that were written there"):
        write_model(load_model(folder / "source.onnx"), folder, "x.onnx", known=Known((wrong,)))


@pytest.mark.parametrize("known", [False, True])
def test_tensors_of_torch_are_written_and_compared(folder, source, known):
    torch = pytest.importorskip("torch")
    from torch.onnx._internal.exporter._core import TorchTensor

    model = model_with(n=array(0), m=array(0))
    for name, seed in (("n", 2), ("m", 6)):
        tensor = TorchTensor(torch.from_numpy(array(seed)), name=name)
        model.graph.initializers[name].const_value = tensor
    given = known_from(source, folder) if known else Known()
    written = write_model(model, folder, "torch.onnx", known=given)
    found = values_of(folder / "torch.onnx")
    np.testing.assert_array_equal(found["n"], array(2))
    np.testing.assert_array_equal(found["m"], array(6))
    assert (source.files[1] in written.files) == known


def test_text_stays_in_the_model_file(folder):
    model = model_with(a=array(1))
    text = ir.StringTensor([b"word"] * 1000, shape=ir.Shape([1000]), name="words")
    model.graph.register_initializer(ir.Value(name="words", const_value=text))
    write_model(model, folder, "m.onnx")
    assert values_of(folder / "m.onnx")["words"][0] in (b"word", "word")


def test_memory_stays_flat_while_weights_are_copied(folder):
    """A process that copies 192 MB from one file into another grows by far less."""
    code = f"""
import resource
from pathlib import Path
import numpy as np, onnx_ir as ir
from turnkeyml_onnx import write_model
folder = Path({str(folder)!r})
size = 64 << 20
with (folder / "raw.bin").open("wb") as file:
    for seed in range(3):
        file.write(np.full(size // 4, seed, np.float32))
x = ir.Value(name="x", type=ir.TensorType(ir.DataType.FLOAT), shape=ir.Shape([size // 4]))
graph = ir.Graph([x], [x], nodes=[], opset_imports={{"": 20}})
for seed in range(3):
    tensor = ir.ExternalTensor("raw.bin", seed * size, size, ir.DataType.FLOAT,
                               shape=ir.Shape([size // 4]), name=f"w{{seed}}", base_dir=folder)
    graph.register_initializer(ir.Value(name=f"w{{seed}}", const_value=tensor))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
written = write_model(ir.Model(graph, ir_version=10), folder, "m.onnx")
assert written.files[1].size == 3 * size
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 30_000  # KiB


def test_full_disk_is_one_sentence_and_leaves_nothing(folder):
    """A limit on the size of files, in a process of its own, stands for a disk that is full."""
    code = f"""
import resource
from pathlib import Path
import numpy as np, onnx_ir as ir
from turnkeyml.errors import BuildError
from turnkeyml_onnx import write_model
graph = ir.Graph([], [], nodes=[], opset_imports={{"": 20}})
tensor = ir.tensor(np.ones(1 << 20, np.float32), name="w")
graph.register_initializer(ir.Value(name="w", const_value=tensor))
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    write_model(ir.Model(graph, ir_version=10), Path({str(folder)!r}), "m.onnx")
except BuildError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "m.onnx cannot be written: File too large" in done.stdout
    assert list(folder.iterdir()) == []
