"""The turnkey tool `build-trt-engine`."""
