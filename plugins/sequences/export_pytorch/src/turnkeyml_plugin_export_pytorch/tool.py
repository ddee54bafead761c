"""The tool `export-pytorch`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.artifacts import INPUTS, ONNX_MODEL, PYTORCH_MODEL
from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.errors import PlanError
from turnkeyml.options import option
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import State
from turnkeyml.tool import Tool
from turnkeyml.worker.tensors import read_tensors
from turnkeyml_onnx.opset import DEFAULT_ONNX_OPSET, OPSET_VARIABLE, check_opset, default_opset
from turnkeyml_plugin_export_pytorch.names import (
    AUTO,
    EXPORTERS,
    TORCHSCRIPT,
    TORCHSCRIPT_NEWEST_OPSET,
)

if TYPE_CHECKING:
    import torch

    from turnkeyml_onnx import WrittenModel
    from turnkeyml_plugin_export_pytorch.choosing import Choice
    from turnkeyml_plugin_export_pytorch.eager import EagerRun
    from turnkeyml_plugin_export_pytorch.flat import FlatCall
    from turnkeyml_torch import LiveModel


@dataclass(frozen=True)
class ExportPytorchOptions:
    """The options of `export-pytorch`."""

    opset: int | None = option(
        None,
        metavar="N",
        help=f"ONNX opset of the file. [default: {OPSET_VARIABLE}, else {DEFAULT_ONNX_OPSET}]",
        shorthand="--onnx-opset",
    )
    exporter: str = option(
        AUTO,
        choices=EXPORTERS,
        help="PyTorch's exporter: dynamo, torchscript, or auto for the first of them that can "
        "without fixing what the model decides by its inputs.",
    )
    dynamic_axes: tuple[str, ...] = option(
        (),
        metavar="INPUT=AXIS:NAME,...",
        help="Axes of inputs whose size is not fixed, as in input_ids=0:batch,1:sequence; "
        "batch means axis 0 of every input.",
    )


class ExportPytorch(Tool):
    """Export a PyTorch model to an ONNX file.

    The model is exported with the inputs that the script called it with, in evaluation mode, by
    PyTorch's own exporters (torch.onnx.export): dynamo, or TorchScript where dynamo cannot. Shapes
    are those of the inputs, unless --dynamic-axes frees some. Inputs of the file are called like
    the parameters of forward, outputs like the keys of what it returns (a tensor alone: output).
    The file is in the folder onnx/ of the build directory, its weights beside it in a file that is
    named by their digest.
    """

    name = "export-pytorch"
    Options = ExportPytorchOptions
    consumes = (PYTORCH_MODEL,)
    produces = ONNX_MODEL
    # Their values decide what TorchScript sees of a model that branches on them.
    reads = (INPUTS,)
    libraries = ("torch", "onnxscript", "onnx", "onnx-ir")

    @classmethod
    def resolve(cls, options: ExportPytorchOptions, registry: Registry) -> ExportPytorchOptions:
        """Settle the opset, and check that the axes are spelled as they should be."""
        from turnkeyml_plugin_export_pytorch.axes import parse_axes

        parse_axes(options.dynamic_axes)
        if options.opset is None:
            options = replace(options, opset=default_opset())
        opset = check_opset(options.opset or 0, "The opset")
        if options.exporter == TORCHSCRIPT and opset > TORCHSCRIPT_NEWEST_OPSET:
            raise PlanError(
                f"The TorchScript exporter gives at most opset {TORCHSCRIPT_NEWEST_OPSET}, "
                f"not {opset}.",
                hint="Take another --exporter, or a smaller --opset.",
            )
        return options

    def run(self, state: State, options: ExportPytorchOptions) -> State:
        """Export the live model and write the file."""
        from turnkeyml_onnx import write_model
        from turnkeyml_plugin_export_pytorch.flat import FlatCall
        from turnkeyml_plugin_export_pytorch.steady import steady

        live: LiveModel = state.input.live
        call = FlatCall(live)
        with _scratch_folder(state) as scratch, steady(live.module):
            eager, choice, export_s = _export(state, call, options, scratch)
            start = time.perf_counter()
            # Weights may still be in the scratch folder.
            written = write_model(
                choice.exported.model, state.folder("onnx"), state.file_name(".onnx")
            )
            write_s = time.perf_counter() - start
        for note in choice.notes:
            state.context.note(f"{state.name}: {note}")
        _hand_over(state, call, choice, written)
        _save_statistics(state, call, choice, written)
        if eager.flops is not None:
            state.stats.save("flops", eager.flops)
        state.stats.save("export_s", round(export_s, 3))
        state.stats.save("write_s", round(write_s, 3))
        return state


def _export(
    state: State, call: FlatCall, options: ExportPytorchOptions, scratch: Path
) -> tuple[EagerRun, Choice, float]:
    from turnkeyml_plugin_export_pytorch.axes import match_axes, parse_axes
    from turnkeyml_plugin_export_pytorch.choosing import export_model
    from turnkeyml_plugin_export_pytorch.eager import run_eager
    from turnkeyml_plugin_export_pytorch.exporters import Order
    from turnkeyml_plugin_export_pytorch.flat import output_names
    from turnkeyml_plugin_export_pytorch.steady import fewer_collections

    axes = match_axes(parse_axes(options.dynamic_axes), call.inputs)
    module: torch.nn.Module = state.input.live.module
    eager = run_eager(module, call, training=bool(state.input.info.get("training")))
    names = output_names(eager.outputs, (entry.name for entry in call.inputs))
    assert options.opset is not None, "resolve() settles it"
    start = time.perf_counter()
    with fewer_collections():
        choice = export_model(
            Order(module, call, options.opset, axes, scratch), names, options.exporter
        )
    return eager, choice, time.perf_counter() - start


@contextmanager
def _scratch_folder(state: State) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=state.build.path) as folder:
        yield Path(folder)


def _hand_over(state: State, call: FlatCall, choice: Choice, written: WrittenModel) -> None:
    folder, names = _input_values(state, call)
    state.add(
        ONNX_MODEL,
        written.files,
        info={
            "opset": written.opset,
            "ir_version": written.ir_version,
            "inputs": names,
            "inputs_folder": folder,
            "outputs": written.outputs,
            "exporter": choice.exported.exporter,
            "dynamic_axes": choice.axes,
        },
    )


def _input_values(state: State, call: FlatCall) -> tuple[str, dict[str, str]]:
    """Say where the values of the file's inputs are: the folder, and the name there of each.

    What was captured is written once more only where that cannot be fed as it is: tensors inside
    objects that captured inputs do not keep, and complex numbers.
    """
    from turnkeyml_torch import dtype_name, write_inputs

    # Not the newest: a stage that came before may have made inputs for its own result.
    folder = str(state.input.info.get("inputs_folder") or state.newest(INPUTS).info["folder"])
    kept = read_tensors(state.build.path / folder)
    for entry in call.inputs:
        found = kept.get(entry.captured)
        if found is None or found.dtype != dtype_name(entry.tensor.dtype):
            break
    else:
        return folder, {entry.name: entry.captured for entry in call.inputs}
    own = state.folder(state.file_name(".inputs"))
    files = write_inputs(own, {entry.name: entry.tensor for entry in call.inputs})
    state.add(INPUTS, [own / name for name in files], info={"folder": own.name})
    return own.name, {entry.name: entry.name for entry in call.inputs}


def _save_statistics(state: State, call: FlatCall, choice: Choice, written: WrittenModel) -> None:
    from turnkeyml_torch import dtype_name

    dtypes = {entry.name: dtype_name(entry.tensor.dtype) for entry in call.inputs}
    state.stats.save("exporter", choice.exported.exporter)
    state.stats.save("opset", written.opset)
    state.stats.save("ir_version", written.ir_version)
    state.stats.save("size_bytes", written.size)
    state.stats.save("operators", written.operators)
    state.stats.save(
        "inputs",
        {
            name: {"dtype": dtypes[name], "shape": list(shape)}
            for name, shape in written.inputs.items()
        },
    )
    state.stats.save("outputs", list(written.outputs))
    if choice.axes:
        state.stats.save("dynamic_axes", choice.axes)
