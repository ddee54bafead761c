"""The turnkey tool `convert-fp16`."""
