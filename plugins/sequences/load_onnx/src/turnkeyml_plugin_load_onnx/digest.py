"""What a model is, as 64 digits: its graph, every byte of its weights, its input signature."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from turnkeyml_plugin_load_onnx.walking import attributes_of, graphs_of, inner_tensors_of
from turnkeyml_plugin_load_onnx.weights import Place

if TYPE_CHECKING:
    import onnx

    from turnkeyml_plugin_load_onnx.signature import InputSpec

_THREADS = 4
_FORMAT = "turnkey onnx 1"
_REMARKS = ("doc_string", "metadata_props", "value_info")


def digest_of(
    proto: onnx.ModelProto,
    places: Mapping[str, Place],
    inputs: Mapping[str, InputSpec],
    shapes: Mapping[str, tuple[int, ...]],
) -> str:
    """Take the digest of a model.

    It is the same wherever the weights are kept, whatever the file is called, and whatever it says
    about who made it. Shapes count as they are in ``shapes``.

    Args:
        proto: The model, with every tensor in memory but those of ``places``.
        places: Names of initializers to where their data is.
        inputs: The inputs that must be given.
        shapes: Their shapes.

    Raises:
        BuildError: A data file became shorter meanwhile.
    """
    import onnx

    bare = onnx.ModelProto()
    bare.graph.CopyFrom(proto.graph)
    bare.functions.extend(proto.functions)
    # Hashing lets other threads run, and is what takes the time.
    with ThreadPoolExecutor(_THREADS) as pool:
        found = dict(
            zip(places, pool.map(_hashed, map(Place.blocks, places.values())), strict=True)
        )
    for tensor in bare.graph.initializer:
        _reduce(tensor, found.get(tensor.name) or _hashed(_content(tensor)))
    for tensor in inner_tensors_of(bare):
        _reduce(tensor, _hashed(_content(tensor)))
    _strip(bare)
    signature = {name: [spec.dtype, list(shapes[name])] for name, spec in inputs.items()}
    opsets = sorted((i.domain, i.version) for i in proto.opset_import)
    digest = hashlib.sha256(json.dumps([_FORMAT, opsets, signature]).encode())
    digest.update(bare.SerializeToString(deterministic=True))
    return digest.hexdigest()


def _hashed(blocks: Iterable[bytes]) -> bytes:
    # Without the processor's help blake2b is twice as fast as sha256, with it little slower.
    digest = hashlib.blake2b(digest_size=32)
    for block in blocks:
        digest.update(block)
    return digest.digest()


def _reduce(tensor: onnx.TensorProto, digest: bytes) -> None:
    """Replace a tensor's data by their digest."""
    name, data_type, dims = tensor.name, tensor.data_type, list(tensor.dims)
    tensor.Clear()
    tensor.name, tensor.data_type, tensor.raw_data = name, data_type, digest
    tensor.dims.extend(dims)


def _content(tensor: onnx.TensorProto) -> Iterator[bytes]:
    import onnx_ir as ir

    if tensor.HasField("raw_data"):
        yield tensor.raw_data
    elif tensor.data_type == tensor.STRING:
        for text in tensor.string_data:
            yield len(text).to_bytes(8, "little") + text
    else:
        yield ir.from_proto(tensor).tobytes()


def _strip(proto: onnx.ModelProto) -> None:
    """Leave out what does not decide what a model computes."""
    for graph in graphs_of(proto):
        # A function has no initializers; its name is what its calls refer to.
        is_function = not hasattr(graph, "initializer")
        for field in _REMARKS if is_function else (*_REMARKS, "name"):
            graph.ClearField(field)
        for node in graph.node:
            node.ClearField("doc_string")
            node.ClearField("metadata_props")
    for attribute in attributes_of(proto):
        attribute.ClearField("doc_string")
    for value in (*proto.graph.input, *proto.graph.output):
        value.ClearField("doc_string")
        value.ClearField("metadata_props")
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
