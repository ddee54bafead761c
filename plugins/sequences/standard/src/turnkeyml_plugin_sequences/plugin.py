"""What this package registers: sequences, each made of names that are looked up in the plan."""

from __future__ import annotations

from turnkeyml.sequence import Sequence

_ONNX_FP32 = Sequence(
    "export-pytorch",
    name="onnx-fp32",
    summary="Export a PyTorch model to an ONNX file.",
)
_OPTIMIZE_FP32 = Sequence(
    "onnx-fp32",
    "optimize-onnx",
    name="optimize-fp32",
    summary="Export a PyTorch model and optimize the ONNX file.",
)
_OPTIMIZE_FP16 = Sequence(
    "optimize-fp32",
    "convert-fp16",
    name="optimize-fp16",
    summary="Export a PyTorch model, optimize the ONNX file, and convert it to float16.",
)
_TRT_FP16 = Sequence(
    "optimize-fp16",
    "build-trt-engine",
    name="trt-fp16",
    summary="Build a float16 TensorRT engine of a PyTorch model, by way of ONNX.",
)

implements = {
    "api_version": 1,
    "sequences": {
        str(sequence.name): sequence
        for sequence in (_ONNX_FP32, _OPTIMIZE_FP32, _OPTIMIZE_FP16, _TRT_FP16)
    },
}
