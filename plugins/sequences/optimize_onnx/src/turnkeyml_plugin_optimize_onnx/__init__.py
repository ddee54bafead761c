"""The turnkey tool `optimize-onnx`."""
