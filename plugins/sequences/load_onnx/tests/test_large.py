"""Models larger than two gigabytes, and the memory that they take."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import numpy as np
import onnx
import pytest
from onnx import TensorProto

ROWS = 4096
SCRIPT = """
    import json, resource, sys
    from pathlib import Path

    from turnkeyml.cache import Cache
    from turnkeyml.context import RunContext
    from turnkeyml.inputs import Source
    from turnkeyml.plugins.registry import Registry
    from turnkeyml_plugin_load_onnx import loading, model
    from turnkeyml_plugin_load_onnx.tool import LoadOnnx, LoadOnnxOptions

    def run(path):
        cache = Cache(Path(sys.argv[3]))
        context = RunContext(Registry(), cache, first_step=("load-onnx", "0" * 8))
        (state,) = LoadOnnx().start(Source(Path(path)), LoadOnnxOptions(), context)
        return state

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    run(sys.argv[1])
    before = peak()
    state = run(sys.argv[2])
    print(json.dumps({
        "before": before,
        "grown": peak() - before,
        "modules": [m for m in ("torch", "onnxruntime") if m in sys.modules],
        "path": str(state.build.path),
        "parameters": state.model.parameter_bytes,
    }))
"""


def layers(make, count, rows, inline=False):
    """Make a row of products with square weights; give the model, and its weights' size."""
    size = 4 * rows * rows
    nodes = [make.node("MatMul", [f"x{i}", f"w{i}"], [f"x{i + 1}"]) for i in range(count)]
    graph = make.graph(nodes, [("x0", "FLOAT", ["batch", rows])], [(f"x{count}", "FLOAT", None)])
    for i in range(count):
        tensor = graph.initializer.add(name=f"w{i}", dims=[rows, rows], data_type=TensorProto.FLOAT)
        if inline:
            tensor.raw_data = np.full((rows, rows), 0.5 / rows, np.float32).tobytes()
            continue
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": "w.bin", "offset": i * size, "length": size}.items():
            tensor.external_data.add(key=key, value=str(value))
    return make.model(graph), count * size


def measure(small, large, cache):
    script = textwrap.dedent(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-c", script, str(small), str(large), str(cache)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("inline", [True, False])
def test_weights_take_no_more_memory_than_the_largest_of_them(make, save, tmp_path, inline):
    proto, size = layers(make, 24, 1024, inline)
    (tmp_path / "w.bin").write_bytes(bytes(size))
    found = measure(save(make.linear(), "small.onnx"), save(proto, "large.onnx"), tmp_path / "c")
    assert found["parameters"] == size == 24 << 22
    # Its bytes, and the pages of the file that hold them.
    assert found["grown"] < 3 * (size // 24)
    assert found["modules"] == []


@pytest.mark.slow
def test_model_of_more_than_two_gigabytes_loads_in_little_memory(make, save, tmp_path):
    proto, size = layers(make, 34, ROWS)
    with (tmp_path / "w.bin").open("wb") as file:
        file.truncate(size)
        file.write(np.full(1000, 0.5, np.float32).tobytes())
    assert size > 2_200_000_000
    found = measure(save(make.linear(), "small.onnx"), save(proto, "large.onnx"), tmp_path / "c")
    assert found["parameters"] == size
    assert found["grown"] < 3 * (size // 34)
    (path,) = (tmp_path / "c" / found["path"].rpartition("/")[2] / "onnx").glob("*.onnx")
    assert len(onnx.load(path, load_external_data=False).graph.initializer) == 34
    (data,) = path.parent.glob("*.data")
    assert data.stat().st_size == size
