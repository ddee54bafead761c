"""The tool `export-pytorch`."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from turnkeyml.artifacts import INPUTS, ONNX_MODEL, PYTORCH_MODEL
from turnkeyml.errors import BuildError
from turnkeyml.options import option
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import State
from turnkeyml.tool import Tool
from turnkeyml_onnx.opset import DEFAULT_ONNX_OPSET, OPSET_VARIABLE, check_opset, default_opset

if TYPE_CHECKING:
    from turnkeyml_onnx import WrittenModel
    from turnkeyml_torch import LiveModel

DYNAMO_OLDEST_OPSET = 18
"""Below this, torch's exporter converts afterwards, and may silently stay where it was."""


@dataclass(frozen=True)
class ExportPytorchOptions:
    """The options of `export-pytorch`."""

    opset: int | None = option(
        None,
        metavar="N",
        help=f"ONNX opset of the file. [default: {OPSET_VARIABLE}, else {DEFAULT_ONNX_OPSET}]",
        shorthand="--onnx-opset",
    )


class ExportPytorch(Tool):
    """Export a PyTorch model to an ONNX file.

    The model is exported with the inputs that the script called it with, in evaluation mode, by
    PyTorch's own exporter (torch.onnx.export with dynamo=True). Shapes are those of the inputs.
    The file is in the folder onnx/ of the build directory, its weights beside it in a file that is
    named by their digest.
    """

    name = "export-pytorch"
    Options = ExportPytorchOptions
    consumes = (PYTORCH_MODEL,)
    produces = ONNX_MODEL

    @classmethod
    def resolve(cls, options: ExportPytorchOptions, registry: Registry) -> ExportPytorchOptions:
        """Settle the opset."""
        if options.opset is None:
            return replace(options, opset=default_opset())
        check_opset(options.opset, "The opset")
        return options

    def run(self, state: State, options: ExportPytorchOptions) -> State:
        """Export the live model and write the file."""
        from turnkeyml_onnx import write_model

        live: LiveModel = state.input.live
        assert options.opset is not None, "resolve() settles it"
        with fewer_collections():
            model = export(live, options.opset)
        written = write_model(model, state.folder("onnx"), state.file_name(".onnx"))
        names = match_inputs(live, written)
        state.add(
            ONNX_MODEL,
            written.files,
            info={
                "opset": written.opset,
                "ir_version": written.ir_version,
                "inputs": names,
                "inputs_folder": state.newest(INPUTS).info["folder"],
                "outputs": written.outputs,
            },
        )
        state.stats.save("opset", written.opset)
        state.stats.save("ir_version", written.ir_version)
        state.stats.save("size_bytes", written.size)
        state.stats.save("operators", written.operators)
        return state


def export(live: LiveModel, opset: int) -> Any:
    """Export a model with torch's dynamo exporter.

    Args:
        live: The model and its captured inputs.
        opset: The ONNX opset that the file must have.

    Returns:
        An ``onnx_ir.Model`` whose weights are those of the module, not copies.

    Raises:
        BuildError: The exporter cannot express the model, or not in this opset.
    """
    import torch

    from turnkeyml_torch import eval_mode

    with eval_mode(live.module), torch.no_grad():
        try:
            program = torch.onnx.export(
                live.module,
                tuple(live.args),
                kwargs=live.ordered_kwargs(),
                dynamo=True,
                opset_version=opset,
                verbose=False,
            )
        # The exporter raises errors of many kinds; all mean that this model cannot be exported.
        except Exception as error:
            raise BuildError(
                f"PyTorch's ONNX exporter cannot export this model: {reason_of(error)}",
                hint="The log has the exporter's whole report.",
            ) from error
    assert program is not None, "dynamo=True gives a program"
    got = program.model.opset_imports[""]
    if got != opset:
        raise BuildError(
            f"The exporter gave opset {got} although {opset} was asked for.",
            hint=f"Take an opset of at least {DYNAMO_OLDEST_OPSET}, which it can give exactly.",
        )
    return program.model


def reason_of(error: BaseException) -> str:
    """Give the line of an exporter's error that says why, at the end of its chain of causes."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:400] if lines else 'no message'}"


def match_inputs(live: LiveModel, written: WrittenModel) -> dict[str, str]:
    """Map the file's inputs to captured tensors: by name where they agree, else by their order.

    Raises:
        BuildError: They do not correspond.
    """
    tensors = live.tensor_shapes()
    plain = {name.replace(".", "_"): name for name in tensors}
    if all(name in plain for name in written.inputs):
        return {name: plain[name] for name in written.inputs}
    if len(tensors) == len(written.inputs):
        pairs = dict(zip(written.inputs, tensors, strict=True))
        if all(written.inputs[name] == tensors[leaf] for name, leaf in pairs.items()):
            return pairs
    raise BuildError(
        f"The exported file has the inputs {', '.join(written.inputs)}, which do not correspond to "
        f"the captured ones, {', '.join(tensors)}."
    )


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Let the garbage collector run more rarely: the exporter makes objects by the million.

    Measured on a linear layer, cold, without any collection: 3.9 s became 3.1 s.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
