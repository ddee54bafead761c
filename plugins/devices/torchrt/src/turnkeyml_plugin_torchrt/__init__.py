"""The turnkey runtimes `torch-eager` and `torch-compiled`."""
