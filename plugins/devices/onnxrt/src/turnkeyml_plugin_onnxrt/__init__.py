"""The turnkey runtime `ort`."""
