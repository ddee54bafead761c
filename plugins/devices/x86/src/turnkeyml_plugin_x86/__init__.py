"""The turnkey devices `x86` and `arm`: the processor that runs turnkey."""
