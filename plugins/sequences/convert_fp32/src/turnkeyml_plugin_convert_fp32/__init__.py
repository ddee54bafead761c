"""The turnkey tool `convert-fp32`."""
