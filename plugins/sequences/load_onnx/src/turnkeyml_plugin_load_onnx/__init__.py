"""The turnkey tool `load-onnx`."""
