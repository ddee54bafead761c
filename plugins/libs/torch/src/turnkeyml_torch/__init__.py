"""Finds the PyTorch models a script runs, keeps their inputs, hashes and calls them."""

from __future__ import annotations

from turnkeyml_torch.calling import arguments_from_names, call, eval_mode, flatten_outputs
from turnkeyml_torch.code_digest import code_digest
from turnkeyml_torch.digest import ParameterCount, model_hash, parameters, weights_hash
from turnkeyml_torch.live import LiveModel
from turnkeyml_torch.recorder import Recorder
from turnkeyml_torch.records import FoundModel, Invocation
from turnkeyml_torch.reference import EagerReference
from turnkeyml_torch.script import EndKind, ScriptEnd, format_error, run_script
from turnkeyml_torch.signature import Leaf, Signature, bind_names, dtype_name, make_signature
from turnkeyml_torch.storage import (
    CapturedInputs,
    InputsError,
    Opaque,
    read_inputs,
    write_inputs,
)

__all__ = [
    "CapturedInputs",
    "EagerReference",
    "EndKind",
    "FoundModel",
    "InputsError",
    "Invocation",
    "Leaf",
    "LiveModel",
    "Opaque",
    "ParameterCount",
    "Recorder",
    "ScriptEnd",
    "Signature",
    "arguments_from_names",
    "bind_names",
    "call",
    "code_digest",
    "dtype_name",
    "eval_mode",
    "flatten_outputs",
    "format_error",
    "make_signature",
    "model_hash",
    "parameters",
    "read_inputs",
    "run_script",
    "weights_hash",
    "write_inputs",
]
