"""The tool `convert-fp32`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.artifacts import INPUTS, ONNX_MODEL
from turnkeyml.errors import BuildError
from turnkeyml.options import NoOptions
from turnkeyml.state import State
from turnkeyml.tool import Tool

if TYPE_CHECKING:
    from onnx import ModelProto


class ConvertFp32(Tool):
    """Convert an ONNX file of bfloat16 or float16 to float32.

    Weights, computations, inputs and outputs of these types become float32, and the captured inputs
    with them, into a folder of their own. No weight changes by it, because float32 has all numbers
    of both; the file is up to twice as large. Put it before optimize-onnx where a model computes in
    bfloat16, which ONNX Runtime's CPU does not, or where you want to know what a model of 16 bits
    costs in float32.
    """

    name = "convert-fp32"
    aliases = ("fp32",)
    consumes = (ONNX_MODEL,)
    produces = ONNX_MODEL
    reads = (INPUTS,)
    libraries = ("numpy", "onnx", "onnx-ir")

    def run(self, state: State, options: NoOptions) -> State:
        """Convert the newest ONNX file."""
        from turnkeyml_onnx import INLINE_BYTES, Known, load_model, scratch_model, write_model
        from turnkeyml_onnx.captured import changed_inputs, convert_captured
        from turnkeyml_onnx.widening import (
            BFLOAT16,
            FLOAT16,
            has_type,
            widen,
            widen_weights,
            with_float32,
        )

        source = state.input
        path = state.input_file()
        before = load_model(path)
        proto = _read(path)
        kinds = (FLOAT16, BFLOAT16)
        if not has_type(proto, kinds):
            state.context.note(
                f"{state.name}: there is nothing to convert to float32: the model has nothing of "
                "bfloat16 or float16."
            )
            state.add(ONNX_MODEL, source.files, info=source.info)
            return state
        was_valid = _is_valid(proto)
        widen(proto, kinds, path.parent)
        if was_valid and not _is_valid(with_float32(proto, kinds)):
            raise BuildError(
                "This model cannot be made float32: its types would no longer fit together.",
                hint="Load it in float32 where it comes from.",
            )
        folder = state.folder("onnx")
        with scratch_model(path.parent) as scratch:
            _write(proto, scratch)
            model = load_model(scratch)
            widen_weights(model, kinds, INLINE_BYTES)
            name = state.file_name(".onnx")
            written = write_model(model, folder, name, known=Known(source.files))
        # The precision that the numbers went through stays what was said of it.
        info = {
            **source.info,
            "opset": written.opset,
            "ir_version": written.ir_version,
            "outputs": written.outputs,
        }
        convert_captured(state, info, changed_inputs(before, model), lambda _, values: values)
        state.add(ONNX_MODEL, written.files, info=info)
        state.stats.save("opset", written.opset)
        state.stats.save("ir_version", written.ir_version)
        state.stats.save("size_bytes", written.size)
        state.stats.save("operators", written.operators)
        return state


def _read(path: Path) -> ModelProto:
    import onnx

    from turnkeyml_onnx.protos import without_functions

    return without_functions(onnx.load(path, load_external_data=False))


def _is_valid(model: ModelProto) -> bool:
    """Tell whether ONNX's checker likes a model, types and all; it dislikes many that run."""
    import onnx

    from turnkeyml_onnx.protos import without_weights

    try:
        onnx.checker.check_model(without_weights(model), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError):
        return False
    return True


def _write(proto: ModelProto, path: Path) -> None:
    try:
        path.write_bytes(proto.SerializeToString())
    except OSError as error:
        raise BuildError(
            f"{path.parent} cannot be written: {error.strerror}.",
            hint="Make room, or give another cache directory with -d.",
        ) from error
