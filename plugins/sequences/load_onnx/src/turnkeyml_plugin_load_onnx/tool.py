"""The tool `load-onnx`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.artifacts import INPUTS, ONNX_MODEL
from turnkeyml.context import RunContext
from turnkeyml.inputs import Source
from turnkeyml.options import option
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import ModelInfo, State
from turnkeyml.tool import FirstTool
from turnkeyml_plugin_load_onnx.dimensions import parse_shapes

if TYPE_CHECKING:
    from turnkeyml.worker.tensors import RawTensor
    from turnkeyml_onnx import WrittenModel
    from turnkeyml_plugin_load_onnx.loading import LoadedModel

MODEL_TYPE = "ONNX"
INPUTS_FOLDER = "inputs"


@dataclass(frozen=True)
class LoadOnnxOptions:
    """The options of `load-onnx`."""

    shape: tuple[str, ...] = option(
        (),
        metavar="NAME=N,N,...",
        help="Shape of an input, such as input_ids=1,128; it fixes dimensions that the file "
        "leaves open.",
        shorthand="--shape",
    )
    dynamic: bool = option(
        False,
        help="Keep the dimensions open in the file, and use the values for the inputs only.",
        shorthand="--dynamic",
    )
    inputs: Path | None = option(
        None,
        metavar="FILE.npz",
        help="Take the inputs from this file, by name, instead of making them.",
        shorthand="--inputs",
    )


class LoadOnnx(FirstTool):
    """Start from an ONNX file; fix its dynamic dimensions, make inputs.

    The file is copied into the build directory with all its weights, and goes on from there;
    nothing else in it is changed. Its weights may lie in the same file or in others beside it.

    Dimensions that the file leaves open are fixed: those called batch to 1, sequence lengths to
    128, heights and widths to 224, others as their place suggests, else to 1. What was chosen is
    said. Choose yourself, or keep them open:

    \b
        turnkey -i bert.onnx load-onnx --shape input_ids=1,384 benchmark
        turnkey -i bert.onnx load-onnx --dynamic benchmark

    A dimension that several inputs share by its name needs to be given only once.

    Inputs are made, the same in every run: floating-point numbers are normally distributed,
    numbers that point into a table (as token ids do) are spread over its rows, masks are ones. Or
    they come from a file, which has an array for each input and also gives the shapes:

    \b
        turnkey -i bert.onnx load-onnx --inputs sentence.npz benchmark
    """

    name = "load-onnx"
    Options = LoadOnnxOptions
    produces = ONNX_MODEL
    libraries = ("onnx", "onnx-ir", "numpy")
    suffixes = (".onnx",)

    @classmethod
    def resolve(cls, options: LoadOnnxOptions, registry: Registry) -> LoadOnnxOptions:
        """Check the shapes' form, and that the file of inputs is there."""
        from turnkeyml_plugin_load_onnx.given import check_file

        parse_shapes(options.shape)
        if options.inputs is None:
            return options
        return replace(options, inputs=check_file(options.inputs))

    def start(
        self, source: Source, options: LoadOnnxOptions, context: RunContext
    ) -> Iterator[State]:
        """Read the file, and give its one state."""
        from turnkeyml_plugin_load_onnx.loading import load

        loaded = load(source.path, parse_shapes(options.shape), options.inputs)
        selected = source.selects(loaded.digest)
        # All that can be wrong with a file shows before it has a build directory.
        values = loaded.values() if selected else {}
        state = context.new_state(source, _model_info(loaded), selected=selected)
        if selected:
            _hand_over(state, loaded, values, options)
            _tell(loaded, options, context)
        yield state


def _model_info(loaded: LoadedModel) -> ModelInfo:
    from turnkeyml_plugin_load_onnx.reading import shown
    from turnkeyml_plugin_load_onnx.weights import count_parameters

    file = loaded.file
    parameters = count_parameters(file.proto)
    facts = [f"opset {file.opset}", f"IR {file.ir_version}"]
    facts += [f"producer {file.producer}"] if file.producer else []
    return ModelInfo(
        name=file.path.stem,
        digest=loaded.digest,
        model_type=MODEL_TYPE,
        class_name=f"{shown(file.proto.graph.name) or 'graph'} ({', '.join(facts)})",
        location=str(file.path),
        parameter_count=parameters.count,
        parameter_bytes=parameters.bytes,
        input_shapes=loaded.settled.shapes,
    )


def _hand_over(
    state: State, loaded: LoadedModel, values: Mapping[str, RawTensor], options: LoadOnnxOptions
) -> None:
    from turnkeyml.worker.tensors import write_tensors
    from turnkeyml_onnx import write_model
    from turnkeyml_plugin_load_onnx.model import freeze

    if loaded.has_open_dimensions and not options.dynamic:
        freeze(loaded.model, loaded.settled)
    folder = state.folder(INPUTS_FOLDER)
    names = write_tensors(folder, values)
    written = write_model(loaded.model, state.folder("onnx"), state.file_name(".onnx"))
    state.add(INPUTS, [folder / name for name in names], info={"folder": INPUTS_FOLDER})
    state.add(
        ONNX_MODEL,
        written.files,
        info={
            "opset": written.opset,
            "ir_version": written.ir_version,
            "inputs": {name: name for name in loaded.inputs},
            "inputs_folder": INPUTS_FOLDER,
            "outputs": written.outputs,
        },
    )
    _save_stats(state, loaded, written)


def _save_stats(state: State, loaded: LoadedModel, written: WrittenModel) -> None:
    file = loaded.file
    state.stats.begin_step(state.context.first_step[1], {})
    facts = {
        "opset": written.opset,
        "ir_version": written.ir_version,
        "size_bytes": written.size,
        "operators": written.operators,
        "producer": file.producer,
        "domains": file.domains,
        "custom_operators": file.custom_operators,
        "chosen_dimensions": dict(loaded.settled.chosen),
    }
    for key, value in facts.items():
        state.stats.save(key, value)


def _tell(loaded: LoadedModel, options: LoadOnnxOptions, context: RunContext) -> None:
    """Say what the user would wonder about."""
    from turnkeyml_plugin_load_onnx.reading import NEWEST_IR_VERSION

    file = loaded.file
    chosen = ", ".join(f"{name}={value}" for name, value in loaded.settled.chosen.items())
    if chosen and options.dynamic:
        context.note(
            f"The inputs are made with {chosen}; choose others, as in {loaded.shape_option()}."
        )
    elif chosen:
        context.note(
            f"Dynamic dimensions are fixed: {chosen}; choose others, as in "
            f"{loaded.shape_option()}, or keep them with --dynamic."
        )
    if file.ir_version > NEWEST_IR_VERSION:
        context.note(
            f"The IR version {file.ir_version} is written as {NEWEST_IR_VERSION}: nothing in the "
            "file needs the newer one."
        )
    if file.custom_operators:
        context.note(
            f"The file has operators that ONNX Runtime does not: "
            f"{', '.join(file.custom_operators)}."
        )
