"""The turnkey tool `export-pytorch`."""
