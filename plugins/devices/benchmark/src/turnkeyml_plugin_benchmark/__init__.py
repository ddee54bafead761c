"""The turnkey tool `benchmark`."""
