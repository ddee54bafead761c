"""What turnkey's packages share about ONNX files."""

from turnkeyml_onnx.opset import DEFAULT_ONNX_OPSET, check_opset, default_opset
from turnkeyml_onnx.writing import WrittenModel, write_model

__all__ = ["DEFAULT_ONNX_OPSET", "WrittenModel", "check_opset", "default_opset", "write_model"]
