"""A turnkey plugin to copy from: a tool, a runtime, a device family and a sequence."""
