"""The tool `optimize-onnx`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.options import option
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import State
from turnkeyml.tool import Tool
from turnkeyml.worker.process import run_task
from turnkeyml_plugin_optimize_onnx.cpu import cpu_kind

if TYPE_CHECKING:
    import onnx_ir as ir

    from turnkeyml_onnx import WrittenModel

_TASK = Path(__file__).with_name("task.py")


@dataclass(frozen=True)
class OptimizeOnnxOptions:
    """The options of `optimize-onnx`."""

    level: str = option(
        "basic",
        choices=("basic", "extended", "all"),
        help=(
            "How far to go. basic: standard operators only, which every later stage and runtime "
            "can load. extended: also operators of the domain com.microsoft, which ONNX Runtime "
            "alone knows. all: also a layout of the weights for this kind of CPU alone."
        ),
    )
    cpu: str | None = option(
        None,
        metavar="KIND",
        help="With --level all, the kind of CPU that must run it. [default: this machine's]",
    )


class OptimizeOnnx(Tool):
    """Optimize an ONNX file with ONNX Runtime's graph optimizer.

    What can be computed beforehand becomes a constant, what has no effect is left out, and
    operators that go together are joined, such as a convolution and the batch normalization after
    it. Opset, inputs and outputs stay as they are. The result is a new file in the folder onnx/ of
    the build directory; weights that did not change are not written again, it refers to those of
    the file before. Optimize before you convert to float16: a model that computes in float16
    already goes on as it is. So does one of bfloat16 for which ONNX Runtime's CPU lacks operators;
    put convert-fp32 before to have it optimized.
    """

    name = "optimize-onnx"
    aliases = ("optimize-ort",)
    Options = OptimizeOnnxOptions
    consumes = (ONNX_MODEL,)
    produces = ONNX_MODEL
    libraries = ("onnx", "onnx-ir", "onnxruntime")

    @classmethod
    def resolve(cls, options: OptimizeOnnxOptions, registry: Registry) -> OptimizeOnnxOptions:
        """Settle the kind of CPU, which decides what level ``all`` gives."""
        if options.level == "all":
            return options if options.cpu else replace(options, cpu=cpu_kind())
        if options.cpu:
            raise PlanError(
                f"--cpu {options.cpu} has no meaning with --level {options.level}.",
                hint="Leave it out, or give --level all.",
            )
        return options

    def run(self, state: State, options: OptimizeOnnxOptions) -> State:
        """Optimize the newest ONNX file."""
        from turnkeyml_onnx import Known, external_tensors, load_model, scratch_model, write_model

        if options.cpu is not None and options.cpu != cpu_kind():
            raise BuildError(
                f"The file is to be laid out for {options.cpu}, and this machine is {cpu_kind()}.",
                hint="Run the step on such a machine, or with --level extended.",
            )
        source = state.input
        path = state.input_file()
        before = load_model(path)
        folder = state.folder("onnx")
        with scratch_model(path.parent) as target:
            done = run_task(
                _TASK,
                {
                    "source": str(path),
                    "target": str(target),
                    "data": target.with_suffix(".data").name,
                    "level": options.level,
                },
            )
            if not done["made"]:
                state.context.note(f"{state.name}: {done['why']}")
                state.add(ONNX_MODEL, source.files, info=source.info)
                return state
            known = Known(source.files, tuple(external_tensors(before)))
            written = write_model(load_model(target), folder, state.file_name(".onnx"), known=known)
        state.add(
            ONNX_MODEL,
            written.files,
            info={
                **source.info,
                "opset": written.opset,
                "ir_version": written.ir_version,
                "outputs": written.outputs,
            },
        )
        save_stats(state, before, written)
        state.stats.save("worker_peak_memory_bytes", done["peak_memory_bytes"])
        return state


def save_stats(state: State, before: ir.Model, written: WrittenModel) -> None:
    """Keep what a user wants to know of the new file."""
    from turnkeyml_onnx import count_operators

    state.stats.save("opset", written.opset)
    state.stats.save("ir_version", written.ir_version)
    state.stats.save("size_bytes", written.size)
    state.stats.save("operators", written.operators)
    state.stats.save("operators_before", sum(count_operators(before).values()))
    state.stats.save("operators_after", sum(written.operators.values()))
