"""What turnkey's packages share about ONNX files."""

from turnkeyml_onnx.opset import DEFAULT_ONNX_OPSET, check_opset, default_opset
from turnkeyml_onnx.reading import external_tensors, graphs_of, load_model, nodes_of
from turnkeyml_onnx.scratch import scratch_model
from turnkeyml_onnx.weights import INLINE_BYTES, Known
from turnkeyml_onnx.writing import WrittenModel, count_operators, write_model

__all__ = [
    "DEFAULT_ONNX_OPSET",
    "INLINE_BYTES",
    "Known",
    "WrittenModel",
    "check_opset",
    "count_operators",
    "default_opset",
    "external_tensors",
    "graphs_of",
    "load_model",
    "nodes_of",
    "scratch_model",
    "write_model",
]
