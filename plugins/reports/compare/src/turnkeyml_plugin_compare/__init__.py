"""The turnkey tool `compare`: two runs compared with an answer."""
