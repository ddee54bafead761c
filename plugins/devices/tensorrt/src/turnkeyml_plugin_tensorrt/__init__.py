"""The turnkey runtime `trt`: TensorRT and TensorRT-RTX on NVIDIA GPUs."""
