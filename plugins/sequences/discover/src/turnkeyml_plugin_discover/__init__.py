"""The turnkey tool `discover`."""
