"""The turnkey runtime `openvino`: OpenVINO on the processor."""
