"""The tool `convert-fp16`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.artifacts import INPUTS, ONNX_MODEL
from turnkeyml.options import option
from turnkeyml.state import State
from turnkeyml.tool import Tool
from turnkeyml.worker.process import run_task
from turnkeyml_plugin_convert_fp16.half import Losses, halve

if TYPE_CHECKING:
    import numpy as np
    import onnx_ir as ir

    from turnkeyml_onnx import WrittenModel

_TASK = Path(__file__).with_name("task.py")
_SHOWN_NAMES = 3


@dataclass(frozen=True)
class ConvertFp16Options:
    """The options of `convert-fp16`."""

    converter: str = option(
        "ort",
        choices=("ort", "onnxconverter-common"),
        help=(
            "Whose converter. ort: the one in onnxruntime.transformers. onnxconverter-common: the "
            "older one that it comes from, which makes fewer models that can be loaded."
        ),
    )
    keep_io_types: bool = option(
        False,
        help=(
            "Leave the model's inputs and outputs float32, with casts behind and before them; "
            "those of bfloat16 become it. Without it they become float16, and so do the captured "
            "inputs."
        ),
    )
    op_block_list: tuple[str, ...] = option(
        (),
        metavar="OP",
        help=(
            "Operators that stay float32, besides those that the converter always leaves, and "
            "ScatterElements and ScatterND, which ONNX Runtime's CPU cannot add up in float16."
        ),
    )
    node_block_list: tuple[str, ...] = option(
        (), metavar="NODE", help="Names of nodes that stay float32."
    )


class ConvertFp16(Tool):
    """Convert an ONNX file to float16.

    Weights and computations in float32 and bfloat16 become float16, inputs and outputs too unless
    --keep-io-types is given; the captured inputs are converted with them, into a folder of their
    own. Numbers beyond ±65504, the largest that float16 has, are clamped to it; how many, and in
    which weights or inputs, is said and kept in the statistics. On a CPU most runtimes compute
    float16 as float32: the file tells how exact float16 is, a GPU tells how fast.
    """

    name = "convert-fp16"
    aliases = ("fp16",)
    Options = ConvertFp16Options
    consumes = (ONNX_MODEL,)
    produces = ONNX_MODEL
    reads = (INPUTS,)
    libraries = ("numpy", "onnx", "onnx-ir", "onnxconverter-common", "onnxruntime")

    def run(self, state: State, options: ConvertFp16Options) -> State:
        """Convert the newest ONNX file."""
        from turnkeyml_onnx import INLINE_BYTES, Known, load_model, scratch_model, write_model
        from turnkeyml_plugin_convert_fp16.weights import halve_weights

        source = state.input
        path = state.input_file()
        before = load_model(path)
        folder = state.folder("onnx")
        with scratch_model(path.parent) as target:
            order = {
                "source": str(path),
                "target": str(target),
                "converter": options.converter,
                "keep_io_types": options.keep_io_types,
                "op_block_list": list(options.op_block_list),
                "node_block_list": list(options.node_block_list),
            }
            done = run_task(_TASK, order)
            if not done["changed"]:
                state.context.note(
                    f"{state.name}: there is nothing to convert to float16: the model has no "
                    "float32 or bfloat16 weights, inputs or outputs."
                )
                state.add(ONNX_MODEL, source.files, info=source.info)
                return state
            model = load_model(target)
            halved = halve_weights(model, INLINE_BYTES, done["from_bfloat16"])
            name = state.file_name(".onnx")
            written = write_model(model, folder, name, known=Known(source.files))
        info = {**source.info, **_facts(written)}
        input_losses = _convert_inputs(state, info, before, model)
        state.add(ONNX_MODEL, written.files, info=info)
        losses = {name: Losses(**lost) for name, lost in done["losses"].items()}
        losses |= {name: tensor.losses for name, tensor in halved.items()}
        _save_stats(state, written, losses, input_losses)
        state.stats.save("worker_peak_memory_bytes", done["peak_memory_bytes"])
        _warn(state, "weight", losses)
        _warn(state, "captured input", input_losses)
        return state


def _facts(written: WrittenModel) -> dict[str, Any]:
    return {
        "opset": written.opset,
        "ir_version": written.ir_version,
        "outputs": written.outputs,
        "precision": "float16",
    }


def _convert_inputs(
    state: State, info: dict[str, Any], before: ir.Model, after: ir.Model
) -> dict[str, Losses]:
    """Convert the captured inputs where there are any; give what was lost in which."""
    from turnkeyml_onnx.captured import changed_inputs, convert_captured

    changed = changed_inputs(before, after)
    losses: dict[str, Losses] = {}

    def convert(name: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if changed[name] != "float16":
            return values
        values, losses[name] = halve(values)
        return values

    convert_captured(state, info, changed, convert)
    return losses


def _save_stats(
    state: State,
    written: WrittenModel,
    losses: Mapping[str, Losses],
    input_losses: Mapping[str, Losses],
) -> None:
    save = state.stats.save
    save("opset", written.opset)
    save("ir_version", written.ir_version)
    save("size_bytes", written.size)
    save("operators", written.operators)
    for what, found in (("weights", losses), ("inputs", input_losses)):
        total = sum(found.values(), Losses())
        save(f"float16_{what}_clamped", total.clamped)
        save(f"float16_{what}_too_small", total.too_small)
        save(f"float16_{what}_infinite", total.infinite)
        save(f"float16_{what}_nan", total.nan)
        # A list, because names as keys would give a report a column for each weight of each model.
        named = [{"name": name, **lost.to_json()} for name, lost in found.items() if lost]
        save(f"float16_{what}", named)


def _warn(state: State, what: str, losses: Mapping[str, Losses]) -> None:
    """Say what float16 cannot hold; numbers too small for it are only counted."""
    clamped = {name: lost.clamped for name, lost in losses.items() if lost.clamped}
    if clamped:
        state.context.note(
            f"{state.name}: {_counted(clamped, what, 'was', 'were')} clamped to ±65504, the range "
            "of float16."
        )
    # A single infinite number is a constant for masks, and means no harm.
    infinite = {name: lost.infinite for name, lost in losses.items() if lost.infinite > 1}
    if infinite:
        state.context.note(f"{state.name}: {_counted(infinite, what, 'is', 'are')} infinite.")
    nan = {name: lost.nan for name, lost in losses.items() if lost.nan}
    if nan:
        state.context.note(f"{state.name}: {_counted(nan, what, 'is', 'are')} not a number (NaN).")


def _counted(counts: Mapping[str, int], what: str, one: str, many: str) -> str:
    total = sum(counts.values())
    names = sorted(counts, key=lambda name: (-counts[name], name))
    shown = ", ".join(names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")
    number = "1 number" if total == 1 else f"{total:,} numbers"
    where = f"the {what} {shown}" if len(names) == 1 else f"{len(names)} {what}s ({shown})"
    return f"{number} in {where} {one if total == 1 else many}"
