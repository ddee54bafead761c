"""Write out the sparse tensors of a model, which onnx-ir does not read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from turnkeyml.errors import BuildError
from turnkeyml_plugin_load_onnx.reading import shown
from turnkeyml_plugin_load_onnx.walking import attributes_of, graphs_of

if TYPE_CHECKING:
    import onnx

LARGEST_BYTES = 1 << 30
"""What a sparse tensor may take when it is written out; a small file can name an endless one."""


def write_out_sparse(proto: onnx.ModelProto) -> None:
    """Replace every sparse tensor by a dense one, as ONNX Runtime does when it loads a model.

    Raises:
        BuildError: A sparse tensor is malformed, or too large when it is written out.
    """
    for graph in graphs_of(proto):
        for sparse in getattr(graph, "sparse_initializer", ()):
            graph.initializer.append(dense_from_sparse(sparse))
        if hasattr(graph, "sparse_initializer"):
            del graph.sparse_initializer[:]
    for attribute in attributes_of(proto):
        if attribute.type == attribute.SPARSE_TENSOR and attribute.name == "sparse_value":
            attribute.t.CopyFrom(dense_from_sparse(attribute.sparse_tensor))
            attribute.ClearField("sparse_tensor")
            attribute.name, attribute.type = "value", attribute.TENSOR


def dense_from_sparse(sparse: onnx.SparseTensorProto) -> onnx.TensorProto:
    """Write out one sparse tensor; its name is that of its values."""
    import numpy as np
    import onnx

    what = f"The sparse weight {shown(sparse.values.name)!r}"
    dims = tuple(sparse.dims)
    if any(part.data_location == part.EXTERNAL for part in (sparse.values, sparse.indices)):
        # onnx would look for it in the folder that the program was started in.
        raise BuildError(f"{what} is in another file, which turnkey does not read.")
    try:
        values = onnx.numpy_helper.to_array(sparse.values)
        indices = onnx.numpy_helper.to_array(sparse.indices)
    # The tensors may be malformed in any way.
    except Exception as error:
        raise BuildError(f"{what} is malformed.") from error
    if any(n < 0 for n in dims) or math.prod(dims) * values.itemsize > LARGEST_BYTES:
        raise BuildError(f"{what} has the shape {dims}, which is too large to write out.")
    dense = np.zeros(math.prod(dims), values.dtype)
    try:
        if indices.ndim == 2:
            indices = np.ravel_multi_index(tuple(indices.T), dims)
        if indices.size and indices.min() < 0:
            raise ValueError("an index is negative")
        dense[indices] = values
    except (ValueError, IndexError) as error:
        raise BuildError(f"{what} has values outside its shape.") from error
    return onnx.numpy_helper.from_array(dense.reshape(dims), sparse.values.name)
