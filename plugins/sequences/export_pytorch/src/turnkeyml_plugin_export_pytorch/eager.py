"""Call a model once before it is exported: what it returns, and how many operations that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from turnkeyml.errors import BuildError
from turnkeyml_plugin_export_pytorch.flat import FlatCall, output_tensors
from turnkeyml_plugin_export_pytorch.own_errors import own_error

if TYPE_CHECKING:
    import torch

UNCOUNTED = (
    "_trilinear", "_cdist_forward", "_euclidean_dist", "addbmm", "linalg_", "_linalg_", "_fft_",
    "_sparse_mm", "_thnn_", "_cudnn_rnn", "_int_mm", "_weight_int",
)  # fmt: skip
"""Beginnings of the names of operators that multiply much, and for which there is no formula."""

_RETURN_TENSORS = "Let its forward return tensors, or a list, tuple, dict or dataclass of them."


@dataclass(frozen=True)
class EagerRun:
    """What a model gives when it is called in evaluation.

    Args:
        outputs: Names of its output tensors in order, as `turnkeyml_torch.flatten_outputs` gives
            them.
        flops: Floating-point operations in matrix products, convolutions, attention and recurrent
            layers, a multiplication and an addition counted as two; None where the model has an
            operator whose operations are not known.
    """

    outputs: tuple[str, ...]
    flops: int | None


def run_eager(module: torch.nn.Module, call: FlatCall, *, training: bool = False) -> EagerRun:
    """Call a model, which is in evaluation mode already, with copies of the captured inputs.

    Args:
        module: The model.
        call: The captured inputs.
        training: Whether it was in training mode when it was captured.

    Raises:
        BuildError: It raises, or returns no tensor.
    """
    returned, flops = _counted(module, call, training)
    try:
        outputs = output_tensors(returned)
    except NotImplementedError as error:
        raise BuildError(
            f"What the model returns cannot be looked into: {error}.", hint=_RETURN_TENSORS
        ) from error
    if not outputs:
        raise BuildError(
            f"The model returns no tensor but {_kind_of(returned)}, so there is nothing to export.",
            hint=_RETURN_TENSORS,
        )
    for name, tensor in outputs.items():
        _check_output(name, tensor)
    return EagerRun(tuple(outputs), flops)


def _call(module: torch.nn.Module, call: FlatCall) -> Any:
    args, kwargs = call.arguments(call.tensors())
    return module(*args, **kwargs)


def _runs_in_training(module: torch.nn.Module, call: FlatCall) -> bool:
    from turnkeyml_torch import eval_mode
    from turnkeyml_torch.reference import buffers_kept

    with buffers_kept(module), eval_mode(module):
        module.train()
        try:
            _call(module, call)
        except Exception:  # noqa: BLE001 - the user's own code; what it raised first is told
            return False
    return True


def _counted(module: torch.nn.Module, call: FlatCall, training: bool) -> tuple[Any, int | None]:
    from torch.utils.flop_counter import FlopCounterMode

    seen = _operator_recorder()
    try:
        with FlopCounterMode(display=False, custom_mapping=_formulas()) as counter, seen:
            returned = _call(module, call)
    # Some models cannot be called under a counter; whether they can be called at all shows next.
    except Exception:  # noqa: BLE001
        try:
            return _call(module, call), None
        # The user's own code.
        except Exception as error:
            runs = training and _runs_in_training(module, call)
            raise own_error(error, module, call.tensors(), runs_in_training=runs) from error
    known = not any(_is_uncounted(name) for name in seen.names)
    return returned, int(counter.get_total_flops()) if known else None


def _operator_recorder() -> Any:
    from torch.utils import _python_dispatch

    base: Any = _python_dispatch.TorchDispatchMode

    class Recorder(base):  # type: ignore[misc]
        names: ClassVar[set[str]] = set()

        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            self.names.add(str(func.name()))
            return func(*args, **(kwargs or {}))

    return Recorder()


def _is_uncounted(name: str) -> bool:
    namespace, _, operator = name.partition("::")
    return namespace not in ("aten", "prim", "prims") or operator.startswith(UNCOUNTED)


def _formulas() -> dict[Any, Any]:
    """Count what PyTorch's own counter leaves out; shapes stand in the place of tensors."""
    import torch

    aten = torch.ops.aten
    found = {
        "mv": lambda matrix, vector, **_: 2 * math.prod(matrix),
        "addmv": lambda bias, matrix, vector, **_: 2 * math.prod(matrix),
        "dot": lambda a, b, **_: 2 * math.prod(a),
        "_scaled_dot_product_flash_attention_for_cpu": _attention,
        "mkldnn_rnn_layer": _recurrent,
    }
    return {getattr(aten, name): how for name, how in found.items() if hasattr(aten, name)}


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    *batch, queries, width = query
    return int(2 * math.prod((*batch, queries, key[-2], width + value[-1])))


def _recurrent(inputs: Any, weight: Any, recurrent: Any, *_: Any, **__: Any) -> int:
    return int(2 * math.prod((*inputs[:-1], math.prod(weight) + math.prod(recurrent))))


def _check_output(name: str, tensor: torch.Tensor) -> None:
    import torch

    if tensor.layout is not torch.strided:
        raise BuildError(
            f"The output {name} is a sparse tensor, which an ONNX file cannot give.",
            hint="Let forward return a dense tensor (to_dense()).",
        )
    if tensor.is_quantized:
        raise BuildError(
            f"The output {name} is a quantized tensor, which an ONNX file cannot give.",
            hint="Let forward return tensor.dequantize().",
        )


def _kind_of(value: Any) -> str:
    return "None" if value is None else f"an object of the class {type(value).__name__}"
