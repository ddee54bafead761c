"""What turnkey is given when a chain starts from a live module: by discovery, or by its API."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from turnkeyml.artifacts import INPUTS, PYTORCH_MODEL, REFERENCE
from turnkeyml.given import GivenModel
from turnkeyml.state import ModelInfo, State
from turnkeyml_torch.capture import Capturer
from turnkeyml_torch.code_digest import code_digest
from turnkeyml_torch.digest import model_hash, parameters
from turnkeyml_torch.live import LiveModel
from turnkeyml_torch.reference import EagerReference
from turnkeyml_torch.signature import make_signature
from turnkeyml_torch.storage import write_inputs

if TYPE_CHECKING:
    import torch

MODEL_TYPE = "Pytorch (torch.nn.Module)"
INPUTS_FOLDER = "inputs"


def given_model(model: object, inputs: Any) -> GivenModel | None:
    """Take a module and the inputs of one call; None if the object is no PyTorch module.

    Args:
        model: Perhaps a ``torch.nn.Module``.
        inputs: A mapping of keyword arguments, a tuple or list of positional ones, or one argument.
    """
    # Whoever has a module has imported torch.
    loaded: Any = sys.modules.get("torch")
    if loaded is None or not isinstance(model, loaded.nn.Module):
        return None
    args, kwargs = _arguments(inputs)
    args, kwargs = Capturer().copy((args, kwargs))
    signature = make_signature(model, args, kwargs)
    live = LiveModel(model, args, kwargs, signature)
    size = parameters(model)
    cls = type(model)
    info = ModelInfo(
        name=cls.__name__,
        digest=model_hash(model, signature),
        model_type=MODEL_TYPE,
        class_name=f"{cls.__name__} ({cls})",
        parameter_count=size.count,
        parameter_bytes=size.bytes,
        input_shapes=signature.shapes(),
    )
    training = model.training

    def give(state: State) -> None:
        hand_over(state, live, training=training)

    return GivenModel(info, PYTORCH_MODEL, give)


def hand_over(state: State, live: LiveModel, *, training: bool) -> None:
    """Add a module, its inputs and its reference to a state.

    Args:
        state: Of the chain's first step.
        live: The module and its inputs.
        training: Whether it was called in training mode.
    """
    module: torch.nn.Module = live.module
    folder = state.folder(INPUTS_FOLDER)
    names = write_inputs(folder, live.arguments())
    state.add(INPUTS, [folder / name for name in names], info={"folder": INPUTS_FOLDER})
    state.add(REFERENCE, live=EagerReference(live))
    state.add(
        PYTORCH_MODEL,
        live=live,
        live_key={"weights": state.model.digest, "code": code_digest(module)},
        info={
            "training": training,
            "signature": live.signature.to_json(),
            "inputs_folder": INPUTS_FOLDER,
        },
    )


def _arguments(inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if inputs is None:
        return (), {}
    if isinstance(inputs, Mapping):
        return (), dict(inputs)
    if isinstance(inputs, (tuple, list)):
        return tuple(inputs), {}
    return (inputs,), {}
